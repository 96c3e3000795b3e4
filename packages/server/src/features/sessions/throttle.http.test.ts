import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction } from '../../storage/index.ts';

const PASSWORD = 'velvet ladder orbit';
const WRONG = 'wrong wrong wrong';

let harness: Harness;
let passwordHash: string;
let count = 0;
let login: string;

beforeAll(async () => {
  harness = await startHarness();
  passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
});
afterAll(() => harness.close());
beforeEach(async () => {
  count += 1;
  login = `ada${count}@example.com`;
  await harness.createAccount({ kind: 'user', email: login, displayName: 'Ada', passwordHash });
});

async function signIn(ip: string, password = PASSWORD, email = login) {
  return await harness.app.inject({
    method: 'POST',
    url: '/v1/session',
    remoteAddress: ip,
    headers: { host: 'localhost:8080', 'content-type': 'application/json' },
    payload: JSON.stringify({ email, password }),
  });
}

/** Status codes of tries one after the other. */
async function statusOf(tries: number, ip: string, password = WRONG, email = login): Promise<number[]> {
  const codes: number[] = [];
  for (let index = 0; index < tries; index += 1) codes.push((await signIn(ip, password, email)).statusCode);
  return codes;
}

/** What sign-in does before it looks at the password. */
async function reserve() {
  const workspace = harness.deps.defaultWorkspace;
  const principal = { kind: 'anonymous' } as const;
  const caller = { workspace, principal, ip: addressOf(0), userAgent: null, requestId: null };
  return await harness.deps.throttle.reserveSignIn(caller, login);
}

function addressOf(number: number): string {
  return `10.${count}.${Math.floor(number / 250)}.${(number % 250) + 1}`;
}

