import { createTestClock, createTestDatabase, type TestDatabase } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import type { KeyLimits, Quota } from '../../lib/key-limits.ts';
import { Secret } from '../../lib/secret.ts';
import { migrateStorage, openStorage, type Storage } from '../../storage/index.ts';
import { createLimitsService, type LimitAnswer, type LimitsService } from './limits.service.ts';
import { MemoryRateCounter } from './rate-counter.ts';

const clock = createTestClock();
const workspaceId = 'wsp_test';
let database: TestDatabase;
/** Two processes over one database. */
const storages: Storage[] = [];
let here: LimitsService;
let there: LimitsService;
let keys = 0;

beforeAll(async () => {
  database = await createTestDatabase({ isMigrated: true });
  const { dataDir, url } = database;
  const open = async (): Promise<LimitsService> => {
    const storage = openStorage(
      {
        dataDir,
        database: url === null ? { engine: 'sqlite' } : { engine: 'postgres', url: new Secret(url) },
      },
      { error: () => {}, warn: () => {}, info: () => {} },
    );
    storages.push(storage);
    await migrateStorage(storage);
    return createLimitsService({ storage, clock, rateCounter: new MemoryRateCounter(clock) });
  };
  here = await open();
  there = await open();
});
afterAll(async () => {
  for (const storage of storages) await storage.close();
  await database.drop();
});

interface TestKey {
  use(service?: LimitsService): Promise<LimitAnswer>;
  useMany(times: number, services?: readonly LimitsService[]): Promise<number>;
  remaining(): Promise<readonly number[]>;
}

/** A key of its own. What is set later, changes it. */
function testKey(limits: { own?: Quota | null; ofAccount?: Quota | null }): TestKey {
  keys += 1;
  const id = `kr_${keys}`;
  const toLimits = (quota: Quota | null | undefined): KeyLimits | null =>
    quota == null ? null : { rate: null, quota };
  const used = () => ({
    key: { id, limits: toLimits(limits.own) },
    account: { workspaceId, keyLimits: toLimits(limits.ofAccount) },
  });
  const use = (service: LimitsService = here) => service.count(used(), true);
  return {
    use,
    useMany: async (times, services = [here]) => {
      const answers = await Promise.all(
        Array.from({ length: times }, (_none, index) => use(services[index % services.length])),
      );
      return answers.filter(({ code }) => code === 'within').length;
    },
    remaining: async () => {
      const { key, account } = used();
      const found = await there.listAllowances(workspaceId, [
        { id, own: key.limits, ofAccount: account.keyLimits },
      ]);
      return (found.get(id)?.quotas ?? []).map(({ remaining }) => remaining);
    },
  };
}

const once = (uses: number): Quota => ({ uses, refill: null });

describe('a quota', () => {
  it('gives 500 callers at once exactly its 100 uses', async () => {
    const key = testKey({ own: once(100) });
    expect(await key.useMany(500)).toBe(100);
    expect(await key.remaining()).toEqual([0]);
    expect(await key.useMany(10)).toBe(0);
  });

  it('gives them exactly 100 through two processes as well', async () => {
    const key = testKey({ own: once(100) });
    expect(await key.useMany(500, [here, there])).toBe(100);
  });

  it('of one key is not touched by the uses of others', async () => {
    const many = Array.from({ length: 150 }, () => testKey({ own: once(2) }));
    const given = await Promise.all(many.map((key) => key.useMany(3, [here, there])));
    expect(given).toEqual(many.map(() => 2));
  });

  it('is taken in the order in which the keys were used, so that none waits for ever', async () => {
    const done: string[] = [];
    const use = async (id: string): Promise<void> => {
      const key = { id, limits: { rate: null, quota: once(1) } };
      await here.count({ key, account: { workspaceId, keyLimits: null } }, true);
      done.push(id);
    };
    const others = Array.from({ length: 150 }, (_none, index) => `kr_order_a${index}`);
    await Promise.all(['kr_order_z', ...others].map(use));
    expect(done.indexOf('kr_order_z')).toBeLessThan(100);
  });

  it('tells each caller what is left after its own use', async () => {
    const key = testKey({ own: once(3) });
    const answers = await Promise.all([key.use(), key.use(), key.use(), key.use()]);
    expect(answers.map(({ states }) => states[0]?.remaining)).toEqual([2, 1, 0, 0]);
    expect(answers.map(({ code }) => code)).toEqual(['within', 'within', 'within', 'quota_exceeded']);
    expect(answers[3]).toMatchObject({ retryAfterSeconds: null, spent: { name: 'key-quota', limit: 3 } });
  });

  it('that is made smaller or greater counts what was used before', async () => {
    const limits = { own: once(10) };
    const key = testKey(limits);
    expect(await key.useMany(6)).toBe(6);
    limits.own = once(5);
    expect(await key.useMany(1)).toBe(0);
    limits.own = once(8);
    expect(await key.useMany(5)).toBe(2);
  });

  it('counts no request that is refused for another reason', async () => {
    keys += 1;
    const used = {
      key: { id: `kr_${keys}`, limits: { rate: null, quota: once(1) } },
      account: { workspaceId, keyLimits: null },
    };
    expect(await here.count(used, false)).toMatchObject({ code: 'within', states: [] });
    expect(await here.count(used, true)).toMatchObject({ code: 'within' });
    expect(await here.count(used, false)).toMatchObject({ code: 'within' });
    expect(await here.look(used)).toMatchObject({ code: 'quota_exceeded' });
  });
});

