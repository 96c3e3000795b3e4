import { once } from 'node:events';
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { createTestDatabase, describeOn, type TestDatabase, testEngine } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../lib/secret.ts';
import type { Storage } from './database.ts';
import { isUnavailable, isUniqueViolation } from './faults.ts';
import { migrateStorage } from './migrate.ts';
import { openStorage } from './open-storage.ts';
import { raiseRevocationEpoch } from './revocation-epochs.ts';
import { inTransaction, type Tx } from './transaction.ts';

const HELD_MS = 300;
const LOOP_DELAY_MAX_MS = 150;
const GIVES_UP_AFTER_MS = 5_000;

let database: TestDatabase;
let storage: Storage;
/** Another process, as far as the database can tell: connections of its own. */
let other: Storage;

function open(url = database.url): Storage {
  return openStorage(
    {
      dataDir: database.dataDir,
      database: url === null ? { engine: 'sqlite' } : { engine: 'postgres', url: new Secret(url) },
    },
    { error: () => {} },
  );
}

beforeAll(async () => {
  database = await createTestDatabase();
  storage = open();
  other = open();
  await migrateStorage(storage);
});
afterAll(async () => {
  await storage.close();
  await other.close();
  await database.drop();
});
beforeEach(() => storage.write.deleteFrom('meta').execute());

async function save(tx: Tx, name: string, value: string): Promise<void> {
  await tx
    .insertInto('meta')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

async function stored(): Promise<Record<string, string>> {
  const rows = await storage.read.selectFrom('meta').select(['name', 'value']).orderBy('name').execute();
  return Object.fromEntries(rows.map((row) => [row.name, row.value]));
}

/** Takes the write lock (on PostgreSQL: that of the row `shared`) and keeps it until told to let go. */
async function holdLock(): Promise<{ release: () => Promise<void> }> {
  const held = Promise.withResolvers<void>();
  const wanted = Promise.withResolvers<void>();
  const done = inTransaction(other, async (tx) => {
    // PostgreSQL would end a transaction that idles for as long as one of these tests needs.
    if (testEngine() === 'postgres') await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx);
    await save(tx, 'shared', 'holder');
    held.resolve();
    await wanted.promise;
  });
  await held.promise;
  return {
    release: () => {
      wanted.resolve();
      return done;
    },
  };
}

describe('a transaction', () => {
  it('that is stored is not run again, nor does it fail, by what a listener makes of it', async () => {
    let runs = 0;
    storage.raiseListeners.add(() => {
      if (runs === 1) throw Object.assign(new Error('database is locked'), { errcode: 5 });
    });
    const work = async (tx: Tx): Promise<string> => {
      runs += 1;
      await raiseRevocationEpoch(tx, 'wsp_1');
      return 'done';
    };
    expect(await inTransaction(storage, work)).toBe('done');
    storage.raiseListeners.clear();
    expect(runs).toBe(1);
  });

  it('that revokes is done when every listener knows of it, and of which workspaces', async () => {
    const heard: string[] = [];
    storage.raiseListeners.add(async (workspaceIds) => {
      await delay(20);
      heard.push(...workspaceIds);
    });
    await inTransaction(storage, async (tx) => {
      await raiseRevocationEpoch(tx, 'wsp_1');
      await raiseRevocationEpoch(tx, 'wsp_2');
    });
    await inTransaction(storage, (tx) => save(tx, 'a', '1'));
    storage.raiseListeners.clear();
    expect(heard).toEqual(['wsp_1', 'wsp_2']);
  });

  it('is stored whole, and gives back what its work gives back', async () => {
    const result = await inTransaction(storage, async (tx) => {
      await save(tx, 'a', '1');
      await save(tx, 'b', '2');
      return 'done';
    });
    expect(result).toBe('done');
    expect(await stored()).toEqual({ a: '1', b: '2' });
  });

  it('is rolled back whole when its work fails, once, with that very error', async () => {
    const fault = new Error('in the middle');
    let runs = 0;
    const failed = inTransaction(storage, async (tx) => {
      runs += 1;
      await save(tx, 'a', '1');
      throw fault;
    });
    await expect(failed).rejects.toBe(fault);
    expect(runs).toBe(1);
    expect(await stored()).toEqual({});
    await inTransaction(storage, (tx) => save(tx, 'after', 'fine'));
    expect(await stored()).toEqual({ after: 'fine' });
  });

  it('is rolled back whole when the database refuses one of its statements', async () => {
    const failed = inTransaction(storage, async (tx) => {
      await save(tx, 'a', '1');
      await tx.insertInto('meta').values({ name: 'a', value: 'again' }).execute();
    });
    await expect(failed).rejects.toSatisfy(isUniqueViolation);
    expect(await stored()).toEqual({});
  });

  it('shows nothing to readers before it is committed', async () => {
    await inTransaction(storage, async (tx) => {
      await save(tx, 'a', '1');
      expect(await stored()).toEqual({});
    });
    expect(await stored()).toEqual({ a: '1' });
  });
});

