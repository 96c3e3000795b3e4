import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import {
  type Company,
  call,
  createTestDatabase,
  type Harness,
  seedCompany,
  startHarness,
} from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, toIso } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { migrateStorage, openStorage, type Storage } from '../../storage/index.ts';
import { createUsageRecorder } from './usage.ts';
import { createUsageLeftovers, TABLES_OF_KEYS } from './usage-leftovers.ts';

const HOURLY_DAYS = 35;
const DAILY_DAYS = 400;

let harness: Harness;
let company: Company;
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterAll(() => harness.close());

interface Counts {
  outcome: string;
  count: number;
}
interface Usage {
  by: string;
  from: string;
  to: string;
  hoursKeptFrom: string;
  buckets: { start: string; outcomes: Counts[] }[];
  actions: { action: string | null; outcomes: Counts[] }[];
}

const get = (url: string) => call(harness, 'GET', url, { key: company.adminKey });
const usageOf = async (id: string, query = ''): Promise<Usage> => {
  const answer = await get(`/v1/keys/${id}/usage?${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Usage>();
};
const mint = async (comment: string) =>
  await harness.deps.keys.create(company.memberCaller, company.member.id, {
    comment,
    access: 'account',
    lifetimeDays: 365,
  });
const record = (keyId: string, action: string | null, outcome = 'valid', times = 1): void => {
  const { usage, defaultWorkspace } = harness.deps;
  for (let time = 0; time < times; time += 1)
    usage.record({
      workspaceId: defaultWorkspace.id,
      keyId,
      action,
      outcome,
      ip: '192.0.2.9',
      userAgent: 'cron/2',
    });
};
const sumOf = async (storage: Storage, keyId: string): Promise<number> => {
  const { sum } = await storage.usage
    .selectFrom('key_hours')
    .select((eb) => eb.fn.sum<number | string | null>('count').as('sum'))
    .where('key_id', '=', keyId)
    .executeTakeFirstOrThrow();
  return Number(sum ?? 0);
};

/** Methods of the target itself: it has private members. */
function bound(target: object, name: PropertyKey): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

describe('a client that has hung up', () => {
  it('is counted without its address, and what is counted after it is stored', async () => {
    const [gone, next] = [await mint('gone'), await mint('next')];
    // Neither has an address any more: a connection that was ended.
    const request = new IncomingMessage(new Socket());
    const bearer = `Bearer ${gone.fullKey.reveal()}`;
    Object.assign(request, { method: 'GET', url: '/v1/keys/self', httpVersionMajor: 1, httpVersionMinor: 1 });
    Object.assign(request.headers, { host: 'localhost', authorization: bearer });
    request.push(null);
    harness.app.routing(request, new ServerResponse(request));
    const countGone = async () => {
      await harness.deps.usage.flush();
      return (await usageOf(gone.key.id)).actions.length;
    };
    await expect.poll(countGone).toBe(1);
    record(next.key.id, null);
    await harness.deps.usage.flush();
    expect((await usageOf(next.key.id)).actions).toHaveLength(1);
  });
});

describe('the usage of a key', () => {
  it('is told by hour and by day, by outcome, and by the action that was asked for', async () => {
    const { key, fullKey } = await mint('told');
    harness.clock.set(Math.ceil(harness.clock.now() / DAY_MS) * DAY_MS + HOUR_MS / 2);
    const ask = (question: string) =>
      call(harness, 'GET', `/v1/authorize?${question}`, { key: fullKey.reveal() });
    await ask('action=package:push&resource=Acme.X');
    await ask('action=orders:read&resource=1');
    harness.clock.advance(HOUR_MS);
    await ask('action=package:push&resource=Acme.X');
    await ask('');
    await harness.deps.usage.flush();
    const midnight = Math.floor(harness.clock.now() / DAY_MS) * DAY_MS;
    const hours = await usageOf(key.id);
    expect(hours.buckets).toEqual([
      {
        start: toIso(midnight),
        outcomes: [
          { outcome: 'insufficient_scope', count: 1 },
          { outcome: 'valid', count: 1 },
        ],
      },
      { start: toIso(midnight + HOUR_MS), outcomes: [{ outcome: 'valid', count: 2 }] },
    ]);
    expect(hours.actions).toEqual([
      { action: 'package:push', outcomes: [{ outcome: 'valid', count: 2 }] },
      { action: null, outcomes: [{ outcome: 'valid', count: 1 }] },
      { action: 'orders:read', outcomes: [{ outcome: 'insufficient_scope', count: 1 }] },
    ]);
    const days = await usageOf(key.id, 'by=day');
    expect(days).toMatchObject({ by: 'day', to: toIso(midnight + DAY_MS), actions: hours.actions });
    expect(days.buckets).toMatchObject([{ start: toIso(midnight), outcomes: [{ count: 1 }, { count: 3 }] }]);
    const range = `from=${toIso(midnight)}&to=${toIso(midnight + HOUR_MS)}`;
    expect((await usageOf(key.id, range)).buckets).toEqual(hours.buckets.slice(0, 1));
  });

  it.each([
    ['the last second there is', 'to=9999-12-31T23:59:59Z'],
    ['the first', 'to=0000-01-01T02:00:00Z'],
  ])('is told in times that can be written, also up to %s', async (_name, query) => {
    const { key } = await mint('far away');
    for (const by of ['hour', 'day'] as const) {
      const { from, to } = await usageOf(key.id, `by=${by}&${query}`);
      expect(from).toMatch(/^\d{4}-/);
      expect(to).toMatch(/^\d{4}-/);
    }
  });

  it('is refused for a time without end, or that ends before it begins, and not told to strangers', async () => {
    const { key } = await mint('refused');
    for (const query of ['from=2020-01-01T00:00:00Z', 'from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z']) {
      const answer = await get(`/v1/keys/${key.id}/usage?${query}`);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: 'request.invalid', errors: [{ field: 'from' }] });
    }
    const readerOfOthers = await harness.deps.keys.create(company.adminCaller, company.admin.id, {
      comment: 'reads the keys of an account that is not there',
      access: 'scoped',
      scopes: [{ actions: ['iam:keys:read'], resources: ['acc_other'] }],
      lifetimeDays: 365,
    });
    const answer = await call(harness, 'GET', `/v1/keys/${key.id}/usage`, {
      key: readerOfOthers.fullKey.reveal(),
    });
    expect(answer.statusCode).toBe(404);
  });
});

describe('the first refusal of a key', () => {
  it('is that since its last change, and stays while others follow', async () => {
    const { key } = await mint('attacked');
    const first = async () =>
      (await get(`/v1/keys/${key.id}`)).json<{ firstRefusal: object | null }>().firstRefusal;
    const expected = (action: string, at: number) => ({
      at: toIso(at),
      ip: '192.0.2.9',
      userAgent: 'cron/2',
      reason: 'insufficient_scope',
      action,
    });
    expect(await first()).toBeNull();
    harness.clock.advance(1_000);
    const began = harness.clock.now();
    record(key.id, 'orders:read', 'insufficient_scope');
    harness.clock.advance(1_000);
    record(key.id, 'orders:write', 'insufficient_scope');
    expect(await first()).toEqual(expected('orders:read', began));
    await harness.deps.usage.flush();
    harness.clock.advance(1_000);
    record(key.id, 'orders:other', 'insufficient_scope');
    await harness.deps.usage.flush();
    expect(await first()).toEqual(expected('orders:read', began));
    harness.clock.advance(1_000);
    // Refused and changed within the second of one flush.
    record(key.id, 'orders:read', 'insufficient_scope');
    harness.clock.advance(1_000);
    await harness.deps.keys.update(company.memberCaller, key.id, { comment: 'mended' }, key.version);
    expect(await first()).toBeNull();
    harness.clock.advance(1_000);
    const again = harness.clock.now();
    record(key.id, 'orders:again', 'insufficient_scope');
    expect(await first()).toEqual(expected('orders:again', again));
    await harness.deps.usage.flush();
    expect(await first()).toEqual(expected('orders:again', again));
    harness.clock.advance(1_000);
    record(key.id, 'orders:later', 'insufficient_scope');
    await harness.deps.usage.flush();
    expect(await first()).toEqual(expected('orders:again', again));
  });
});

describe('counters', () => {
  it('are kept when a write fails, and are all there once the store answers again', async () => {
    const { usage, storage } = harness.deps;
    const { key } = await mint('unwritten');
    record(key.id, 'orders:read', 'valid', 3);
    await sql`alter table key_hours rename to key_hours_gone`.execute(storage.usage);
    await expect(usage.flush()).rejects.toThrow(/key_hours/);
    record(key.id, 'orders:read', 'valid', 4);
    await expect(usage.flush()).rejects.toThrow(/key_hours/);
    expect((await usage.findLastUses(key.workspaceId, [key.id])).get(key.id)).toMatchObject({
      userAgent: 'cron/2',
    });
    await sql`alter table key_hours_gone rename to key_hours`.execute(storage.usage);
    await usage.flush();
    expect(await sumOf(storage, key.id)).toBe(7);
    await usage.flush();
    expect(await sumOf(storage, key.id)).toBe(7);
  });

  it('and times of each of many keys are stored as its own, however many are written at once', async () => {
    const { usage, storage, defaultWorkspace } = harness.deps;
    const names = Array.from({ length: 81 }, (_, index) => `many_${String(index).padStart(2, '0')}`);
    const shuffled = names.toSorted((a, b) => Number(a.at(-1)) - Number(b.at(-1)) || (a < b ? 1 : -1));
    for (const [index, keyId] of shuffled.entries()) {
      record(keyId, `many:a${index}`, 'valid', 2);
      if (index % 2 === 1) record(keyId, `many:b${index}`, 'expired', 3);
      harness.clock.advance(1);
    }
    const at = harness.clock.now() - shuffled.length;
    await usage.flush();
    await usage.flush();
    const uses = await usage.findLastUses(defaultWorkspace.id, names);
    const refusals = await usage.findLastRefusals(defaultWorkspace.id, names);
    const hours = await storage.usage
      .selectFrom('key_hours')
      .select(['key_id', 'action', 'outcome', 'count'])
      .where('key_id', 'in', names)
      .execute();
    for (const [index, keyId] of shuffled.entries()) {
      const isRefused = index % 2 === 1;
      expect(uses.get(keyId)).toEqual({ at: at + index, ip: '192.0.2.9', userAgent: 'cron/2' });
      expect(refusals.get(keyId)).toEqual(
        isRefused
          ? {
              at: at + index,
              ip: '192.0.2.9',
              userAgent: 'cron/2',
              reason: 'expired',
              action: `many:b${index}`,
            }
          : undefined,
      );
      const own = hours.filter((row) => row.key_id === keyId).toSorted((a, b) => a.count - b.count);
      expect(own).toEqual([
        { key_id: keyId, action: `many:a${index}`, outcome: 'valid', count: 2 },
        ...(isRefused ? [{ key_id: keyId, action: `many:b${index}`, outcome: 'expired', count: 3 }] : []),
      ]);
    }
  });

  it('are added once when the answer to a commit is lost', async () => {
    const { storage, defaultWorkspace } = harness.deps;
    let isAnswerLost = true;
    const usage = new Proxy(storage.usage, {
      get: (target, name) =>
        name !== 'transaction' || !isAnswerLost
          ? bound(target, name)
          : () => ({
              execute: async (work: Parameters<ReturnType<typeof target.transaction>['execute']>[0]) => {
                await target.transaction().execute(work);
                throw new Error('Connection terminated unexpectedly');
              },
            }),
    });
    const recorder = createUsageRecorder({
      storage: { ...storage, usage },
      clock: harness.clock,
      random: systemRandom,
    });
    const use = {
      workspaceId: defaultWorkspace.id,
      keyId: 'kr_once',
      action: null,
      ip: null,
      userAgent: null,
    };
    for (let time = 0; time < 5; time += 1) recorder.record({ ...use, outcome: 'valid' });
    await expect(recorder.flush()).rejects.toThrow('terminated');
    recorder.record({ ...use, outcome: 'valid' });
    isAnswerLost = false;
    await recorder.flush();
    expect(await sumOf(storage, 'kr_once')).toBe(6);
  });

  it('that were flushed outlive a process that is killed, and none counts twice', async () => {
    const database = await createTestDatabase();
    const open = () =>
      openStorage(
        {
          dataDir: database.dataDir,
          database:
            database.url === null
              ? { engine: 'sqlite' }
              : { engine: 'postgres', url: new Secret(database.url) },
        },
        { error: () => {} },
      );
    await migrateStorage(open());
    const { flushed, recorded } = await countUntilKilled(database.dataDir, database.url);
    const storage = open();
    const stored = await sumOf(storage, 'kr_killed');
    expect(stored).toBeGreaterThanOrEqual(flushed);
    expect(stored).toBeLessThanOrEqual(recorded);
    await storage.close();
    await database.drop();
  });
});

describe('old counters', () => {
  it('lose nothing when hours become days, and go when the days are old', async () => {
    const { key } = await mint('old');
    const start = harness.clock.now();
    for (let hour = 0; hour < 30; hour += 1) {
      record(key.id, 'orders:read', 'valid', 2);
      record(key.id, 'orders:read', 'expired');
      await harness.deps.usage.flush();
      harness.clock.advance(HOUR_MS);
    }
    const readDays = () =>
      harness.deps.usageReader.read(key, { by: 'day', from: start, to: start + 2 * DAY_MS });
    const before = await readDays();
    harness.clock.set(start + (HOURLY_DAYS + 3) * DAY_MS);
    expect(await harness.deps.usageRetention.sweep()).toBeGreaterThanOrEqual(60);
    expect(await harness.deps.usageRetention.sweep()).toBe(0);
    expect(await sumOf(harness.deps.storage, key.id)).toBe(0);
    expect(await readDays()).toMatchObject({ buckets: before.buckets, actions: before.actions });
    expect(before.actions).toMatchObject([{ outcomes: [{ count: 60 }, { count: 30 }] }]);
    const counted = await harness.deps.usage.countExpiredRefusals(harness.deps.defaultWorkspace.id, [
      { keyId: key.id, since: start },
    ]);
    expect(counted.get(key.id)).toBe(30);
    harness.clock.set(start + (DAILY_DAYS + 3) * DAY_MS);
    await harness.deps.usageRetention.sweep();
    expect((await readDays()).buckets).toEqual([]);
  });
});

describe('what is known of a deleted key', () => {
  it('is removed piece by piece, and that of living keys stays', async () => {
    const { deps } = harness;
    const minted = [];
    for (let each = 0; each < 6; each += 1) minted.push((await mint(`leaves ${each}`)).key);
    for (const { id } of minted) {
      record(id, 'orders:read');
      record(id, 'orders:read', 'insufficient_scope');
    }
    await deps.usage.flush();
    const quotas = minted.map(({ id, workspaceId }) => ({
      workspace_id: workspaceId,
      key_id: id,
      source: 'key',
      every: 'day',
      period: 1,
      used: 1,
      given: 1,
    }));
    await deps.storage.usage.insertInto('key_quotas').values(quotas).execute();
    const deleted = minted.filter((_key, index) => index % 2 === 0);
    for (const { id } of deleted) await deps.keys.remove(company.memberCaller, id);
    const countRows = async (table: (typeof TABLES_OF_KEYS)[number], keys: readonly { id: string }[]) => {
      const ids = keys.map(({ id }) => id);
      return (
        await deps.storage.usage.selectFrom(table).select('key_id').where('key_id', 'in', ids).execute()
      ).length;
    };
    const leftovers = createUsageLeftovers({
      storage: deps.storage,
      bounds: { keysPerStep: 2, keysPerSweep: 3 },
    });
    // Each sweep looks at three keys, and the next goes on where it stopped.
    const { length: keyCount } = await deps.storage.usage
      .selectFrom('key_last_uses')
      .select('key_id')
      .execute();
    for (let seen = 0; seen < keyCount; seen += 3) await leftovers.sweep();
    expect(await countRows('key_last_uses', deleted)).toBe(0);
    expect(await countRows('key_quotas', deleted)).toBe(3);
    await deps.usageRetention.sweep();
    for (const table of TABLES_OF_KEYS) {
      expect([table, await countRows(table, deleted)]).toEqual([table, 0]);
      expect([table, await countRows(table, minted)]).toEqual([table, 3]);
    }
  });
});

/** Counts 100 uses between two flushes for as long as it lives: what it told of before it was killed. */
async function countUntilKilled(dataDir: string, url: string | null) {
  const moduleOf = (file: string) => JSON.stringify(pathToFileURL(path.join(import.meta.dirname, file)).href);
  const config =
    url === null ? `{ engine: 'sqlite' }` : `{ engine: 'postgres', url: new Secret(${JSON.stringify(url)}) }`;
  const script = `import { openStorage } from ${moduleOf('../../storage/index.ts')};
    import { Secret } from ${moduleOf('../../lib/secret.ts')};
    import { systemClock } from ${moduleOf('../../lib/clock.ts')};
    import { systemRandom } from ${moduleOf('../../lib/random.ts')};
    import { createUsageRecorder } from ${moduleOf('usage.ts')};
    const storage = openStorage({ dataDir: ${JSON.stringify(dataDir)}, database: ${config} }, { error: () => {} });
    const usage = createUsageRecorder({ storage, clock: systemClock, random: systemRandom });
    const use = { workspaceId: 'w', keyId: 'kr_killed', action: null, outcome: 'valid', ip: null, userAgent: null };
    for (let round = 1; ; round += 1) {
      for (let time = 0; time < 100; time += 1) usage.record(use);
      await usage.flush();
      process.stdout.write(String(round * 100) + '\\n');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  let flushed = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    flushed = Number(line);
    if (flushed >= 1_000) break;
  }
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { flushed, recorded: Number.MAX_SAFE_INTEGER };
}
