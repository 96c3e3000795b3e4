import { type Account, type Caller, inTransaction, systemCaller } from '@keyreeve/server';
import { type Harness, readAllPages, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS, toIso } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';

const PASSWORD = 'velvet ladder orbit';

interface Entry {
  seq: number;
  at: string;
  action: string;
  outcome: string;
  actor: { kind: string; id: string | null; name: string | null; keyId: string | null };
  target: { kind: string; id: string; name: string | null };
  accountId: string | null;
  keyId: string | null;
  ip: string | null;
  userAgent: string | null;
  requestId: string | null;
  detail: Record<string, unknown>;
}
interface Page {
  items: Entry[];
  nextCursor: string | null;
}
interface Problem {
  code: string;
  errors: { field: string }[];
}
type Headers = Record<string, string>;
type Event = Parameters<Harness['deps']['audit']['record']>[2];

let harness: Harness;
let admin: Account;
let caller: Caller;
let reader: Headers;
let readerId: string;

beforeAll(async () => {
  harness = await startHarness();
  const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
  admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
    passwordHash,
  });
  await harness.createAccount({ kind: 'user', email: 'bob@example.com', displayName: 'Bob', passwordHash });
  caller = await harness.callerOf(admin);
  const minted = await harness.deps.keys.create(caller, admin.id, {
    comment: 'Reader',
    access: 'scoped',
    scopes: [{ actions: ['iam:audit:read'], resources: ['*'] }],
  });
  readerId = minted.key.id;
  reader = { 'x-api-key': minted.fullKey.reveal(), 'user-agent': 'auditor/1' };
});
afterAll(() => harness.close());

async function read(query = '', headers = reader): Promise<Entry[]> {
  const answer = await harness.app.inject({ url: `/v1/audit${query}`, headers });
  expect(answer.statusCode, answer.payload).toBe(200);
  return answer.json<Page>().items;
}

const get = (url: string, headers: Headers, remoteAddress = '127.0.0.1') =>
  harness.app.inject({ url, headers, remoteAddress });

async function record(action: string, more: Partial<Event> & { by?: Caller } = {}): Promise<void> {
  const { by = caller, ...rest } = more;
  const event = { action: action as Event['action'], target: { kind: 'test', id: 'x' }, ...rest };
  await inTransaction(harness.deps.storage, (tx) => harness.deps.audit.record(tx, by, event));
}

async function refusalCounts(reason: string): Promise<object[]> {
  await harness.deps.audit.flush();
  const { read: db } = harness.deps.storage;
  return await db
    .selectFrom('refusals')
    .select(['minute', 'address', 'count'])
    .where('reason', '=', reason)
    .orderBy('minute')
    .orderBy('address')
    .execute();
}

