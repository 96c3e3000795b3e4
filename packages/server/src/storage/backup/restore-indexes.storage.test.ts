import { createTestDatabase, openTestStorage, type TestDatabase } from '@keyreeve/testkit';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Storage } from '../database.ts';
import { migrateStorage, SCHEMA_VERSIONS } from '../migrate.ts';
import type { Database } from '../schema.ts';
import { listTables } from './catalog.ts';
import { openRowSink } from './restore-rows.ts';

let database: TestDatabase;
let storage: Storage;
beforeEach(async () => {
  database = await createTestDatabase();
  storage = openTestStorage(database);
  await migrateStorage(storage);
});
afterEach(async () => {
  await storage.close();
  await database.drop();
});

async function listIndexes(exec: Kysely<Database>): Promise<unknown> {
  const catalog =
    storage.engine === 'sqlite'
      ? sql`select name, tbl_name, sql from sqlite_schema where type = 'index' order by name`
      : sql`select indexname, tablename, indexdef from pg_indexes where schemaname = current_schema() order by 1`;
  return (await catalog.execute(exec)).rows;
}

const COMMIT = { sendsPending: true, now: 0 };

it('leaves every index as the migrations have made it', async () => {
  const stores = [storage.migration.main, storage.migration.usage];
  const before = await Promise.all(stores.map(listIndexes));
  expect(JSON.stringify(before)).toContain('api_keys_by_account');
  const sink = await openRowSink(storage, SCHEMA_VERSIONS);
  await sink.commit(COMMIT);
  expect(await Promise.all(stores.map(listIndexes))).toEqual(before);
});

it('refuses two rows of which a unique index takes one, and leaves neither', async () => {
  const tables = await listTables({ exec: storage.read, engine: storage.engine, store: 'main' });
  const { columns } = tables.find(({ name }) => name === 'package_prefixes') ?? { columns: [] };
  const sink = await openRowSink(storage, SCHEMA_VERSIONS);
  await sink.begin({ table: 'package_prefixes', store: 'main', columns });
  const row = (id: string) => columns.map((name) => (name === 'id' ? id : 1));
  const filling = async () => {
    await sink.insert([row('one'), row('two')]);
    await sink.commit(COMMIT);
  };
  await expect(filling()).rejects.toThrow('It has a row that its table "package_prefixes" cannot take.');
  await sink.rollback();
  expect(await storage.read.selectFrom('package_prefixes').selectAll().execute()).toEqual([]);
});
