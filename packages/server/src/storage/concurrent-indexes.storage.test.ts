import { createTestDatabase, describeOn, openTestStorage, type TestDatabase } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Storage } from './database.ts';
import { migrateStorage } from './migrate.ts';
import { LARGE_INDEXES, REPLACED_INDEXES } from './migrations/large-indexes.ts';

const [FIRST = '', SECOND = ''] = LARGE_INDEXES.map(({ name }) => name);

let database: TestDatabase;
let storage: Storage;
const complaints: unknown[] = [];
const logger = { error: (details: object, message: string) => complaints.push({ ...details, message }) };

function open(): Storage {
  return openTestStorage(database, logger);
}

beforeAll(async () => {
  database = await createTestDatabase();
  storage = open();
  await migrateStorage(storage);
});
afterAll(async () => {
  await storage.close();
  await database.drop();
});
beforeEach(() => {
  complaints.length = 0;
});

async function readIndexes(): Promise<Map<string, boolean>> {
  const { rows } = await sql<{ name: string; is_valid: boolean }>`
    select class.relname as name, index.indisvalid as is_valid
    from pg_index index join pg_class class on class.oid = index.indexrelid`.execute(storage.read);
  return new Map(rows.map((row) => [row.name, row.is_valid]));
}

const dropIndex = (name: string) => sql`drop index ${sql.id(name)}`.execute(storage.write);

/** What a `create index concurrently` that was killed has left. */
const breakIndex = (name: string) =>
  sql`update pg_index set indisvalid = false where indexrelid = ${name}::regclass`.execute(storage.write);

/** Runs `work` while another process makes the indexes. */
const besideMaker = (work: () => Promise<void>) =>
  storage.write.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(3853314792)`.execute(transaction);
    await work();
  });

describeOn('sqlite', 'the indexes of large tables', () => {
  it('are made by the migration', async () => {
    const { rows } = await sql<{ name: string }>`select name from sqlite_master where type = 'index'`.execute(
      storage.read,
    );
    const names = rows.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(LARGE_INDEXES.map(({ name }) => name)));
    for (const name of REPLACED_INDEXES) expect(names).not.toContain(name);
  });
});

describeOn('postgres', 'the indexes of large tables', () => {
  it('are made at the first start, and those that they replace are gone', async () => {
    const indexes = await readIndexes();
    for (const { name } of LARGE_INDEXES) expect(indexes.get(name)).toBe(true);
    for (const name of REPLACED_INDEXES) expect(indexes.has(name)).toBe(false);
  });

  it('are made anew when a start was killed over them, and the replaced ones go then', async () => {
    await breakIndex(FIRST);
    await dropIndex(SECOND);
    await sql`create index api_keys_by_owner on api_keys (owner_id)`.execute(storage.write);
    await migrateStorage(storage, logger);
    const indexes = await readIndexes();
    expect([indexes.get(FIRST), indexes.get(SECOND)]).toEqual([true, true]);
    expect(indexes.has('api_keys_by_owner')).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('are left to the process that makes them: others start without waiting, and take nothing away', async () => {
    await breakIndex(FIRST);
    await besideMaker(() => migrateStorage(storage, logger));
    expect((await readIndexes()).get(FIRST)).toBe(false);
    expect(complaints).toEqual([]);
    await migrateStorage(storage, logger);
    expect((await readIndexes()).get(FIRST)).toBe(true);
  });

  it('keep no server down when they cannot be made: it starts, says what to do, and tries at the next start', async () => {
    await dropIndex(SECOND);
    await sql`create table ${sql.id(SECOND)} (id text)`.execute(storage.write);
    await migrateStorage(storage, logger);
    expect(complaints).toEqual([
      {
        err: expect.objectContaining({ message: `The index ${SECOND} could not be made.` }) as unknown,
        message: expect.stringContaining('then restart one node') as unknown,
      },
    ]);
    await expect(migrateStorage(storage)).rejects.toThrow(`The index ${SECOND} could not be made.`);
    await sql`drop table ${sql.id(SECOND)}`.execute(storage.write);
    await migrateStorage(storage);
    expect((await readIndexes()).get(SECOND)).toBe(true);
  });

  it('do not wait for the transaction that keeps others from making them, whatever isolation is usual here', async () => {
    const name = new URL(database.url ?? '').pathname.slice(1);
    await dropIndex(FIRST);
    await sql`alter database ${sql.id(name)} set default_transaction_isolation = 'repeatable read'`.execute(
      storage.write,
    );
    const strict = open();
    try {
      await migrateStorage(strict);
    } finally {
      await strict.close();
    }
    expect((await readIndexes()).get(FIRST)).toBe(true);
  });

  it('leave no limit behind at a connection that a pooler may hand to others', async () => {
    await dropIndex(FIRST);
    await migrateStorage(storage);
    const { rows } = await sql<{ own: string; usual: string }>`
      select setting as own, reset_val as usual from pg_settings
      where name in ('lock_timeout', 'statement_timeout') and source = 'session'`.execute(
      storage.migration.main,
    );
    expect(rows).toEqual([]);
  });
});