describe('the audit log', () => {
  it('says who did what to what, when, and from where', async () => {
    const { account } = await harness.deps.accounts.create(caller, {
      kind: 'service',
      technicalName: 'bot',
      displayName: 'Bot',
    });
    const [entry] = await read();
    expect(entry).toEqual({
      seq: expect.any(Number) as number,
      at: toIso(harness.clock.now()),
      action: 'account.created',
      outcome: 'done',
      actor: { kind: 'session', id: admin.id, name: 'ada@example.com', keyId: null },
      target: { kind: 'service', id: account.id, name: 'bot' },
      accountId: account.id,
      keyId: null,
      ip: '127.0.0.1',
      userAgent: 'test',
      requestId: 'req_test',
      detail: { role: null, grants: [{ actions: ['package:*'], resources: ['*'] }], managers: [] },
    });
  });

  it('names the key behind a change that a key made, and the request', async () => {
    const minted = await harness.deps.keys.create(caller, admin.id, {
      comment: 'Writer',
      access: 'scoped',
      scopes: [{ actions: ['iam:settings:write'], resources: ['*'] }],
    });
    const headers = { 'x-api-key': minted.fullKey.reveal(), 'if-match': '*', 'user-agent': 'ci/1' };
    const answer = await harness.app.inject({
      method: 'PATCH',
      url: '/v1/settings',
      headers,
      payload: { requireAction: true },
      remoteAddress: '192.0.2.7',
    });
    const [entry] = await read('?action=settings.changed');
    expect(entry).toMatchObject({
      actor: { kind: 'key', id: admin.id, keyId: minted.key.id },
      ip: '192.0.2.7',
      userAgent: 'ci/1',
      requestId: answer.headers['x-request-id'],
    });
  });

  it('keeps at most 256 characters of what a client calls itself', async () => {
    await get('/v1/users', { ...reader, 'user-agent': 'x'.repeat(5_000) });
    await harness.deps.audit.flush();
    expect((await read('?action=access.refused'))[0]?.userAgent).toBe('x'.repeat(256));
  });

  it('can be asked for one account, one key, one kind of event, and a time', async () => {
    const day = harness.clock.now() + HOUR_MS;
    harness.clock.set(day);
    await record('test.first', { accountId: 'acc_a', keyId: 'kr_a' });
    harness.clock.set(day + 1_000);
    await record('test.second', { accountId: 'acc_a', keyId: 'kr_b' });
    harness.clock.set(day + 2_000);
    await record('test.third', { accountId: 'acc_b', keyId: 'kr_b' });
    const actions = async (query: string) => (await read(query)).map((entry) => entry.action);
    expect(await actions('?account=acc_a')).toEqual(['test.second', 'test.first']);
    expect(await actions('?key=kr_b')).toEqual(['test.third', 'test.second']);
    expect(await actions('?account=acc_a&key=kr_b')).toEqual(['test.second']);
    expect(await actions('?action=test.third')).toEqual(['test.third']);
    expect(await actions('?action=test')).toEqual([]);
    expect(await actions(`?since=${toIso(day + 1_000)}`)).toEqual(['test.third', 'test.second']);
    expect(await actions(`?since=${toIso(day)}&until=${toIso(day + 1_000)}`)).toEqual(['test.first']);
    expect(await actions(`?since=${encodeURIComponent('2099-01-01T00:00:00+09:00')}`)).toEqual([]);
  });

  it.each([
    ['since', 'yesterday'],
    ['since', '2027-03-01'],
    ['until', '2027-03-01T09:00:00'],
    ['until', '2016-12-31T23:59:60Z'],
    ['since', '2027-13-01T09:00:00Z'],
    ['since', ''],
  ])('refuses %s=%s as no instant', async (field, value) => {
    const answer = await get(`/v1/audit?${field}=${value}`, reader);
    expect(answer.json<Problem>()).toMatchObject({ code: 'request.invalid', errors: [{ field }] });
  });

  it('shows every entry once, newest first, page by page, while new ones arrive', async () => {
    for (let index = 0; index < 25; index += 1) await record('test.paged');
    const getWhileOneArrives = async (url: string) => {
      const answer = await get(url, reader);
      await record('test.paged');
      return answer;
    };
    const entries = await readAllPages<Entry>(getWhileOneArrives, '/v1/audit?action=test.paged&limit=10');
    const seen = entries.map((entry) => entry.seq);
    expect(seen).toHaveLength(25);
    expect(seen).toEqual(seen.toSorted((a, b) => b - a));
    expect(new Set(seen).size).toBe(25);
  });

  it('refuses a cursor that is none', async () => {
    for (const value of ['x', '[1]', '[1,1.5]', '[1,"1"]', '[1,2,3]', '[1,1e300]']) {
      const answer = await get(`/v1/audit?cursor=${Buffer.from(value).toString('base64url')}`, reader);
      expect(answer.json<Problem>()).toMatchObject({
        code: 'request.invalid',
        errors: [{ field: 'cursor' }],
      });
    }
  });

  it('is for administrators and keys with its action; members never see it', async () => {
    const signIn = async (email: string) => {
      const answer = await harness.app.inject({
        method: 'POST',
        url: '/v1/session',
        payload: { email, password: PASSWORD },
      });
      return { cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '' };
    };
    expect((await get('/v1/audit', await signIn('ada@example.com'))).statusCode).toBe(200);
    expect((await get('/v1/audit', await signIn('bob@example.com'))).json<Problem>().code).toBe(
      'auth.forbidden',
    );
    expect((await get('/v1/audit', {})).json<Problem>().code).toBe('auth.required');
    expect((await get('/v1/users', reader)).json<Problem>().code).toBe('auth.insufficient_scope');
  });

  it('belongs to one workspace', async () => {
    const { workspace } = await harness.deps.workspaces.create(caller, {
      name: 'Second',
      subdomain: 'second',
      aliases: [],
    });
    await record('test.foreign', { by: systemCaller(workspace, 'test') });
    expect(await read('?action=test.foreign')).toEqual([]);
    const page = await harness.deps.audit.list(systemCaller(workspace, 'test'), {}, { limit: 200 });
    expect(page.items.map((row) => row.action)).toEqual(['test.foreign']);
    expect(page.items[0]).toMatchObject({ actor_kind: 'system', actor_name: 'test' });
  });

  it('cannot be written or deleted over HTTP', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const answer = await harness.app.inject({ method, url: '/v1/audit', headers: reader });
      expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
    }
  });
});