describe('guessing the password of one account', () => {
  it.each([
    ['known', () => login],
    ['unknown', () => `nobody${count}@example.com`],
  ])(
    'of a %s address from one place is judged five times, then after growing pauses',
    async (_case, emailOf) => {
      const email = emailOf();
      expect(await statusOf(6, addressOf(0), WRONG, email)).toEqual([401, 401, 401, 401, 401, 429]);
      for (const seconds of [1, 2, 4, 8]) {
        const refused = await signIn(addressOf(0), WRONG, email);
        expect(refused.json()).toMatchObject({ code: 'session.throttled' });
        expect(refused.headers['retry-after']).toBe(String(seconds));
        harness.clock.advance(seconds * 1_000 - 1);
        expect((await signIn(addressOf(0), WRONG, email)).statusCode).toBe(429);
        harness.clock.advance(1);
        expect((await signIn(addressOf(0), WRONG, email)).statusCode).toBe(401);
      }
    },
  );

  it('refuses the right password too while the pause lasts, and takes it afterwards', async () => {
    await statusOf(5, addressOf(0));
    expect((await signIn(addressOf(0))).statusCode).toBe(429);
    harness.clock.advance(1_000);
    expect((await signIn(addressOf(0))).statusCode).toBe(200);
    expect(await statusOf(6, addressOf(0))).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it.each([50, 200])('%d times at once is judged exactly five times', async (tries) => {
    const answers = await Promise.all(Array.from({ length: tries }, () => signIn(addressOf(0), WRONG)));
    const codes = answers.map((answer) => answer.statusCode);
    expect(codes.filter((code) => code === 401)).toHaveLength(5);
    expect(codes.filter((code) => code === 429)).toHaveLength(tries - 5);
  });

  it('goes on after a restart where it was', async () => {
    await statusOf(5, addressOf(0));
    harness = await harness.restart();
    expect((await signIn(addressOf(0))).statusCode).toBe(429);
  });

  it('counts a try before it is judged: a crash in between does not give it back', async () => {
    const reserved = await Promise.allSettled(Array.from({ length: 200 }, () => reserve()));
    expect(reserved.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(5);
    expect((await signIn(addressOf(0))).statusCode).toBe(429);
  });

  it('gives a try back that found the server busy, as if it had not been', async () => {
    for (let tries = 0; tries < 20; tries += 1) await harness.deps.throttle.release(await reserve());
    expect(await statusOf(6, addressOf(0))).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('is forgotten after a quiet day', async () => {
    await statusOf(5, addressOf(0));
    harness.clock.advance(DAY_MS);
    expect(await statusOf(6, addressOf(0))).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('does not keep the owner out: a thousand wrong tries from elsewhere leave his address free', async () => {
    const tries = Array.from({ length: 1_000 }, () => signIn(addressOf(0), WRONG));
    await Promise.all(tries);
    expect((await signIn(addressOf(1))).statusCode).toBe(200);
  });

  it('from many addresses is slowed down for new addresses only, never by more than a minute', async () => {
    const home = addressOf(240);
    expect((await signIn(home)).statusCode).toBe(200);
    for (let place = 0; place < 10; place += 1) await statusOf(5, addressOf(place));
    const stranger = await signIn(addressOf(100), WRONG);
    expect(stranger.statusCode).toBe(429);
    expect(stranger.headers['retry-after']).toBe('1');
    // The owner at home, where he has signed in before, does not wait for the guesser.
    expect((await signIn(home)).statusCode).toBe(200);
    harness.clock.advance(MINUTE_MS);
    expect((await signIn(addressOf(100))).statusCode).toBe(200);
  });

  it('counts all addresses of one IPv6 network as one', async () => {
    for (let host = 1; host <= 5; host += 1) await signIn(`2001:db8:${count}:1::${host}`, WRONG);
    expect((await signIn(`2001:db8:${count}:1:ffff::9`)).statusCode).toBe(429);
    expect((await signIn(`2001:db8:${count}:2::9`)).statusCode).toBe(200);
  });

  it('does not slow down people who know their passwords, however often they sign in', async () => {
    const { storage, throttle } = harness.deps;
    for (let signedIn = 0; signedIn < 120; signedIn += 1) {
      const reservation = await reserve();
      await inTransaction(storage, (tx) => throttle.settle(tx, reservation));
    }
    expect((await signIn(addressOf(0))).statusCode).toBe(200);
    expect((await signIn(addressOf(1))).statusCode).toBe(200);
  });
});

describe('trying one password on many accounts', () => {
  it('from one address is judged a hundred times, then at most once a minute and never faster', async () => {
    const ip = addressOf(0);
    const tries = Array.from({ length: 150 }, (_, index) =>
      signIn(ip, WRONG, `user${index}@spray${count}.example`),
    );
    const answers = await Promise.all(tries);
    const judged = answers.filter((answer) => answer.statusCode === 401).length;
    // Tries that found the server busy (429 request.too_many) were not judged and do not count.
    const busy = answers.filter(
      (answer) => answer.json<{ code: string }>().code === 'request.too_many',
    ).length;
    expect(judged).toBeLessThanOrEqual(100);
    expect(judged + busy).toBeGreaterThanOrEqual(100);
    for (let rest = judged; rest < 100; rest += 1)
      expect((await signIn(ip, WRONG, `more${rest}@spray${count}.example`)).statusCode).toBe(401);
    expect((await signIn(ip)).json()).toMatchObject({ code: 'session.throttled' });
    expect((await signIn(addressOf(1))).statusCode).toBe(200);
    harness.clock.advance(HOUR_MS);
    expect((await signIn(ip)).statusCode).toBe(200);
  });
});

describe('what is counted', () => {
  it('is deleted by the sweep when no rule looks at it any more', async () => {
    await statusOf(2, addressOf(0));
    harness.clock.advance(31 * DAY_MS);
    await statusOf(1, addressOf(1), WRONG, `nobody${count}@example.com`);
    await harness.deps.sessions.sweep();
    const rows = await harness.deps.storage.read.selectFrom('attempts').select('failures').execute();
    expect(rows).toEqual([{ failures: 1 }, { failures: 1 }, { failures: 1 }]);
  });
});
