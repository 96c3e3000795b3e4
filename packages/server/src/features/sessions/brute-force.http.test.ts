import { type Harness, recordControl, recordFigure, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PAUSE_RULES } from './throttle.rules.ts';

const ITEM = 32;
const ROUNDS = process.env['PROOF_FULL'] === '1' ? 50 : 2;
const TRIES = 200;
const PASSWORD = 'velvet ladder orbit';
const HASH = '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA';
const ATTACKER = '203.0.113.9';
const HOME = '198.51.100.7';
const MINUTES_MS = 60_000;

let harness: Harness;
let trusting: Harness;
let count = 0;

beforeAll(async () => {
  harness = await startHarness();
  trusting = await startHarness({ environment: { KEYREEVE_TRUST_PROXY: ATTACKER } });
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await trusting.close();
  await harness.close();
});

/** A user with a password, whom nobody has tried to be yet. */
async function createVictim(at: Harness): Promise<string> {
  count += 1;
  const email = `mike.kim${count}@example.com`;
  await at.createAccount({ kind: 'user', email, displayName: 'Mike', passwordHash: HASH });
  return email;
}

/**
 * Counts the guesses that are held against the hash of an account, however they got there. Nothing is hashed: the two
 * hundred would queue for that, and here they are to meet at the brakes.
 */
function watchGuesses(at: Harness): () => number {
  let guesses = 0;
  vi.spyOn(at.deps.passwords, 'verify').mockImplementation((stored, password) => {
    if (stored === HASH) guesses += 1;
    return Promise.resolve(stored === HASH && password.reveal() === PASSWORD);
  });
  return () => guesses;
}

/** Other texts for the same account, as a login is read: some are read as another one, and open nothing. */
function spellingsOf(email: string): readonly string[] {
  return [
    email,
    email.toUpperCase(),
    email.replace('m', 'M'),
    ` ${email}`,
    `${email}\n`,
    `\t${email} `,
    `\u00A0${email}`,
    `\uFEFF${email}`,
    `\u3000${email}\u2003`,
    // KELVIN SIGN, which is a small k in lower case.
    email.replaceAll('k', '\u212A'),
    email.replace('i', '\u0130'),
    email.replace('m', '\uFF4D'),
    email.replace('@', '\uFF20'),
    `${email}.`,
    `"${email.replace('@', '"@')}`,
    email.replace('e', 'e\u0301'),
    `${email}\u0000`,
    email.replace('.', '%2E'),
  ];
}

interface Attempt {
  readonly email: string;
  readonly password: string;
  readonly from: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function signIn(at: Harness, { email, password, from, headers }: Attempt): Promise<number> {
  const answer = await at.app.inject({
    method: 'POST',
    url: '/v1/session',
    remoteAddress: from,
    headers: { host: 'localhost:8080', 'content-type': 'application/json', ...headers },
    payload: JSON.stringify({ email, password }),
  });
  return answer.statusCode;
}

/** Another address in every header in which proxies tell one. */
function rotatedHeaders(index: number): Record<string, string> {
  const ip = `10.${index % 200}.7.${(index % 250) + 1}`;
  return {
    'x-forwarded-for': index % 3 === 0 ? `${ip}, 10.0.0.1` : ip,
    forwarded: `for=${ip}`,
    'x-real-ip': ip,
    'true-client-ip': ip,
    'cf-connecting-ip': ip,
    'x-client-ip': ip,
  };
}

/** Two hundred guesses at once from one connection, each in another name, each with other headers. */
async function guessFromOnePlace(at: Harness, email: string): Promise<void> {
  const names = spellingsOf(email);
  await Promise.all(
    Array.from({ length: TRIES }, (_, index) =>
      signIn(at, {
        email: names[index % names.length] ?? email,
        password: `guess ${index}`,
        from: ATTACKER,
        headers: rotatedHeaders(index),
      }),
    ),
  );
}

/** The most guesses of all rounds, and how often the owner got in. */
async function attack(
  at: Harness,
  guess: (email: string) => Promise<void>,
): Promise<{ judgedMax: number; ownersIn: number }> {
  let [judgedMax, ownersIn] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    const email = await createVictim(at);
    const countGuesses = watchGuesses(at);
    expect(await signIn(at, { email, password: PASSWORD, from: HOME })).toBe(200);
    const before = countGuesses();
    await guess(email);
    judgedMax = Math.max(judgedMax, countGuesses() - before);
    if ((await signIn(at, { email, password: PASSWORD, from: HOME })) === 200) ownersIn += 1;
    // What the attacker has failed at as an address is forgotten before the next round.
    at.clock.advance(PAUSE_RULES.pair.forgetMs);
  }
  return { judgedMax, ownersIn };
}

function record(
  name: string,
  { judgedMax, ownersIn }: { judgedMax: number; ownersIn: number },
  free: number,
) {
  const isHeld = judgedMax <= free && ownersIn === ROUNDS;
  recordFigure(ITEM, {
    name,
    reached: `at most ${judgedMax} of ${TRIES} at once; the owner got in ${ownersIn} of ${ROUNDS} times`,
    wanted: `at most ${free}, and the owner gets in`,
    isHeld,
  });
  expect(judgedMax).toBeLessThanOrEqual(free);
  // Otherwise the guesses were aimed at nobody.
  expect(judgedMax).toBeGreaterThan(1);
  expect(ownersIn).toBe(ROUNDS);
}

describe('two hundred guesses at once', () => {
  it(
    'from one connection, in many names and behind invented addresses, are judged five times',
    async () => {
      const found = await attack(harness, (email) => guessFromOnePlace(harness, email));
      record('guesses judged from one connection', found, PAUSE_RULES.pair.free);
    },
    60 * MINUTES_MS,
  );

  it(
    'from two hundred addresses are judged fifty times, and the owner gets in at home',
    async () => {
      const found = await attack(harness, async (email) => {
        await Promise.all(
          Array.from({ length: TRIES }, (_, index) =>
            signIn(harness, { email, password: `guess ${index}`, from: `192.0.2.${index + 1}` }),
          ),
        );
      });
      record('guesses judged from two hundred addresses', found, PAUSE_RULES.login.free);
    },
    60 * MINUTES_MS,
  );

  it('are judged more often where the word of the guesser for his address is believed', async () => {
    const email = await createVictim(trusting);
    const countGuesses = watchGuesses(trusting);
    await guessFromOnePlace(trusting, email);
    const judged = countGuesses();
    recordControl(ITEM, {
      name: 'a server that believes the guesser where he is',
      shown: `${judged} of ${TRIES} are judged`,
      hasFailed: judged > PAUSE_RULES.pair.free,
    });
    expect(judged).toBeGreaterThan(PAUSE_RULES.pair.free);
  });
});