describe('refusals', () => {
  it('of unknown callers are counted by address and minute, and not written one by one', async () => {
    const minute = Math.ceil(harness.clock.now() / MINUTE_MS) + 1;
    harness.clock.set(minute * MINUTE_MS);
    await harness.deps.audit.flush();
    const before = (await read('?limit=1'))[0]?.seq;
    for (let index = 0; index < 5; index += 1)
      await get('/v1/users', { 'x-api-key': `wrong-${index}` }, '192.0.2.1');
    await get('/v1/users', { 'x-api-key': 'wrong' }, '192.0.2.2');
    harness.clock.advance(MINUTE_MS);
    await get('/v1/users', { 'x-api-key': 'wrong' }, '192.0.2.1');
    expect(await refusalCounts('auth.invalid_credential')).toEqual([
      { minute, address: '192.0.2.1', count: 5 },
      { minute, address: '192.0.2.2', count: 1 },
      { minute: minute + 1, address: '192.0.2.1', count: 1 },
    ]);
    expect((await read('?limit=1'))[0]?.seq).toBe(before);
  });

  it('add up over several flushes of the same minute, and by the hour', async () => {
    harness.clock.advance(HOUR_MS);
    const hour = Math.floor(harness.clock.now() / HOUR_MS);
    for (let index = 0; index < 3; index += 1) {
      await get('/v1/users', { authorization: 'Digest x' }, '192.0.2.3');
      await harness.deps.audit.flush();
    }
    const counts = await refusalCounts('auth.invalid_credential');
    expect(counts.at(-1)).toMatchObject({ address: '192.0.2.3', count: 3 });
    const hours = await harness.deps.storage.usage
      .selectFrom('refusal_hours')
      .select(['count'])
      .where('hour', '=', hour)
      .where('reason', '=', 'auth.invalid_credential')
      .execute();
    expect(hours).toEqual([{ count: 3 }]);
  });

  it('of known callers become one row each, with the route and the reason', async () => {
    await get('/v1/users/acc_1?q=hush', reader);
    await harness.deps.audit.flush();
    const [entry] = await read('?action=access.refused');
    expect(entry).toMatchObject({
      actor: { kind: 'key', id: admin.id, keyId: readerId },
      target: { kind: 'route', id: '/v1/users/:id' },
      detail: { code: 'auth.insufficient_scope' },
      userAgent: 'auditor/1',
    });
  });

  it('wait for the next time when the database cannot take them now', async () => {
    harness.clock.advance(MINUTE_MS);
    await get('/v1/users', {}, '192.0.2.4');
    await get('/v1/users', reader, '192.0.2.4');
    const { schema } = harness.deps.storage.write;
    await schema.alterTable('refusals').renameTo('refusals_away').execute();
    await expect(harness.deps.audit.flush()).rejects.toThrow('refusals');
    await schema.alterTable('refusals_away').renameTo('refusals').execute();
    await get('/v1/users', {}, '192.0.2.4');
    const counts = await refusalCounts('auth.required');
    expect(counts.at(-1)).toMatchObject({ address: '192.0.2.4', count: 2 });
    expect((await read('?action=access.refused')).filter((entry) => entry.ip === '192.0.2.4')).toHaveLength(
      1,
    );
  });

  it('write nothing when there were none', async () => {
    await harness.deps.audit.flush();
    const before = await refusalCounts('auth.required');
    await harness.deps.audit.flush();
    expect(await refusalCounts('auth.required')).toEqual(before);
  });

  it('from one IPv6 network count as one address: its holder has 2^64 of them', async () => {
    harness.clock.advance(MINUTE_MS);
    const minute = Math.floor(harness.clock.now() / MINUTE_MS);
    for (let index = 1; index <= 20; index += 1)
      await get('/v1/users', { 'x-api-key': 'wrong' }, `2001:db8:1:2::${index}`);
    const counts = await refusalCounts('auth.invalid_credential');
    expect(counts.at(-1)).toEqual({ minute, address: '2001:db8:1:2::/64', count: 20 });
  });

  it('are forgotten after 90 days, so that nobody fills the disk by knocking', async () => {
    await get('/v1/users', { 'x-api-key': 'wrong' }, '192.0.2.5');
    await harness.deps.audit.flush();
    harness.clock.advance(90 * 24 * HOUR_MS);
    await get('/v1/users', { 'x-api-key': 'wrong' }, '192.0.2.6');
    expect((await refusalCounts('auth.invalid_credential')).length).toBeGreaterThan(2);
    harness.clock.advance(2 * MINUTE_MS);
    await harness.deps.audit.sweep();
    expect(await refusalCounts('auth.invalid_credential')).toMatchObject([
      { address: '192.0.2.6', count: 1 },
    ]);
  });

  it('take bounded memory, however many addresses knock', async () => {
    const error = Object.assign(new Error('x'), { code: 'auth.flood' }) as unknown as Parameters<
      Harness['deps']['audit']['countRefusal']
    >[1];
    for (let index = 0; index < 12_000; index += 1) {
      const ip = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
      harness.deps.audit.countRefusal(
        { ...caller, principal: { kind: 'anonymous' }, ip },
        error,
        '/v1/users',
      );
    }
    const { length } = await refusalCounts('auth.flood');
    expect(length).toBe(10_000);
  });
});

