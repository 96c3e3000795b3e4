import { randomBytes } from 'node:crypto';
import {
  type Company,
  call,
  createTestClock,
  createTestDatabase,
  type Harness,
  recordControl,
  recordFigure,
  seedCompany,
  startHarness,
  type TestDatabase,
} from '@keyreeve/testkit';
import { createRemoteJWKSet, customFetch, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ORIGIN = 'http://localhost:8080';
const CLIENTS = 3;
const FAULTS_TOLD = 20;

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
}

const OLD_KEY = randomBytes(32).toString('base64');
const NEW_KEY = randomBytes(32).toString('base64');

let shared: { readonly database: TestDatabase; readonly clock: Harness['clock'] };
/** The nodes that are in service; whoever takes one away waits for what is under way there. */
let nodes: Harness[];
let company: Company;
let minted: Minted;

beforeAll(async () => {
  shared = { database: await createTestDatabase({ isMigrated: true }), clock: createTestClock() };
  nodes = [
    await startHarness({ ...shared, masterKey: OLD_KEY }),
    await startHarness({ ...shared, masterKey: OLD_KEY }),
  ];
  company = await seedCompany(first());
  minted = await mint(first());
});
afterAll(async () => {
  for (const node of nodes) await stop(node);
  await shared.database.drop();
});
// Libraries of others look at the clock of the machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: shared.clock.now() });
});
/** A test that fails must not leave its clients behind: they would never end. */
let endLoad = () => true;
afterEach(() => {
  endLoad();
  vi.useRealTimers();
});

function first(): Harness {
  const [node] = nodes;
  if (node === undefined) throw new Error('No node is in service.');
  return node;
}
async function stop(node: Harness): Promise<void> {
  await node.app.close();
  await node.deps.close();
}
function advance(ms: number): void {
  shared.clock.advance(ms);
  vi.setSystemTime(shared.clock.now());
}
const mint = async (at: Harness): Promise<Minted> =>
  (
    await call(at, 'POST', `/v1/accounts/${company.member.id}/keys`, {
      key: company.adminKey,
      body: { comment: 'CI', access: 'account' },
    })
  ).json();
async function login(at: Harness, { apiKey, secretKey }: Minted = minted): Promise<string> {
  const payload = JSON.stringify({ auth_mode: 'apikey', apikey: apiKey, secretkey: secretKey });
  const headers = { host: 'localhost' };
  const answer = await at.app.inject({ method: 'POST', url: '/iam/login', payload, headers });
  if (answer.statusCode !== 200) throw new Error(`A login was refused: ${answer.body}`);
  return answer.json<{ token: string }>().token;
}
const check = async (token: string, at: Harness): Promise<number> => {
  const headers = { host: 'localhost', authorization: `Bearer ${token}` };
  return (await at.app.inject({ url: '/iam/v4/checkSession', headers })).statusCode;
};
const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? '';
const listKids = async (): Promise<string[]> =>
  (await first().app.inject({ url: '/.well-known/jwks.json', headers: { host: 'localhost' } }))
    .json<{ keys: { kid: string }[] }>()
    .keys.map((key) => key.kid);

/** A service that checks tokens on its own, with the usual library as it is. */
function createOfflineService(): (token: string) => Promise<unknown> {
  const keys = createRemoteJWKSet(new URL(`${ORIGIN}/.well-known/jwks.json`), {
    [customFetch]: async (url) => {
      const { pathname } = new URL(url);
      const answer = await first().app.inject({ url: pathname, headers: { host: 'localhost' } });
      return new Response(answer.body, { status: answer.statusCode });
    },
  });
  return (token) => jwtVerify(token, keys, { issuer: ORIGIN, audience: ORIGIN, typ: 'at+jwt' });
}

/** Clients that get tokens and use them at any node and offline, without a pause, until they are told to stop. */
function startLoad(isValid: (token: string) => boolean = () => true) {
  const checkOffline = createOfflineService();
  const load = { rounds: 0, faults: [] as string[], isStopped: false };
  endLoad = () => (load.isStopped = true);
  const addFault = (fault: string): void => {
    if (load.faults.length < FAULTS_TOLD) load.faults.push(fault);
  };
  const pick = (round: number): Harness => nodes[round % nodes.length] ?? first();
  const runClient = async (start: number): Promise<void> => {
    for (let round = start; !load.isStopped; round += 1) {
      try {
        const token = await login(pick(round));
        for (const at of nodes) {
          const status = await check(token, at);
          if (status !== 200 && isValid(token)) addFault(`${status} for a valid token`);
        }
        await checkOffline(token);
      } catch (error) {
        addFault(String(error));
      }
      load.rounds += 1;
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => runClient(index)));
  return {
    rounds: () => load.rounds,
    /** Lets the clients do at least so many rounds. */
    pass: async (rounds = CLIENTS): Promise<void> => {
      const target = load.rounds + rounds;
      while (load.rounds < target) await new Promise((resolve) => setImmediate(resolve));
    },
    stop: async (): Promise<string[]> => {
      load.isStopped = true;
      await clients;
      expect(load.rounds).toBeGreaterThan(0);
      return load.faults;
    },
  };
}

/** For the board: what failed while something was rotated. */
async function recordDrill(
  what: string,
  load: ReturnType<typeof startLoad>,
  isFault: (fault: string) => boolean = () => true,
): Promise<string[]> {
  const faults = (await load.stop()).filter(isFault);
  recordFigure(44, {
    name: `failed requests while ${what}`,
    reached: `${faults.length} in ${load.rounds()} rounds`,
    wanted: '0',
    isHeld: faults.length === 0 && load.rounds() > 0,
  });
  return faults;
}