describe('two writers', () => {
  it('do not lose each other’s changes, however many there are', async () => {
    await inTransaction(storage, (tx) => save(tx, 'count', '0'));
    const addOne = (target: Storage) =>
      inTransaction(target, async (tx) => {
        const row = await tx
          .selectFrom('meta')
          .select('value')
          .where('name', '=', 'count')
          .executeTakeFirstOrThrow();
        await save(tx, 'count', String(Number(row.value) + 1));
      });
    await Promise.all(Array.from({ length: 20 }, (_, index) => addOne(index % 2 === 0 ? storage : other)));
    expect(await stored()).toEqual({ count: '20' });
  });

  it('cannot each rely on the other: of two last administrators who resign at once, one stays', async () => {
    await inTransaction(storage, async (tx) => {
      await save(tx, 'ada', 'admin');
      await save(tx, 'bob', 'admin');
    });
    const resign = (target: Storage, name: string) =>
      inTransaction(target, async (tx) => {
        const admins = await tx.selectFrom('meta').select('name').where('value', '=', 'admin').execute();
        // Time for the other one to have read the same.
        await delay(50);
        if (admins.length < 2) return 'refused';
        await save(tx, name, 'member');
        return 'resigned';
      });
    const outcomes = await Promise.all([resign(storage, 'ada'), resign(other, 'bob')]);
    expect(outcomes.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['refused', 'resigned']);
    expect(Object.values(await stored()).filter((role) => role === 'admin')).toHaveLength(1);
  });

  // Repeated, since other programs on the machine can take the processor for longer than the limit.
  it(`wait for each other without stopping the event loop, and both succeed (${HELD_MS} ms)`, {
    retry: 2,
  }, async () => {
    const holder = await holdLock();
    const released = delay(HELD_MS).then(() => holder.release());
    const loop = monitorEventLoopDelay({ resolution: 5 });
    loop.enable();
    const startedAt = performance.now();
    await inTransaction(storage, (tx) => save(tx, 'shared', 'second'));
    const waitedMs = performance.now() - startedAt;
    loop.disable();
    await released;
    expect(await stored()).toEqual({ shared: 'second' });
    expect(waitedMs).toBeGreaterThan(HELD_MS / 2);
    expect(loop.max / 1e6).toBeLessThan(LOOP_DELAY_MAX_MS);
  });

  it('leave readers alone while they wait', async () => {
    const holder = await holdLock();
    const waiting = inTransaction(storage, (tx) => save(tx, 'shared', 'second'));
    const startedAt = performance.now();
    expect(await stored()).toEqual({});
    expect(performance.now() - startedAt).toBeLessThan(HELD_MS / 2);
    await holder.release();
    await waiting;
  });

  it('give up after about five seconds, as unavailable, with nothing changed', async () => {
    const holder = await holdLock();
    const startedAt = performance.now();
    await expect(inTransaction(storage, (tx) => save(tx, 'shared', 'second'))).rejects.toSatisfy(
      isUnavailable,
    );
    const waitedMs = performance.now() - startedAt;
    expect(waitedMs).toBeGreaterThan(GIVES_UP_AFTER_MS - 1_000);
    expect(waitedMs).toBeLessThan(GIVES_UP_AFTER_MS + 2_500);
    await holder.release();
    expect(await stored()).toEqual({ shared: 'holder' });
  });
});

describe('a taken name', () => {
  it('is told from other refusals, for primary keys and for unique columns', async () => {
    const insert = (id: string, subdomain: string) =>
      storage.write
        .insertInto('workspaces')
        .values({ id, name: 'n', subdomain, is_default: 0, created_at: 1 })
        .execute();
    await insert('wsp_1', 'one');
    await expect(insert('wsp_1', 'two')).rejects.toSatisfy(isUniqueViolation);
    await expect(insert('wsp_2', 'one')).rejects.toSatisfy(isUniqueViolation);
    const nameless = storage.write
      .insertInto('meta')
      .values({ name: 'x', value: null as unknown as string })
      .execute();
    await expect(nameless).rejects.not.toSatisfy(isUniqueViolation);
  });
});

describeOn('postgres', 'a database that cannot be reached', () => {
  it('is called unavailable within seconds, and harms nothing', async () => {
    // A port that was free a moment ago: nobody listens there.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    server.close();
    await once(server, 'close');
    const away = open(`postgres://nobody@127.0.0.1:${port}/nothing`);
    await expect(inTransaction(away, (tx) => save(tx, 'a', '1'))).rejects.toSatisfy(isUnavailable);
    await away.close();
  });

  it('is called unavailable when it accepts connections and never answers', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const away = open(
      `postgres://nobody@127.0.0.1:${typeof address === 'object' ? address?.port : 0}/nothing`,
    );
    const startedAt = performance.now();
    await expect(inTransaction(away, (tx) => save(tx, 'a', '1'))).rejects.toSatisfy(isUnavailable);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await away.close();
    server.close();
  });

  it('is unavailable when it ends a connection in the middle, and works again on the next one', async () => {
    const failed = inTransaction(storage, async (tx) => {
      await save(tx, 'a', '1');
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(other.write);
      await save(tx, 'b', '2');
    });
    await expect(failed).rejects.toSatisfy(isUnavailable);
    expect(await stored()).toEqual({});
    await inTransaction(storage, (tx) => save(tx, 'after', 'fine'));
  });
});
