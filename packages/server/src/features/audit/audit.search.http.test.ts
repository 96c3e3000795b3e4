import { type Account, type Caller, inTransaction, systemCaller } from '@keyreeve/server';
import { type Harness, readAllPages, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { findStretchEnd, listAudit } from './audit.repo.ts';

const PASSWORD = 'velvet ladder orbit';

interface Entry {
  action: string;
  outcome: string;
  actor: { kind: string; id: string | null; name: string | null };
  target: { kind: string; id: string; name: string | null };
  accountId: string | null;
  ip: string | null;
  userAgent: string | null;
  requestId: string | null;
  detail: Record<string, unknown>;
}
interface Page {
  items: Entry[];
  nextCursor: string | null;
}
type Event = Parameters<Harness['deps']['audit']['record']>[2];

let harness: Harness;
let admin: Account;
let bob: Account;
let adminCaller: Caller;
let bobCaller: Caller;
let key: string;

beforeAll(async () => {
  harness = await startHarness();
  const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
  const user = (email: string, role: 'admin' | 'member') =>
    harness.createAccount({ kind: 'user', email, displayName: email, role, passwordHash });
  admin = await user('ada@example.com', 'admin');
  bob = await user('bob@example.com', 'member');
  adminCaller = await harness.callerOf(admin);
  bobCaller = await harness.callerOf(bob);
  const minted = await harness.deps.keys.create(adminCaller, admin.id, {
    comment: 'Reader',
    access: 'scoped',
    scopes: [{ actions: ['iam:audit:read'], resources: ['*'] }],
  });
  key = minted.fullKey.reveal();
});
afterAll(() => harness.close());
// What the tests before have left behind is older than all that this one asks for.
let since = '';
beforeEach(async () => {
  await harness.deps.audit.flush();
  harness.clock.advance(HOUR_MS);
  since = new Date(harness.clock.now()).toISOString();
});

const get = (query: string) =>
  harness.app.inject({ url: `/v1/audit${query}`, headers: { 'x-api-key': key } });

async function find(query: string): Promise<Entry[]> {
  const answer = await get(`?since=${since}&limit=200&${query}`);
  expect(answer.statusCode, answer.payload).toBe(200);
  return answer.json<Page>().items;
}
const namesOf = async (query: string) => (await find(query)).map((entry) => entry.target.name);

async function record(name: string | null, more: Partial<Event> & { by?: Caller } = {}): Promise<void> {
  const { by = adminCaller, ...rest } = more;
  const event: Event = { action: 'package.pushed', target: { kind: 'test', id: 'x', name }, ...rest };
  await inTransaction(harness.deps.storage, (tx) => harness.deps.audit.record(tx, by, event));
}

const signIn = (email: string, password: string) =>
  harness.app.inject({
    method: 'POST',
    url: '/v1/session',
    payload: { email, password },
    headers: { 'user-agent': 'browser/1' },
    remoteAddress: '192.0.2.9',
  });

describe('a search in the audit log', () => {
  it('finds text in the names of actor and target and in the ids of target and key, in any case', async () => {
    await record('Nightly Build');
    await record(null, { target: { kind: 'package', id: 'acme.nightly' } });
    await record('by key', { keyId: 'kr_NIGHTLYnightly00' });
    await record('something else', { by: bobCaller });
    expect(await namesOf('q=nIGHTLY')).toEqual(['by key', null, 'Nightly Build']);
    expect(await namesOf('q=BOB@')).toEqual(['something else']);
    expect(await namesOf('q=%20%20Nightly%20B%20')).toEqual(['Nightly Build']);
    expect(await namesOf('q=')).toHaveLength(4);
  });

  it('takes the wildcards of SQL and full-width letters as what they are', async () => {
    await record('100% sure');
    await record('1000 sure');
    await record('under_score');
    await record('underXscore');
    await record('back\\slash');
    await record('芽衣の鍵');
    expect(await namesOf(`q=${encodeURIComponent('100%')}`)).toEqual(['100% sure']);
    expect(await namesOf('q=r_s')).toEqual(['under_score']);
    expect(await namesOf(`q=${encodeURIComponent('k\\s')}`)).toEqual(['back\\slash']);
    expect(await namesOf(`q=${encodeURIComponent('の鍵')}`)).toEqual(['芽衣の鍵']);
  });

  it('tells who did it from whom it is about', async () => {
    await record('ada about bob', { accountId: bob.id });
    await record('bob about ada', { by: bobCaller, accountId: admin.id });
    await record('the server about bob', {
      by: systemCaller(adminCaller.workspace, 'mail'),
      accountId: bob.id,
    });
    expect(await namesOf(`actor=${bob.id}`)).toEqual(['bob about ada']);
    expect(await namesOf(`account=${bob.id}`)).toEqual(['the server about bob', 'ada about bob']);
    expect(await namesOf(`account=${bob.id}&actor=${admin.id}`)).toEqual(['ada about bob']);
    expect(await namesOf('actor=acc_nobody')).toEqual([]);
  });

  it('takes the start of action names up to a dot, and else whole names only', async () => {
    await record('1', { action: 'key.created' });
    await record('2', { action: 'key.deleted' });
    await record('3', { action: 'password.reset' });
    await record('4', { action: 'password.reset_requested' });
    expect(await namesOf('action=key.')).toEqual(['2', '1']);
    expect(await namesOf('action=key')).toEqual([]);
    expect(await namesOf('action=password.reset')).toEqual(['3']);
    expect(await namesOf('action=password.')).toEqual(['4', '3']);
    expect(await namesOf('action=.')).toEqual([]);
    expect(await namesOf('action=key.&q=2')).toEqual(['2']);
  });

  it('combines all filters, and none of them lets another workspace in', async () => {
    await record('yes', { action: 'key.created', accountId: bob.id, keyId: 'kr_1' });
    await record('other key', { action: 'key.created', accountId: bob.id, keyId: 'kr_2' });
    await record('other action', { action: 'key.deleted', accountId: bob.id, keyId: 'kr_1' });
    await record('other actor', { action: 'key.created', accountId: bob.id, keyId: 'kr_1', by: bobCaller });
    const { workspace } = await harness.deps.workspaces.create(adminCaller, {
      name: 'Second',
      subdomain: 'second',
      aliases: [],
    });
    await record('foreign', {
      action: 'key.created',
      accountId: bob.id,
      keyId: 'kr_1',
      by: { ...adminCaller, workspace },
    });
    const all = `action=key.created&account=${bob.id}&key=kr_1&actor=${admin.id}&outcome=done&q=e`;
    expect(await namesOf(all)).toEqual(['yes']);
    expect(await namesOf(all.replace('done', 'refused'))).toEqual([]);
    expect(await namesOf('q=foreign')).toEqual([]);
  });

  it.each(['outcome=maybe', `q=${'x'.repeat(257)}`, `actor=${'x'.repeat(65)}`, 'who=me'])(
    'refuses %s',
    async (query) => {
      expect((await get(`?${query}`)).statusCode).toBe(400);
    },
  );
});

describe('a long log', () => {
  it('is searched to its end, page by page, however rare the hits are', async () => {
    await inTransaction(harness.deps.storage, async (tx) => {
      for (let index = 0; index < 2_600; index += 1) {
        const name = index % 1_250 === 3 ? `needle ${index}` : 'hay';
        await harness.deps.audit.record(tx, adminCaller, {
          action: 'package.pushed',
          target: { kind: 'test', id: 'x', name },
        });
      }
    });
    expect(await namesOf('q=needle')).toEqual(['needle 2503', 'needle 1253', 'needle 3']);
    // What arrives while somebody reads is newer than all that is left to read.
    const getWhileOneArrives = async (query: string) => {
      const answer = await get(query);
      await record('needle too late');
      return answer;
    };
    const seen = await readAllPages<Entry>(getWhileOneArrives, `?since=${since}&q=needle&limit=1`);
    expect(seen.map((entry) => entry.target.name)).toEqual(['needle 2503', 'needle 1253', 'needle 3']);
  });

  it('is ordered by time even where rows were written later than they happened', async () => {
    harness.clock.advance(2 * MINUTE_MS);
    await record('third');
    harness.clock.advance(-2 * MINUTE_MS);
    await record('first');
    harness.clock.advance(MINUTE_MS);
    await record('second');
    harness.clock.advance(DAY_MS);
    expect(await namesOf('')).toEqual(['third', 'second', 'first']);
    const { items } = (await get(`?since=${since}&limit=1`)).json<Page>();
    expect(items.map((entry) => entry.target.name)).toEqual(['third']);
  });
});

describe('a search through the log', () => {
  it('misses no entry that stands where a stretch ends while new ones arrive', async () => {
    const { read } = harness.deps.storage;
    const filter = { workspaceId: adminCaller.workspace.id, q: 'found', since: Date.parse(since) };
    for (const name of ['found 1', 'found 2', 'found 3', 'found 4']) await record(name);
    const end = await findStretchEnd(read, filter, null, 2);
    await record('found 5');
    const first = await listAudit(read, filter, null, end, 100);
    const rest = await listAudit(read, filter, end, null, 100);
    expect([...first, ...rest].map((row) => row.target_name)).toEqual([
      'found 5',
      'found 4',
      'found 3',
      'found 2',
      'found 1',
    ]);
  });
});

describe('refusals in the audit log', () => {
  it('of a sign-in to a known account say who, from where and why; unknown addresses are only counted', async () => {
    expect((await signIn('Bob@Example.com', 'wrong')).statusCode).toBe(401);
    expect((await signIn('nobody@example.com', 'wrong')).statusCode).toBe(401);
    await harness.deps.audit.flush();
    const refused = await find('outcome=refused');
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({
      action: 'session.refused',
      outcome: 'refused',
      actor: { kind: 'anonymous', id: null, name: null },
      target: { kind: 'user', id: bob.id, name: 'bob@example.com' },
      accountId: bob.id,
      ip: '192.0.2.9',
      userAgent: 'browser/1',
      requestId: expect.stringMatching(/^req_/) as string,
      detail: { code: 'session.wrong_credentials', route: '/v1/session' },
    });
    expect(JSON.stringify(refused)).not.toContain('"wrong"');
  });

  it('of a sign-in are not written while the throttle holds the tries back', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 12; index += 1)
      statuses.push((await signIn('bob@example.com', 'wrong')).statusCode);
    await harness.deps.audit.flush();
    const tried = statuses.filter((status) => status === 401).length;
    expect(statuses).toContain(429);
    expect(await find('action=session.refused')).toHaveLength(tried);
  });

  it('of a disabled account say that the password was right', async () => {
    const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
    const eve = await harness.createAccount({
      kind: 'user',
      email: 'eve@example.com',
      displayName: 'Eve',
      role: 'member',
      passwordHash,
    });
    await harness.deps.accounts.update(adminCaller, 'user', eve.id, { state: 'disabled' }, null);
    await signIn('eve@example.com', PASSWORD);
    await harness.deps.audit.flush();
    const [entry] = await find(`account=${eve.id}&outcome=refused`);
    expect(entry?.detail).toMatchObject({ code: 'session.account_disabled' });
  });

  it('of a known caller name the action that was lacking', async () => {
    await harness.app.inject({ url: '/v1/users', headers: { 'x-api-key': key } });
    await harness.deps.audit.flush();
    const [entry] = await find('outcome=refused');
    expect(entry).toMatchObject({
      action: 'access.refused',
      actor: { kind: 'key', id: admin.id },
      target: { kind: 'route', id: '/v1/users' },
      detail: { code: 'auth.insufficient_scope', action: 'iam:accounts:read' },
    });
    expect(entry?.detail['message']).toContain('iam:accounts:read');
    expect(await find('outcome=done')).toEqual([]);
  });

  it('of a known caller whom a service refuses, behind the door of the route, are rows as well', async () => {
    const made = await harness.deps.keys.create(adminCaller, admin.id, {
      comment: 'may make accounts',
      access: 'scoped',
      scopes: [{ actions: ['iam:accounts:write'], resources: ['*'] }],
    });
    const answer = await harness.app.inject({
      method: 'POST',
      url: '/v1/service-accounts',
      headers: { 'x-api-key': made.fullKey.reveal() },
      payload: {
        technicalName: 'robot-two',
        displayName: 'Robot',
        grants: [{ actions: ['iam:*'], resources: ['*'] }],
      },
    });
    expect(answer.statusCode).toBe(403);
    await harness.deps.audit.flush();
    expect(await find('outcome=refused')).toMatchObject([
      {
        action: 'access.refused',
        target: { id: '/v1/service-accounts' },
        requestId: answer.headers['x-request-id'],
      },
    ]);
  });
});

