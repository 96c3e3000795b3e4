import {
  type Company,
  call,
  createTestClock,
  type Harness,
  recordControl,
  recordFigure,
  seedCompany,
  startHarness,
  testEngine,
} from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;
const PASSWORD = 'velvet ladder orbit';

/** A credential of some kind: whether the server takes it, and what makes it never take it again. */
interface Credential {
  readonly kind: string;
  readonly isTaken: () => Promise<boolean>;
  readonly revoke: () => Promise<void>;
}

let harness: Harness;
let company: Company;
const credentials: Credential[] = [];
/** Rows of the tables below as they were before anything was revoked. */
const before = new Map<string, Record<string, unknown>[]>();
const TABLES = ['api_keys', 'accounts', 'ended_tokens', 'sessions', 'one_time_links', 'feed_links'] as const;

const statusOf = async (
  ...request: Parameters<typeof call> extends [unknown, ...infer Rest] ? Rest : never
) => (await call(harness, ...request)).statusCode;
const isOk = async (...request: Parameters<typeof statusOf>) => (await statusOf(...request)) < 300;

interface Pair {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

async function expectDone(...request: Parameters<typeof statusOf>): Promise<void> {
  const answer = await call(harness, ...request);
  if (answer.statusCode >= 300) throw new Error(`${request[0]} ${request[1]}: ${answer.body}`);
}

async function mint(accountId: string, more: object = {}): Promise<Pair> {
  const body = { comment: 'to be revoked', access: 'account', ...more };
  return (
    await call(harness, 'POST', `/v1/accounts/${accountId}/keys`, { key: company.adminKey, body })
  ).json<Pair>();
}

async function tokenOf({ apiKey, secretKey }: Pair): Promise<string> {
  const body = { auth_mode: 'apikey', apikey: apiKey, secretkey: secretKey };
  return (await call(harness, 'POST', '/iam/login', { body })).json<{ token: string }>().token;
}

async function makeUser(email: string) {
  const body = { email, displayName: email, role: 'member', password: PASSWORD };
  const answer = await call(harness, 'POST', '/v1/users', { key: company.adminKey, body });
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json<{ id: string }>().id;
}

async function signIn(email: string, password = PASSWORD): Promise<string> {
  const answer = await call(harness, 'POST', '/v1/session', { body: { email, password } });
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

/** What stands behind the # in the newest mail to an address. */
async function linkTo(address: string): Promise<string> {
  const { storage, queue } = harness.deps;
  const rows = await storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('to_address', '=', address)
    .orderBy('created_at')
    .execute();
  const tokens = rows.map((row) => (queue.open(row).payload as { linkUrl?: string }).linkUrl?.split('#')[1]);
  return tokens.findLast((token) => token !== undefined) ?? '';
}

const keyTaken = (pair: Pair) => () => isOk('GET', '/v1/keys/self', { key: pair.fullKey });
const tokenTaken = (token: string) => () =>
  isOk('GET', '/iam/v4/checkSession', { headers: { authorization: `Bearer ${token}` } });
const sessionTaken = (cookie: string) => () => isOk('GET', '/v1/session', { headers: { cookie } });
const asAdmin = (method: 'POST' | 'PATCH' | 'DELETE', url: string, body?: object) => () =>
  expectDone(method, url, {
    key: company.adminKey,
    ...(body === undefined ? {} : { body }),
    headers: { 'if-match': '*' },
  });
const keyEnds = {
  deleted: (pair: Pair) => asAdmin('DELETE', `/v1/keys/${pair.apiKey}`),
  disabled: (pair: Pair) => asAdmin('POST', `/v1/keys/${pair.apiKey}/disable`, {}),
  regenerated: (pair: Pair) => asAdmin('POST', `/v1/keys/${pair.apiKey}/regenerate`, {}),
};

async function addKeys(): Promise<void> {
  for (const [how, end] of Object.entries(keyEnds)) {
    const pair = await mint(company.member.id);
    credentials.push({ kind: `a key, ${how}`, isTaken: keyTaken(pair), revoke: end(pair) });
    const of = await mint(company.member.id);
    credentials.push({
      kind: `a token of a key that is ${how}`,
      isTaken: tokenTaken(await tokenOf(of)),
      revoke: end(of),
    });
  }
  const robot = await mint(company.robot.id);
  const disable = asAdmin('PATCH', `/v1/service-accounts/${company.robot.id}`, { state: 'disabled' });
  credentials.push(
    {
      kind: 'a token of an account that is disabled',
      isTaken: tokenTaken(await tokenOf(robot)),
      revoke: async () => {},
    },
    { kind: 'a key of an account that is disabled', isTaken: keyTaken(robot), revoke: disable },
  );
  const out = await tokenOf(await mint(company.member.id));
  const logOut = { headers: { authorization: `Bearer ${out}` } };
  credentials.push({
    kind: 'a token that was logged out',
    isTaken: tokenTaken(out),
    revoke: () => expectDone('DELETE', '/iam/logout', logOut),
  });
  const self = await mint(company.member.id);
  credentials.push({
    kind: 'a key that revoked itself',
    isTaken: keyTaken(self),
    revoke: () => expectDone('POST', '/v1/keys/self/revoke', { key: self.fullKey }),
  });
}

async function addSessions(): Promise<void> {
  await makeUser('out@example.com');
  const out = await signIn('out@example.com');
  credentials.push({
    kind: 'a session that was signed out',
    isTaken: sessionTaken(out),
    revoke: () => expectDone('DELETE', '/v1/session', { headers: { cookie: out } }),
  });
  await makeUser('changed@example.com');
  const changed = await signIn('changed@example.com');
  const passwords = { currentPassword: PASSWORD, newPassword: 'seventeen purple lamps' };
  credentials.push({
    kind: 'a session before a change of the password',
    isTaken: sessionTaken(changed),
    revoke: () =>
      expectDone('POST', '/v1/password/change', { headers: { cookie: changed }, body: passwords }),
  });
}

/** Links that are asked about by opening them: the first time they are taken, and that uses them up. */
async function addLinks(): Promise<void> {
  await makeUser('reset@example.com');
  await expectDone('POST', '/v1/password/request', { body: { email: 'reset@example.com' } });
  const reset = { body: { token: await linkTo('reset@example.com'), password: 'nineteen yellow lamps' } };
  credentials.push(
    usedByAsking('a reset link that was used', () => isOk('POST', '/v1/password/reset', reset)),
  );
  await asAdmin('POST', '/v1/users', { email: 'invited@example.com', displayName: 'In', role: 'member' })();
  const invited = { body: { token: await linkTo('invited@example.com'), password: 'eighteen orange lamps' } };
  credentials.push(
    usedByAsking('an invitation that was accepted', () => isOk('POST', '/v1/invitations/accept', invited)),
  );
  await mint(company.member.id, { sendMail: true });
  const opened = { body: { token: await linkTo('mei@example.com') } };
  credentials.push(
    usedByAsking('a key link that was opened', () => isOk('POST', '/v1/key-links/open', opened)),
  );
  const { link, token } = await harness.deps.feeds.create(company.memberCaller, 'own');
  credentials.push({
    kind: 'a feed link that was removed',
    isTaken: () => isOk('GET', `/feeds/${token.reveal()}/expiries.ics`),
    revoke: () => harness.deps.feeds.remove(company.memberCaller, link.id),
  });
}

function usedByAsking(kind: string, isTaken: () => Promise<boolean>): Credential {
  return { kind, isTaken, revoke: async () => {} };
}

async function listTaken(): Promise<string[]> {
  const taken: string[] = [];
  for (const { kind, isTaken } of credentials) if (await isTaken()) taken.push(kind);
  return taken;
}

/** What jobs do now and then: they throw away what they take for long over. */
async function sweep(): Promise<void> {
  const { tokens, sessions, passwordLinks, keyDelivery } = harness.deps;
  await Promise.all([tokens.sweep(), sessions.sweep(), passwordLinks.sweep(), keyDelivery.sweep()]);
}

const start = createTestClock().now();

async function restartAt(now: number): Promise<void> {
  harness.clock.set(now);
  harness = await harness.restart();
  await sweep();
}

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  await addKeys();
  await addSessions();
  await addLinks();
  for (const table of TABLES) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(
      harness.deps.storage.read,
    );
    before.set(table, rows);
  }
  const first = await listTaken();
  expect(first).toEqual(credentials.map(({ kind }) => kind));
  for (const { revoke } of credentials) await revoke();
});
afterAll(() => harness.close());

