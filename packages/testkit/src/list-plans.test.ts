import path from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Account, Caller } from '@keyreeve/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './harness.ts';

// SQLite has no statistics of our tables, so it finds the same way through ten rows as through ten million.

/** Tables with a row for each key or account, for each of their uses, or for whatever happens to them. */
const LARGE_TABLES = [
  'api_keys',
  'accounts',
  'account_managers',
  'audit',
  'attempts',
  'ended_tokens',
  'key_days',
  'key_expiry_notices',
  'key_first_refusals',
  'key_hours',
  'key_last_refusals',
  'key_last_uses',
  'one_time_links',
  'outbox',
  'refusals',
  'sessions',
];

let harness: Harness;
let admin: Caller;
let member: Caller;
let person: Account;
let database: DatabaseSync;
let usage: DatabaseSync;
const asked = new Set<string>();
const originals = new Map<string, unknown>();

beforeAll(async () => {
  harness = await startHarness();
  const { dataDir } = harness.database;
  database = new DatabaseSync(path.join(dataDir, 'keyreeve.db'), { readOnly: true });
  usage = new DatabaseSync(path.join(dataDir, 'usage.db'), { readOnly: true });
  const boss = await harness.createAccount({
    kind: 'user',
    role: 'admin',
    email: 'ada@example.com',
    displayName: 'Ada',
  });
  person = await harness.createAccount({ kind: 'user', email: 'ben@example.com', displayName: 'Ben' });
  admin = await harness.callerOf(boss);
  await harness.deps.accounts.create(admin, {
    kind: 'service',
    technicalName: 'robot',
    displayName: 'Robot',
    managers: [person.id],
  });
  member = await harness.callerOf(person);
  for (let count = 0; count < 3; count += 1)
    await harness.deps.keys.create(admin, person.id, { comment: `key ${count}`, access: 'account' });
  for (const name of ['all', 'get', 'run'] as const) watch(name);
});

afterAll(async () => {
  for (const [name, value] of originals) Object.defineProperty(StatementSync.prototype, name, { value });
  database.close();
  usage.close();
  await harness.close();
});

function watch(name: 'all' | 'get' | 'run'): void {
  const original = Reflect.get(StatementSync.prototype, name) as (...values: unknown[]) => unknown;
  originals.set(name, original);
  Object.defineProperty(StatementSync.prototype, name, {
    value(this: StatementSync, ...values: unknown[]) {
      asked.add(this.sourceSQL);
      return original.apply(this, values);
    },
  });
}

/** What is wrong with the ways that SQLite took through large tables while `work` ran, and how many statements there were. */
async function findSlowWays(work: () => Promise<unknown>): Promise<{ faults: string[]; count: number }> {
  asked.clear();
  await work();
  const statements = [...asked].filter((sql) => /^\s*(select|with|update|delete)/i.test(sql));
  return { faults: statements.flatMap(findFaults), count: statements.length };
}

