import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { createTestDatabase, describeOn, openDatabaseProxy, type TestDatabase } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../lib/secret.ts';
import type { Storage } from './database.ts';
import { createSqliteEpochGuard } from './epoch-guard.ts';
import { CommitOutcomeUnknown, isUnavailable } from './faults.ts';
import { migrateStorage } from './migrate.ts';
import { openStorage } from './open-storage.ts';
import { raiseRevocationEpoch } from './revocation-epochs.ts';
import { inTransaction } from './transaction.ts';

let database: TestDatabase;
let storage: Storage;
/** Another process, as far as the database can tell: connections of its own. */
let other: Storage;

function open(url = database.url, outage: 'refuse' | 'serve' = 'refuse'): Storage {
  const { dataDir } = database;
  return openStorage(
    {
      dataDir,
      database: url === null ? { engine: 'sqlite' } : { engine: 'postgres', url: new Secret(url), outage },
    },
    { error: () => {} },
  );
}

beforeAll(async () => {
  database = await createTestDatabase({ isMigrated: true });
  storage = open();
  other = open();
  await migrateStorage(storage);
});
afterAll(async () => {
  await storage.close();
  await other.close();
  await database.drop();
});

const raise = (target: Storage, workspaceId: string) =>
  inTransaction(target, (tx) => raiseRevocationEpoch(tx, workspaceId));

describe('the guard of what is kept in memory', () => {
  it('tells the same number while nothing is revoked, and another one once something is', async () => {
    const before = await storage.epochGuard.read('wsp_a');
    expect(await storage.epochGuard.read('wsp_a')).toBe(before);
    await raise(storage, 'wsp_a');
    expect(storage.epochGuard.peek('wsp_a')).not.toBe(before);
    expect(await storage.epochGuard.read('wsp_a')).not.toBe(before);
  });

  it('tells the same number while only other workspaces revoke', async () => {
    const before = await storage.epochGuard.read('wsp_b');
    await raise(storage, 'wsp_c');
    expect(await storage.epochGuard.read('wsp_b')).toBe(before);
  });
});

describeOn('sqlite', 'the guard of what is kept in memory', () => {
  it('knows what another process has revoked from its commit on, without asking', async () => {
    const { epochGuard } = storage;
    for (let times = 1; times <= 20; times += 1) {
      const before = epochGuard.peek('wsp_d');
      await raise(other, 'wsp_d');
      expect(epochGuard.peek('wsp_d')).not.toBe(before);
    }
    expect(epochGuard.freshness('wsp_d')).toEqual({ source: 'database', ageMs: 0 });
  });

  it('looks once in a turn where that is enough, and again in the next', async () => {
    const { epochGuard } = storage;
    const file = new DatabaseSync(path.join(database.dataDir, 'keyreeve.db'));
    const raiseAtOnce = () =>
      file.exec("update revocation_epochs set epoch = epoch + 1 where workspace_id = 'wsp_f'");
    await raise(storage, 'wsp_f');
    await turn();
    const before = epochGuard.peekInTurn('wsp_f') ?? 0;
    raiseAtOnce();
    expect(epochGuard.peekInTurn('wsp_f')).toBe(before);
    await turn();
    expect(epochGuard.peekInTurn('wsp_f')).toBe(before + 1);
    raiseAtOnce();
    expect(epochGuard.peek('wsp_f')).toBe(before + 2);
    // What this process has committed, or a worker beside it, is told to the guard, and then counts at once.
    for (const name of ['announce', 'drop'] as const) {
      const known = epochGuard.peekInTurn('wsp_f') ?? 0;
      raiseAtOnce();
      epochGuard[name](['wsp_f']);
      expect(epochGuard.peekInTurn('wsp_f')).toBe(known + 1);
    }
    file.close();
  });

  it('tells nothing from an earlier turn when it cannot look', async () => {
    const file = new DatabaseSync(path.join(database.dataDir, 'keyreeve.db'));
    const guard = createSqliteEpochGuard(file);
    guard.peekInTurn('wsp_f');
    await turn();
    file.close();
    for (let times = 1; times <= 2; times += 1) expect(() => guard.peekInTurn('wsp_f')).toThrow();
  });
});

