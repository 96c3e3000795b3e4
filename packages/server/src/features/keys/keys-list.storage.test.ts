import { hash } from 'node:crypto';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../../http/index.ts';
import type { KeyQuery } from './key-list.ts';

const DAY_MS = 86_400_000;
/** How many keys the accounts have that the member manages; others have as many keys among them. */
const KEYS_OF = { crowded: 40, busy: 12, lonely: 1, idle: 0, foreign: 25 };

describe('the keys of several accounts in one list', () => {
  let harness: Harness;
  let admin: Caller;
  let member: Caller;
  const managed = new Set<string>();
  let crowdedId: string;

  beforeAll(async () => {
    harness = await startHarness();
    const { accounts, keys } = harness.deps;
    const boss = await harness.createAccount({
      kind: 'user',
      role: 'admin',
      email: 'ada@example.com',
      displayName: 'Ada',
    });
    const person = await harness.createAccount({
      kind: 'user',
      email: 'ben@example.com',
      displayName: 'Ben',
    });
    admin = await harness.callerOf(boss);
    const ids: string[] = [];
    for (const [technicalName, count] of Object.entries(KEYS_OF)) {
      const isManaged = technicalName !== 'foreign';
      const { account } = await accounts.create(admin, {
        kind: 'service',
        technicalName,
        displayName: technicalName,
        managers: isManaged ? [person.id] : [],
      });
      const { id } = account;
      if (isManaged) managed.add(id);
      if (technicalName === 'crowded') crowdedId = id;
      ids.push(...Array.from({ length: count }, () => id));
    }
    member = await harness.callerOf(person);
    for (const [index, id] of ids.entries()) {
      // Some of the same moment, so that ids decide; the accounts take turns, but not evenly.
      if (index % 3 === 0) harness.clock.advance((index * 7_919) % 100_000);
      const at = ids[(index * 37) % ids.length] ?? id;
      const { key } = await keys.create(admin, at, {
        comment: index % 5 === 0 ? `laptop ${index}` : `server ${index}`,
        access: 'account',
        lifetimeDays: [1, 90, 90, 180, 365][index % 5] ?? 90,
      });
      if (index % 7 === 0) await keys.disable(admin, key.id, null);
    }
    const endless = [1, 2, 3].map((n) => ({
      account: 'crowded',
      comment: `laptop without end ${n}`,
      access: 'full' as const,
      expiresAt: null,
      sha256: hash('sha256', `foreign ${n}`),
    }));
    await harness.deps.keyImporter.importKeys(admin, endless, false);
    harness.clock.advance(88 * DAY_MS);
  });
  afterAll(() => harness.close());

  async function listAll(caller: Caller, query: KeyQuery, limit: number): Promise<[string, string][]> {
    const seen: [string, string][] = [];
    let cursor: string | undefined;
    do {
      const page = await harness.deps.keyLister.list(caller, query, { limit, cursor });
      seen.push(...page.items.map(({ key }): [string, string] => [key.id, key.accountId]));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return seen;
  }

  const filters: KeyQuery[] = [
    {},
    ...(['active', 'expiring', 'expired', 'disabled', 'working'] as const).map((status) => ({ status })),
    { q: 'laptop' },
    { lifetimeOverDays: 100 },
    { neverUsed: true },
    { q: 'quokka' },
  ];
  const queries = filters.flatMap((filter) =>
    (['createdAt', 'expiresAt'] as const).map((sort) => ({ ...filter, sort })),
  );

  it.each(queries)('is in the order of the list of all keys, each once: %j', async (query) => {
    const expected = (await listAll(admin, query, 200)).filter(([, accountId]) => managed.has(accountId));
    for (const limit of [1, 7, 200]) expect(await listAll(member, query, limit)).toEqual(expected);
    const ofOne = expected.filter(([, accountId]) => accountId === crowdedId);
    expect(await listAll(member, { ...query, accountId: crowdedId }, 7)).toEqual(ofOne);
    if (query.q !== 'quokka') expect(ofOne).not.toEqual([]);
  });

  it('has full pages while there are more, and says so', async () => {
    const page = await harness.deps.keyLister.list(member, {}, { limit: 50 });
    expect([page.items.length, page.nextCursor === null]).toEqual([50, false]);
    const all = await harness.deps.keyLister.list(member, {}, { limit: 56 });
    expect([all.items.length, all.nextCursor]).toEqual([56, null]);
  });

  it('is empty for the account of somebody else', async () => {
    const [other] = (await listAll(admin, {}, 200)).find(([, accountId]) => !managed.has(accountId)) ?? [];
    const { accountId } = await harness.deps.keys.get(admin, other ?? '');
    expect(await listAll(member, { accountId }, 50)).toEqual([]);
  });
});