describe('a key with a quota of its own in an account with one', () => {
  it.each([
    [3, 5],
    [5, 3],
  ])('is held by the smaller: %i and %i', async (own, ofAccount) => {
    const key = testKey({ own: once(own), ofAccount: once(ofAccount) });
    expect(await key.useMany(9, [here, there])).toBe(3);
    // Nothing was taken from the greater one for those that the smaller one refused.
    expect(await key.remaining()).toEqual([own - 3, ofAccount - 3]);
  });
});

describe('a refill', () => {
  it('comes with the next hour, day or month in UTC, not a certain time after a use', async () => {
    for (const [every, before, after] of [
      ['hour', '2027-02-28T10:59:59.999Z', '2027-02-28T11:00:00.000Z'],
      ['day', '2027-02-28T23:59:59.999Z', '2027-03-01T00:00:00.000Z'],
      ['month', '2027-12-31T23:59:59.999Z', '2028-01-01T00:00:00.000Z'],
    ] as const) {
      clock.set(Date.parse(before));
      const key = testKey({ own: { uses: 2, refill: { every, uses: null } } });
      expect(await key.useMany(3)).toBe(2);
      expect(await key.use()).toMatchObject({ code: 'quota_exceeded', retryAfterSeconds: 1 });
      clock.set(Date.parse(after));
      expect(await key.remaining()).toEqual([2]);
      expect(await key.useMany(3, [here, there])).toBe(2);
    }
  });

  it('of a part brings that part back for each period that has gone by, up to the whole', async () => {
    clock.set(Date.parse('2027-03-01T00:00:00Z'));
    const key = testKey({ own: { uses: 10, refill: { every: 'day', uses: 3 } } });
    expect(await key.useMany(10)).toBe(10);
    clock.advance(DAY_MS);
    expect(await key.useMany(5)).toBe(3);
    clock.advance(2 * DAY_MS);
    expect(await key.useMany(9)).toBe(6);
    clock.advance(100 * DAY_MS);
    expect(await key.useMany(20)).toBe(10);
  });

  it('of a part begins with the first period also when the quota was made smaller than what was used', async () => {
    clock.set(Date.parse('2027-03-01T00:00:00Z'));
    const refill = { every: 'day', uses: 1 } as const;
    const limits: { own: Quota } = { own: { uses: 100, refill } };
    const key = testKey(limits);
    expect(await key.useMany(100)).toBe(100);
    limits.own = { uses: 5, refill };
    expect(await key.useMany(1)).toBe(0);
    clock.advance(DAY_MS);
    expect(await key.remaining()).toEqual([1]);
    expect(await key.useMany(3)).toBe(1);
  });

  it('never comes twice when the clock is set back', async () => {
    clock.set(Date.parse('2027-03-01T12:00:00Z'));
    const key = testKey({ own: { uses: 2, refill: { every: 'hour', uses: null } } });
    expect(await key.useMany(2)).toBe(2);
    clock.advance(-2 * HOUR_MS);
    expect(await key.remaining()).toEqual([0]);
    expect(await key.useMany(2)).toBe(0);
    clock.advance(2 * HOUR_MS);
    expect(await key.useMany(2)).toBe(0);
    clock.advance(HOUR_MS);
    expect(await key.useMany(3)).toBe(2);
  });

  it('nor when there were uses left at that time, which can still be had', async () => {
    clock.set(Date.parse('2027-03-01T12:00:00Z'));
    const key = testKey({ own: { uses: 3, refill: { every: 'hour', uses: null } } });
    expect(await key.useMany(1)).toBe(1);
    clock.advance(-2 * HOUR_MS);
    expect(await key.useMany(1)).toBe(1);
    clock.advance(2 * HOUR_MS);
    expect(await key.useMany(3)).toBe(1);
  });
});
