import type { Account } from '@keyreeve/server';
import { type Company, call, type Harness, readAllPages, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, toIso } from '../../lib/clock.ts';
import { encodeCursor } from '../../lib/page.ts';
import { Secret } from '../../lib/secret.ts';

const PASSWORD = 'velvet ladder orbit';

interface Item {
  id: string;
  displayName: string;
  email?: string;
  state: string;
  lastSeenAt: string | null;
  createdAt: string;
  keys: {
    total: number;
    expiring: number;
    expired: number;
    nextExpiresAt: string | null;
    lastUsedAt: string | null;
  } | null;
}
interface Page {
  items: Item[];
  nextCursor: string | null;
}

let harness: Harness;
let company: Company;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());

const get = (url: string, headers: Record<string, string> = {}) =>
  call(harness, 'GET', url, 'cookie' in headers ? { headers } : { key: company.adminKey, headers });

async function list(query: string, path = '/v1/users'): Promise<Item[]> {
  const answer = await get(`${path}?${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Page>().items;
}

/** All pages, one after the other. */
const readAll = (query: string, limit: number): Promise<Item[]> =>
  readAllPages<Item>((url) => get(url), `/v1/users?${query}&limit=${limit}`);

async function mint(account: Account, lifetimeDays: number) {
  return await harness.deps.keys.create(company.adminCaller, account.id, {
    comment: 'CI',
    access: 'account',
    lifetimeDays,
  });
}

async function signIn(email: string): Promise<Record<string, string>> {
  const answer = await harness.app.inject({
    method: 'POST',
    url: '/v1/session',
    payload: { email, password: PASSWORD },
  });
  return { cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '' };
}

describe('the order of a list', () => {
  const NAMES = ['alpha', 'Bravo', 'bravo', 'BRAVO', 'Bravo', 'Élan', 'charlie', 'éclair', '青木', '😀'];
  const TOTAL = 40;

  beforeAll(async () => {
    for (let index = 0; index < TOTAL; index += 1) {
      // Several were created at the same moment, and several have never been seen.
      if (index % 3 === 0) harness.clock.advance(1_000);
      const account = await harness.createAccount({
        kind: 'user',
        email: `sorted${(index * 17) % TOTAL}@example.com`,
        displayName: NAMES[index % NAMES.length] ?? '',
      });
      if (index % 4 !== 0) {
        await harness.deps.storage.write
          .updateTable('accounts')
          .set({ last_seen_at: harness.clock.now() + (index % 5) * 1_000 })
          .where('id', '=', account.id)
          .execute();
      }
    }
  });

  // Bytes, as the database compares them, after A to Z have been lowered; and what was never seen comes first.
  const VALUES: Record<string, (item: Item) => string> = {
    name: (item) =>
      Buffer.from(item.displayName.replace(/[A-Z]/g, (letter) => letter.toLowerCase())).toString('hex'),
    login: (item) => item.email ?? '',
    lastSeenAt: (item) => item.lastSeenAt ?? '',
    createdAt: (item) => item.createdAt,
  };

  it.each(Object.keys(VALUES).flatMap((sort) => [7, 200].map((limit) => [sort, limit] as const)))(
    'by %s shows each account once, in pages of %i, and backwards the same',
    async (sort, limit) => {
      const valueOf = VALUES[sort] ?? String;
      const up = await readAll(`q=sorted&sort=${sort}&order=asc`, limit);
      expect(up).toHaveLength(TOTAL);
      expect(new Set(up.map((item) => item.id)).size).toBe(TOTAL);
      const values = up.map(valueOf);
      expect(values).toEqual(values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      const down = await readAll(`q=sorted&sort=${sort}&order=desc`, limit);
      expect(down.map((item) => item.id)).toEqual(up.map((item) => item.id).toReversed());
    },
  );

  it('is that of the logins, upwards, when nothing is asked for', async () => {
    const ids = async (query: string) => (await list(query)).map((item) => item.id);
    expect(await ids('limit=200')).toEqual(await ids('limit=200&sort=login&order=asc'));
    expect(await ids('limit=200&sort=name')).toEqual(await ids('limit=200&sort=name&order=asc'));
  });

  it('takes names of the greatest length over the end of a page', async () => {
    const displayName = '長'.repeat(256);
    for (const email of ['long1@example.com', 'long2@example.com'])
      await harness.createAccount({ kind: 'user', email, displayName });
    const items = await readAll('q=long&sort=name', 1);
    expect(items.map((item) => item.displayName)).toEqual([displayName, displayName]);
  });

  it('refuses a cursor of another order, and one that nobody was given', async () => {
    const first = await get('/v1/users?sort=name&limit=1');
    const cursor = first.json<Page>().nextCursor ?? '';
    const foreign = [
      `sort=login&cursor=${cursor}`,
      `sort=name&order=desc&cursor=${cursor}`,
      `sort=createdAt&cursor=${cursor}`,
      `cursor=${cursor}`,
      `sort=name&cursor=${encodeCursor(['name asc', 'x'])}`,
      `sort=name&cursor=${encodeCursor(['name asc', 1, 'x'])}`,
      `sort=lastSeenAt&cursor=${encodeCursor(['lastSeenAt asc', 'x', 'x'])}`,
      `cursor=${encodeCursor(['ada@example.com'])}`,
    ];
    for (const query of foreign) {
      const answer = await get(`/v1/users?${query}`);
      expect(answer.json(), query).toMatchObject({ code: 'request.invalid', errors: [{ field: 'cursor' }] });
    }
    expect((await get(`/v1/users?sort=name&cursor=${cursor}`)).statusCode).toBe(200);
  });

  it.each(['sort=email', 'sort=name&order=up', 'state=dead', 'attention=maybe', 'sort=name&sort=login'])(
    'refuses %s',
    async (query) => expect((await get(`/v1/users?${query}`)).statusCode).toBe(400),
  );
});

describe('the keys of an account in numbers', () => {
  let account: Account;
  let count = 0;
  beforeEach(async () => {
    count += 1;
    account = await harness.createAccount({
      kind: 'service',
      technicalName: `counted-${count}`,
      displayName: 'Counted',
    });
  });
  const keysOf = async () =>
    (await list(`q=counted-${count}&limit=200`, '/v1/service-accounts')).find(({ id }) => id === account.id)
      ?.keys;

  it('are none for a new account, in the answer to its creation too', async () => {
    const nothing = { total: 0, expiring: 0, expired: 0, nextExpiresAt: null, lastUsedAt: null };
    expect(await keysOf()).toEqual(nothing);
    const answer = await call(harness, 'POST', '/v1/service-accounts', {
      key: company.adminKey,
      body: { technicalName: `made-${count}`, displayName: 'Made' },
    });
    expect(answer.json<Item>().keys).toEqual(nothing);
  });

  it('tell what works, what is about to stop and what has stopped, as the keys themselves do', async () => {
    await mint(account, 1);
    await mint(account, 90);
    const disabled = await mint(account, 1);
    await harness.deps.keys.disable(company.adminCaller, disabled.key.id, null);
    const soon = toIso(harness.clock.now() + DAY_MS);
    const late = toIso(harness.clock.now() + 90 * DAY_MS);
    const working = { total: 3, expiring: 1, expired: 0, nextExpiresAt: soon, lastUsedAt: null };
    expect(await keysOf()).toEqual(working);
    harness.clock.advance(DAY_MS);
    const stopped = { total: 3, expiring: 0, expired: 1, nextExpiresAt: late, lastUsedAt: null };
    expect(await keysOf()).toEqual(stopped);
    expect((await get(`/v1/service-accounts/${account.id}`)).json<Item>().keys).toEqual(stopped);
  });

  it('tell when one of them was last used, however many there are, and not of other accounts', async () => {
    const other = await mint(company.member, 90);
    const { id: workspace_id } = harness.deps.defaultWorkspace;
    const used: string[] = [];
    for (let index = 0; index < 3; index += 1) used.push((await mint(account, 90)).key.id);
    const template = await harness.deps.storage.read
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', used[0] ?? '')
      .executeTakeFirstOrThrow();
    const more = Array.from({ length: 600 }, (_, index) => ({
      ...template,
      id: `kr_used${String(index).padStart(4, '0')}`,
    }));
    await harness.deps.storage.write.transaction().execute(async (tx) => {
      for (let from = 0; from < more.length; from += 20)
        await tx
          .insertInto('api_keys')
          .values(more.slice(from, from + 20))
          .execute();
    });
    const record = (keyId: string, outcome: 'valid' | 'expired') =>
      harness.deps.usage.record({
        workspaceId: workspace_id,
        keyId,
        action: null,
        outcome,
        ip: null,
        userAgent: null,
      });
    expect((await keysOf())?.lastUsedAt).toBeNull();
    const at = toIso(harness.clock.now());
    record(more.at(-1)?.id ?? '', 'valid');
    expect((await keysOf())?.lastUsedAt).toBe(at);
    await harness.deps.usage.flush();
    harness.clock.advance(DAY_MS);
    record(used[0] ?? '', 'expired');
    record(other.key.id, 'valid');
    expect((await keysOf())?.lastUsedAt).toBe(at);
    const later = toIso(harness.clock.now());
    record(used[1] ?? '', 'valid');
    expect((await keysOf())?.lastUsedAt).toBe(later);
    expect((await get(`/v1/service-accounts/${account.id}`)).json<Item>().keys?.lastUsedAt).toBe(later);
  });

  it('follow the notice days of the workspace', async () => {
    await mint(account, 90);
    expect((await keysOf())?.expiring).toBe(0);
    const patch = (expiryNoticeDays: number[]) =>
      harness.deps.settings.update(company.adminCaller, { expiryNoticeDays }, null);
    await patch([3, 90]);
    expect((await keysOf())?.expiring).toBe(1);
    await patch([10]);
  });
});

describe('a user', () => {
  it('tells when his password was changed', async () => {
    const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
    const user = await harness.createAccount({
      kind: 'user',
      email: 'changed@example.com',
      displayName: 'Changed',
      passwordHash,
    });
    const at = harness.clock.now();
    harness.clock.advance(DAY_MS);
    expect((await get(`/v1/users/${user.id}`)).json()).toMatchObject({ passwordChangedAt: toIso(at) });
    expect((await get(`/v1/users/${company.admin.id}`)).json()).toMatchObject({ passwordChangedAt: null });
  });
});

describe('what a list is narrowed to', () => {
  let manager: Record<string, string>;
  let managed: Account;

  beforeAll(async () => {
    const passwordHash = await harness.deps.passwords.hash(new Secret(PASSWORD), []);
    const user = (name: string, more: object = {}) =>
      harness.createAccount({ kind: 'user', email: `${name}@narrow.example`, displayName: name, ...more });
    const boss = await user('manager', { passwordHash });
    managed = await harness.createAccount({
      kind: 'service',
      technicalName: 'narrow-managed',
      displayName: 'Managed',
      managers: [boss.id],
    });
    await harness.createAccount({ kind: 'service', technicalName: 'narrow-other', displayName: 'Other' });
    const [expired, expiring, disabled, fresh, off] = [
      await user('expired'),
      await user('expiring'),
      await user('disabled'),
      await user('fresh'),
      await user('off'),
    ];
    await mint(expired, 1);
    await mint(managed, 1);
    harness.clock.advance(DAY_MS);
    await mint(expiring, 1);
    await mint(fresh, 90);
    const { key } = await mint(disabled, 1);
    await harness.deps.keys.disable(company.adminCaller, key.id, null);
    await mint(off, 1);
    await harness.deps.accounts.update(company.adminCaller, 'user', off.id, { state: 'disabled' }, null);
    manager = await signIn('manager@narrow.example');
  });

  const names = async (query: string) =>
    (await list(`q=narrow.example&sort=name&${query}`)).map((item) => item.displayName);

  it('are accounts of one state', async () => {
    expect(await names('state=disabled')).toEqual(['off']);
    expect(await names('state=active')).toEqual(['disabled', 'expired', 'expiring', 'fresh', 'manager']);
  });

  it('are accounts with an enabled key that has expired or is about to', async () => {
    expect(await names('attention=true')).toEqual(['expired', 'expiring', 'off']);
    expect(await names('attention=true&state=active')).toEqual(['expired', 'expiring']);
    expect(await names('attention=false')).toHaveLength(6);
    const items = await readAll('q=narrow.example&attention=true&sort=createdAt&order=desc', 1);
    expect(items.map((item) => item.displayName).toSorted()).toEqual(['expired', 'expiring', 'off']);
  });

  it('is counted by state and need', async () => {
    expect((await get('/v1/users/summary?q=NARROW.example')).json()).toEqual({
      all: 6,
      active: 5,
      disabled: 1,
      attention: 3,
    });
    expect((await get('/v1/users/summary?q=nobody-has-this-name')).json()).toEqual({
      all: 0,
      active: 0,
      disabled: 0,
      attention: 0,
    });
    const users = await readAll('', 200);
    expect((await get('/v1/users/summary')).json()).toMatchObject({ all: users.length });
  });

  it('is for members only what they may see, also where it is only counted', async () => {
    const shown = await get('/v1/service-accounts?attention=true&sort=name', manager);
    expect(shown.json<Page>().items.map((item) => item.id)).toEqual([managed.id]);
    const one = { all: 1, active: 1, disabled: 0, attention: 1 };
    expect((await get('/v1/service-accounts/summary', manager)).json()).toEqual(one);
    expect((await get('/v1/service-accounts/summary?q=other', manager)).json()).toMatchObject({ all: 0 });
    expect((await get('/v1/users/summary', manager)).json()).toEqual({ ...one, attention: 0 });
  });

  it('tells a key of the keys of those accounts alone whose keys it may read', async () => {
    const [expired] = await list('q=narrow.example&attention=true&sort=name');
    const keyWith = async (...keysOf: string[]) => {
      const reading = keysOf.map((id) => ({ actions: ['iam:keys:read'], resources: [id] }));
      const { fullKey } = await harness.deps.keys.create(company.adminCaller, company.admin.id, {
        comment: 'Reader',
        access: 'scoped',
        scopes: [{ actions: ['iam:accounts:read'], resources: ['*'] }, ...reading],
      });
      return fullKey.reveal();
    };
    const ask = async (key: string, url: string) =>
      (await call(harness, 'GET', url, { key })).json<unknown>();
    const told = async (key: string) => {
      const { items } = (await ask(key, '/v1/users?q=narrow.example&sort=name')) as Page;
      return items.flatMap((item) => (item.keys === null ? [] : [[item.displayName, item.keys.expired]]));
    };
    const noKeys = await keyWith();
    expect(await told(noKeys)).toEqual([]);
    expect(await ask(noKeys, `/v1/users/${expired?.id}`)).toMatchObject({
      displayName: 'expired',
      keys: null,
    });
    expect(await ask(noKeys, '/v1/users?attention=true')).toEqual({ items: [], nextCursor: null });
    expect(await ask(noKeys, '/v1/users/summary?q=narrow.example')).toMatchObject({ all: 6, attention: 0 });
    const someKeys = await keyWith(expired?.id ?? '');
    expect(await told(someKeys)).toEqual([['expired', 1]]);
    expect(await ask(someKeys, '/v1/users/summary?q=narrow.example')).toMatchObject({ all: 6, attention: 1 });
  });

  it('does not reach into another workspace', async () => {
    const { workspace } = await harness.deps.workspaces.create(company.adminCaller, {
      name: 'Second',
      subdomain: 'second',
      aliases: [],
    });
    const caller = { ...company.adminCaller, workspace };
    const summary = await harness.deps.accounts.summarize(caller, 'user', undefined);
    expect(summary).toEqual({ all: 0, active: 0, disabled: 0, attention: 0 });
  });
});

describe('counting', () => {
  it('goes on over the end of a stretch', async () => {
    const before = (await get('/v1/service-accounts/summary')).json<{ all: number }>().all;
    const { storage } = harness.deps;
    const row = await storage.read
      .selectFrom('accounts')
      .selectAll()
      .where('id', '=', company.robot.id)
      .executeTakeFirstOrThrow();
    const rows = Array.from({ length: 2_500 }, (_, index) => ({
      ...row,
      id: `acc_many${index}`,
      technical_name: `many-${index}`,
      login_lower: `many-${index}`,
      state: index % 5 === 0 ? 'disabled' : 'active',
    }));
    for (let from = 0; from < rows.length; from += 250)
      await storage.write
        .insertInto('accounts')
        .values(rows.slice(from, from + 250))
        .execute();
    expect((await get('/v1/service-accounts/summary?q=many-')).json()).toEqual({
      all: 2_500,
      active: 2_000,
      disabled: 500,
      attention: 0,
    });
    expect((await get('/v1/service-accounts/summary')).json()).toMatchObject({ all: before + 2_500 });
  });

  it.each(['login', 'name', 'lastSeenAt', 'createdAt'])(
    'by %s, a list finds what is rare among many, in both directions, and each once',
    async (sort) => {
      const { storage } = harness.deps;
      await storage.write
        .updateTable('accounts')
        .set({ display_name: 'Rare' })
        .where('id', 'in', ['acc_many3', 'acc_many1203', 'acc_many2499'])
        .execute();
      for (const order of ['asc', 'desc']) {
        const found = await list(`q=rare&sort=${sort}&order=${order}`, '/v1/service-accounts');
        expect(found.map((item) => item.id).toSorted()).toEqual([
          'acc_many1203',
          'acc_many2499',
          'acc_many3',
        ]);
        const query = `q=many-&state=disabled&sort=${sort}&order=${order}&limit=150`;
        const many = await readAllPages<Item>((url) => get(url), `/v1/service-accounts?${query}`);
        expect([many.length, new Set(many.map((item) => item.id)).size]).toEqual([500, 500]);
      }
    },
  );
});