describe('under load', () => {
  it('a rotation on demand loses no token, here or at a service that checks offline', async () => {
    const load = startLoad();
    await load.pass();
    const before = kidOf(await login(first()));
    await first().deps.signingKeys.rotate(company.adminCaller);
    // The service has just fetched the keys and fetches none for half a minute, whatever key it meets.
    await load.pass();
    for (let minute = 0; minute < 25; minute += 1) {
      advance(MINUTE_MS);
      await load.pass();
    }
    expect(await recordDrill('the signing key was rotated on demand', load)).toEqual([]);
    expect(kidOf(await login(first()))).not.toBe(before);
  });

  it('a rotation on schedule neither loses a token of the longest life nor keeps a key for longer', async () => {
    const { settings, signingKeys } = first().deps;
    await settings.update(company.adminCaller, { signingKeyDays: 1, tokenLifetimeSeconds: 86_400 }, null);
    const load = startLoad();
    const tokens: { readonly token: string; readonly endsAt: number }[] = [];
    const keepToken = async () => {
      const token = await login(first());
      tokens.push({ token, endsAt: (decodeJwt(token).exp ?? 0) * 1_000 });
    };
    for (let hour = 0; hour < 60; hour += 1) {
      await signingKeys.rotateDue(new AbortController().signal);
      await keepToken();
      advance(20 * MINUTE_MS - 1);
      // The very last token of a key that is replaced in this hour.
      await keepToken();
      advance(40 * MINUTE_MS + 1);
      // Each in the last hour of its life, and right after it.
      for (const { token, endsAt } of tokens) {
        const leftMs = endsAt - shared.clock.now();
        if (Math.abs(leftMs) <= HOUR_MS)
          expect(await check(token, nodes[hour % 2] ?? first())).toBe(leftMs > 0 ? 200 : 401);
      }
      await load.pass();
      // The signing one, perhaps one that waits, and those of a day back.
      expect((await listKids()).length).toBeLessThanOrEqual(3);
    }
    expect(await recordDrill('signing keys were rotated by the day for 60 hours', load)).toEqual([]);
    const kids = new Set(tokens.map(({ token }) => kidOf(token)));
    expect(kids.size).toBeGreaterThanOrEqual(3);
    const [oldest] = kids;
    expect(await listKids()).not.toContain(oldest);
    let accepted = 0;
    const ended = tokens.filter(
      ({ token, endsAt }) => kidOf(token) === oldest && endsAt <= shared.clock.now(),
    );
    for (const { token } of ended) if ((await check(token, first())) === 200) accepted += 1;
    recordFigure(44, {
      name: 'tokens of a retired signing key that are accepted',
      reached: `${accepted} of ${ended.length}`,
      wanted: '0',
      isHeld: accepted === 0 && ended.length > 0,
    });
    expect([accepted, ended.length > 0]).toEqual([0, true]);
    await settings.update(company.adminCaller, { signingKeyDays: 90, tokenLifetimeSeconds: 3_600 }, null);
  });

  it('retiring the signing key at once refuses its tokens alone, and no login', async () => {
    const retired = new Set<string>();
    const load = startLoad((token) => !retired.has(kidOf(token)));
    await load.pass();
    const kid = kidOf(await login(first()));
    retired.add(kid);
    await first().deps.signingKeys.retire(company.adminCaller, kid);
    await load.pass(3 * CLIENTS);
    // The service that checks offline waits half a minute before it fetches keys again; here, nothing may fail.
    const isOurs = (fault: string) => !fault.includes('no applicable key found');
    expect(await recordDrill('a signing key was retired at once', load, isOurs)).toEqual([]);
  });

  it('tokens of a key that is retired before its time would be counted', async () => {
    const load = startLoad();
    await load.pass();
    const token = await login(first());
    await first().deps.signingKeys.retire(company.adminCaller, kidOf(token));
    const status = await check(token, first());
    const faults = await load.stop();
    recordControl(44, {
      name: 'a signing key that is retired before its tokens have ended',
      shown: `${status} for a token that lives`,
      hasFailed: status === 401,
    });
    expect(status).toBe(401);
    expect(faults.filter((fault) => !/no applicable key found|401 for a valid token/.test(fault))).toEqual(
      [],
    );
  });

  it('another master key comes in by a rolling restart, without a failed request', async () => {
    const load = startLoad();
    await load.pass();
    const environment = { KEYREEVE_MASTER_KEY_PREVIOUS: OLD_KEY };
    for (const old of nodes) {
      const next = await startHarness({ ...shared, masterKey: NEW_KEY, environment });
      // What a node with the old master key makes now, all nodes know.
      const made = await mint(old);
      expect(await check(await login(next, made), next)).toBe(200);
      nodes = [...nodes.filter((node) => node !== old), next];
      await load.pass(2 * CLIENTS);
      await stop(old);
    }
    expect(await recordDrill('the master key was rotated', load)).toEqual([]);
    const outcome = await startHarness({ ...shared, masterKey: OLD_KEY }).then(stop, String);
    const isRefused = String(outcome).includes(
      'The master key is not the one that this database was made with',
    );
    recordFigure(44, {
      name: 'starts with the old master key after its rotation',
      reached: isRefused ? 0 : 1,
      wanted: '0 of 1',
      isHeld: isRefused,
    });
    expect(isRefused).toBe(true);
    expect(await check(await login(first()), first())).toBe(200);
  });
});