describeOn('postgres', 'the guard of what is kept in memory', () => {
  it('knows within two seconds what another process has revoked, without being asked', async () => {
    const { epochGuard } = storage;
    const before = await epochGuard.read('wsp_e');
    await raise(other, 'wsp_e');
    const raisedAt = performance.now();
    await expect.poll(() => epochGuard.peek('wsp_e'), { interval: 5, timeout: 3_000 }).not.toBe(before);
    expect(performance.now() - raisedAt).toBeLessThan(2_000);
    expect(await epochGuard.read('wsp_e')).not.toBe(before);
  });

  it('trusts nothing any more once the database does not answer, and what it reads afterwards again', async () => {
    const proxy = await openDatabaseProxy(database.url ?? '');
    const behind = open(proxy.url);
    const { epochGuard } = behind;
    await epochGuard.read('wsp_f');
    proxy.freeze();
    const frozenAt = performance.now();
    await expect.poll(() => epochGuard.peek('wsp_f'), { interval: 20, timeout: 3_000 }).toBeNull();
    expect(performance.now() - frozenAt).toBeLessThan(2_000);
    await expect(epochGuard.read('wsp_f')).rejects.toSatisfy(isUnavailable);
    proxy.thaw();
    await expect.poll(() => epochGuard.read('wsp_f').catch(() => null), { timeout: 5_000 }).not.toBeNull();
    await behind.close();
    await proxy.close();
  });
});

describeOn('postgres', 'a connection to PostgreSQL', () => {
  const save = (target: Storage, name: string) =>
    inTransaction(target, async (tx) => {
      await tx.insertInto('meta').values({ name, value: 'stored' }).execute();
    });

  it('that breaks at a commit says that the outcome is unknown, and nothing is done twice', async () => {
    const proxy = await openDatabaseProxy(database.url ?? '');
    const behind = open(proxy.url);
    let runs = 0;
    const lost = inTransaction(behind, async (tx) => {
      runs += 1;
      await tx.insertInto('meta').values({ name: 'unknown', value: 'stored' }).execute();
      proxy.cutAtNextAnswer();
    });
    await expect(lost).rejects.toBeInstanceOf(CommitOutcomeUnknown);
    expect(runs).toBe(1);
    const rows = await other.read.selectFrom('meta').select('value').where('name', '=', 'unknown').execute();
    expect(rows).toEqual([{ value: 'stored' }]);
    await behind.close();
    await proxy.close();
  });

  it('goes to whichever of several servers writes, and to another one after it is gone', async () => {
    const [first, second] = [
      await openDatabaseProxy(database.url ?? ''),
      await openDatabaseProxy(database.url ?? ''),
    ];
    await second.shut();
    const url = new URL(first.url);
    const both = first.url.replace(url.host, `${url.host},${new URL(second.url).host}`);
    const behind = open(both);
    await save(behind, 'first');
    await Promise.all([first.shut(), second.open()]);
    await expect
      .poll(() => save(behind, 'second').then(() => 'stored', String), { timeout: 5_000 })
      .toBe('stored');
    await behind.close();
    await second.close();
  });

  it('goes to another server as soon as the one that it goes to stands still', async () => {
    const [first, second] = [
      await openDatabaseProxy(database.url ?? ''),
      await openDatabaseProxy(database.url ?? ''),
    ];
    const url = new URL(first.url);
    const behind = open(first.url.replace(url.host, `${url.host},${new URL(second.url).host}`));
    await second.shut();
    await behind.epochGuard.read('wsp_h');
    await second.open();
    first.freeze();
    const frozenAt = performance.now();
    behind.epochGuard.drop(['wsp_h']);
    const read = () => behind.epochGuard.read('wsp_h').then(String, () => null);
    while ((await read()) === null && performance.now() - frozenAt < 8_000);
    const tookMs = performance.now() - frozenAt;
    first.thaw();
    await behind.close();
    await Promise.all([first.close(), second.close()]);
    // One question that is not answered within a second, and no connection that is waited for after it.
    expect(tookMs).toBeLessThan(2_500);
  });

  it('is refused, for reading too, when its server only reads', async () => {
    const name = new URL(database.url ?? '').pathname.slice(1);
    await sql`alter database ${sql.id(name)} set default_transaction_read_only = on`.execute(other.write);
    const behind = open();
    await expect(behind.read.selectFrom('meta').select('name').execute()).rejects.toThrow('only reads');
    await expect(behind.epochGuard.read('wsp_g')).rejects.toThrow('only reads');
    await sql`alter database ${sql.id(name)} reset default_transaction_read_only`.execute(other.write);
    expect(await behind.read.selectFrom('meta').select('name').limit(1).execute()).toHaveLength(1);
    await behind.close();
  });
});