describe('what was revoked stays revoked', () => {
  it('over restarts, with the clock a day back, a day ahead, and right again', async () => {
    const moments = { 'at once': 0, 'a day back': -DAY_MS, 'a day ahead': DAY_MS, 'right again': 0 };
    const resurrected: string[] = [];
    for (const [moment, shift] of Object.entries(moments)) {
      // First while the server runs, then after a restart, whose jobs have thrown away what is over.
      harness.clock.set(start + shift);
      resurrected.push(...(await listTaken()).map((kind) => `${kind} (${moment}, running)`));
      await restartAt(start + shift);
      resurrected.push(...(await listTaken()).map((kind) => `${kind} (${moment}, restarted)`));
    }
    recordFigure(17, {
      name: 'revoked credentials that are taken again',
      reached: `${resurrected.length} of ${credentials.length} kinds at 8 moments`,
      wanted: '0',
      isHeld: resurrected.length === 0,
    });
    expect(resurrected).toEqual([]);
  });

  it('in the control, where the rows of before are put back, it does not', async () => {
    const db = harness.deps.storage.write;
    for (const table of TABLES) {
      await sql`delete from ${sql.table(table)}`.execute(db);
      for (const row of before.get(table) ?? []) {
        const names = Object.keys(row);
        await sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
          values (${sql.join(names.map((name) => row[name]))})`.execute(db);
      }
    }
    await restartAt(start);
    const taken = await listTaken();
    recordControl(17, {
      name: 'a database whose rows of before are put back',
      shown: `${taken.length} of ${credentials.length} kinds are taken again on ${testEngine()}`,
      hasFailed: taken.length > 0,
    });
    expect(taken.length).toBe(credentials.length);
  });
});