describe('secrets', () => {
  it('are in no row of the log, whatever happens to a key or an account', async () => {
    const secrets: string[] = [PASSWORD, reader['x-api-key'] ?? ''];
    const { deps } = harness;
    const minted = await deps.keys.create(caller, admin.id, { comment: 'Watched', access: 'account' });
    secrets.push(minted.fullKey.reveal(), minted.secretKey.reveal());
    await get('/v1/users', { 'x-api-key': `${minted.key.id}_${'0'.repeat(49)}` });
    await harness.app.inject({
      method: 'POST',
      url: '/v1/session',
      payload: { email: 'bob@example.com', password: 'hush-wrong-password' },
    });
    await harness.app.inject({
      method: 'POST',
      url: '/v1/keys/self/revoke',
      headers: { 'x-api-key': minted.fullKey.reveal() },
    });
    const { setupCode } = await deps.workspaces.create(caller, {
      name: 'Third',
      subdomain: 'third',
      aliases: [],
    });
    secrets.push(setupCode.reveal(), 'hush-wrong-password');
    await deps.audit.flush();
    const tables = [
      await deps.storage.read.selectFrom('audit').selectAll().execute(),
      await deps.storage.read.selectFrom('refusals').selectAll().limit(100).execute(),
    ];
    const text = JSON.stringify(tables);
    expect(text).toContain('Watched');
    for (const secret of secrets) {
      expect(text).not.toContain(secret);
      expect(harness.logLines.join('')).not.toContain(secret);
    }
  });
});