describe('an entry of a change', () => {
  it('tells what was before and what is after', async () => {
    const { deps } = harness;
    const { account } = await deps.accounts.create(adminCaller, {
      kind: 'service',
      technicalName: 'changing',
      displayName: 'Changing',
    });
    const { key: made } = await deps.keys.create(adminCaller, account.id, {
      comment: 'Old words',
      access: 'account',
      lifetimeDays: 90,
    });
    await deps.keys.update(adminCaller, made.id, { comment: 'New words' }, null);
    harness.clock.advance(DAY_MS);
    await deps.keys.regenerate(adminCaller, made.id, {});
    await deps.keys.remove(adminCaller, made.id);
    await deps.accounts.update(adminCaller, 'service', account.id, { displayName: 'Changed' }, null);
    await deps.accounts.remove(adminCaller, 'service', account.id);
    const entries = await find(`account=${account.id}`);
    const detailOf = (action: string) => entries.find((entry) => entry.action === action)?.detail;
    const at = (days: number) => new Date(Date.parse(since) + days * DAY_MS).toISOString();
    expect(detailOf('key.changed')).toEqual({ comment: { from: 'Old words', to: 'New words' } });
    expect(detailOf('key.regenerated')).toMatchObject({
      generation: 2,
      expiresAt: { from: at(90), to: at(91) },
    });
    expect(detailOf('key.deleted')).toEqual({ access: 'account' });
    expect(detailOf('account.changed')).toEqual({ displayName: { from: 'Changing', to: 'Changed' } });
    expect(detailOf('account.deleted')).toEqual({
      role: null,
      grants: [{ actions: ['package:*'], resources: ['*'] }],
    });
  });
});

describe('the names of actions', () => {
  it('are told to whoever may read the log', async () => {
    const answer = await get('/actions');
    const { actions } = answer.json<{ actions: string[] }>();
    expect(actions).toEqual(actions.toSorted());
    expect(actions).toContain('audit.exported');
    const stranger = await harness.app.inject({ url: '/v1/audit/actions' });
    expect(stranger.statusCode).toBe(401);
  });
});