function findFaults(sql: string): string[] {
  const steps = explain(sql);
  const own = steps.flatMap((step) => /^(?:CO-ROUTINE|MATERIALIZE) (\S+)/.exec(step)?.[1] ?? []);
  const isSorted = steps.some((step) => step.includes('TEMP B-TREE FOR ORDER BY'));
  return steps.flatMap((step) => {
    const [, verb, table = ''] = /^(SCAN|SEARCH) (\S+)/.exec(step) ?? [];
    if (verb === undefined || !LARGE_TABLES.includes(table) || own.includes(table)) return [];
    if (verb === 'SCAN') return [`${step}: ${sql}`];
    // Whoever names ids must find the rows by them, and not by going through the workspace for them.
    const named = /"(id|account_id|owner_id|key_id)" in \((?!select)/.exec(sql)?.[1];
    const isFirst = /from "(\w+)"/.exec(sql)?.[1] === table;
    if (isFirst && named !== undefined && !step.includes(`${named}=?`))
      return [`${step}, not by ${named}: ${sql}`];
    // A whole workspace, sorted before the first row of the page is known.
    return isSorted && step.endsWith('(workspace_id=?)') ? [`${step}, sorted: ${sql}`] : [];
  });
}

function explain(sql: string): string[] {
  for (const each of [database, usage]) {
    try {
      return each
        .prepare(`explain query plan ${sql}`)
        .all()
        .map((row) => String(row['detail']));
    } catch {
      // A table of the other store.
    }
  }
  throw new Error(`Neither store explains: ${sql}`);
}

const page = { limit: 50 };

describe('no page of a list reads a whole table', () => {
  const statuses = ['active', 'expiring', 'expired', 'disabled', 'working'] as const;
  const filters = [
    {},
    ...statuses.map((status) => ({ status })),
    { expiresBefore: 2e12 },
    { lifetimeOverDays: 400 },
    { unusedSince: 2e12 },
    { neverUsed: true },
    { stillCalledSince: 1 },
    { q: 'key' },
    { q: 'kr_0000' },
    { hasActiveAccount: true },
  ];
  const queries = filters.flatMap((filter) =>
    (['createdAt', 'expiresAt'] as const).map((sort) => ({ ...filter, sort })),
  );

  it.each(queries)('of keys by %j, nor the next page', async (query) => {
    const { keyLister } = harness.deps;
    for (const caller of [admin, member]) {
      const { faults, count } = await findSlowWays(async () => {
        const first = await keyLister.list(caller, query, { limit: 1 });
        const cursor = first.nextCursor ?? undefined;
        await keyLister.list(caller, query, { limit: 1, cursor });
        await keyLister.list(caller, { ...query, accountId: person.id }, page);
      });
      expect(faults).toEqual([]);
      expect(count).toBeGreaterThan(0);
    }
  });

  it('of the keys of one account, which are found in the order of their creation and not sorted', async () => {
    const { keyLister, overview } = harness.deps;
    const robot = await harness.createAccount({
      kind: 'service',
      technicalName: 'lonely',
      displayName: 'Lonely',
    });
    await findSlowWays(async () => {
      const first = await keyLister.list(admin, { accountId: person.id }, { limit: 1 });
      await keyLister.list(
        admin,
        { accountId: person.id },
        { limit: 1, cursor: first.nextCursor ?? undefined },
      );
      await overview.read(await harness.callerOf(robot), 168);
    });
    const ways = [...asked]
      .filter(
        (sql) => /^select .* from "api_keys".* order by .*created_at/.test(sql) && sql.includes('account_id'),
      )
      .map((sql) => explain(sql).join('; '));
    expect(ways.length).toBeGreaterThan(1);
    for (const way of ways) {
      expect(way).toContain('api_keys_by_account (workspace_id=? AND account_id=?');
      expect(way).not.toContain('TEMP B-TREE');
    }
  });

  it('of the keys of several accounts, each looked up up to where the first of them has no more to give', async () => {
    const { accounts, keys, keyLister, overview } = harness.deps;
    const [robotId = ''] = await accounts.listManagedIds(
      harness.deps.storage.read,
      person.workspaceId,
      person.id,
    );
    for (const id of [person.id, robotId])
      for (let count = 0; count < 8; count += 1)
        await keys.create(admin, id, { comment: `one of many ${count}`, access: 'account' });
    const { faults } = await findSlowWays(async () => {
      for (const query of queries) {
        const first = await keyLister.list(member, query, { limit: 1 });
        await keyLister.list(member, query, { limit: 1, cursor: first.nextCursor ?? undefined });
      }
      await overview.read(member, 168);
    });
    expect(faults).toEqual([]);
    const merged = [...asked].filter((sql) => /^select .* cross join "api_keys" /s.test(sql));
    const ways = merged.map((sql) => explain(sql).find((step) => step.includes('api_keys')) ?? '');
    for (const [index, sql] of merged.entries()) {
      // Without a bound all lists are short, and any index of accounts will do.
      const isBounded = /created_at [<>]=/.test(sql);
      expect(ways[index]).toMatch(
        sql.includes('of_state"') || !isBounded
          ? /api_keys_by_account\w* /
          : /api_keys_by_account \(.*created_at[<>]/,
      );
    }
    // Pages in both orders that begin at a place and end at one.
    for (const bounds of ['created_at>? AND created_at<?', '<expr>>? AND <expr><?'])
      expect(ways.some((way) => way.includes(bounds))).toBe(true);
  });

  it('of accounts, in every order, with every filter', async () => {
    const { accounts } = harness.deps;
    const { faults } = await findSlowWays(async () => {
      for (const sort of ['login', 'name', 'lastSeenAt', 'createdAt'] as const)
        for (const more of [{}, { q: 'a' }, { state: 'disabled' }, { attention: true }] as const) {
          const first = await accounts.list(admin, 'user', { limit: 1, sort, ...more });
          await accounts.list(admin, 'user', {
            limit: 1,
            sort,
            ...more,
            cursor: first.nextCursor ?? undefined,
          });
        }
      await accounts.summarize(admin, 'user', undefined);
      await accounts.countActiveAdmins(harness.deps.storage.read, person.workspaceId);
    });
    expect(faults).toEqual([]);
  });

  it('of the audit log', async () => {
    const { audit } = harness.deps;
    const { faults } = await findSlowWays(async () => {
      for (const filter of [
        {},
        { accountId: person.id },
        { keyId: 'kr_0' },
        { actorId: person.id },
        { action: 'key.created' },
        { action: 'key.' },
        { outcome: 'refused' },
        { q: 'ada' },
        { since: 1, until: 2e12 },
      ] as const) {
        const first = await audit.list(admin, filter, { limit: 1 });
        await audit.list(admin, filter, { limit: 1, cursor: first.nextCursor ?? undefined });
      }
    });
    expect(faults).toEqual([]);
  });

  it('neither does the overview, nor what a key belongs to', async () => {
    const { overview, keys } = harness.deps;
    const { faults } = await findSlowWays(async () => {
      for (const caller of [admin, member]) await overview.read(caller, 168);
      const { key } = await keys.create(admin, person.id, { comment: 'short', access: 'account' });
      await keys.remove(admin, key.id);
    });
    expect(faults).toEqual([]);
  });
});

describe('no sweep reads a whole table', () => {
  it('of those that run on their own', async () => {
    const { expirySweep, refusalNotices, tokens, sessions, audit, passwordLinks, keyDelivery } = harness.deps;
    const { faults } = await findSlowWays(async () => {
      await expirySweep.run();
      await refusalNotices.run();
      await tokens.sweep();
      await sessions.sweep();
      await audit.sweep();
      await passwordLinks.sweep();
      await keyDelivery.sweep();
    });
    expect(faults).toEqual([]);
  });

  it('and none is read when the server starts', async () => {
    const { faults } = await findSlowWays(async () => {
      const second = await startHarness({ database: harness.database, masterKey: harness.masterKey });
      await second.app.close();
      await second.deps.close();
    });
    expect(faults).toEqual([]);
  });
});
