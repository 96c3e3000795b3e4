import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createTestDatabase, type TestDatabase } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../lib/secret.ts';
import type { Storage } from './database.ts';
import { migrateStorage, migrateStorageTo, SCHEMA_VERSIONS } from './migrate.ts';
import { openStorage } from './open-storage.ts';

const PROCESSES = 4;

let database: TestDatabase;
let storage: Storage;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await storage.close();
  await database.drop();
});

function open(url = database.url): Storage {
  const { dataDir } = database;
  storage = openStorage(
    { dataDir, database: url === null ? { engine: 'sqlite' } : { engine: 'postgres', url: new Secret(url) } },
    { error: (details) => expect(details).toBeNull() },
  );
  return storage;
}

/** A process of its own that opens the database, migrates it and opens the keyring; its exit code and complaint. */
async function migrateInProcess(): Promise<{ code: unknown; complaint: string }> {
  const moduleOf = (file: string) => JSON.stringify(pathToFileURL(path.join(import.meta.dirname, file)).href);
  const config =
    database.url === null
      ? `{ engine: 'sqlite' }`
      : `{ engine: 'postgres', url: new Secret(${JSON.stringify(database.url)}) }`;
  const script = `import { migrateStorage, openKeyring, openStorage } from ${moduleOf('index.ts')};
    import { Secret } from ${moduleOf('../lib/secret.ts')};
    import { systemRandom } from ${moduleOf('../lib/random.ts')};
    const storage = openStorage({ dataDir: ${JSON.stringify(database.dataDir)}, database: ${config} }, { error: () => {} });
    await migrateStorage(storage);
    await openKeyring({ storage, clock: { now: () => 1 }, random: systemRandom, masterKey: new Uint8Array(32) });
    await storage.close();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  const [code] = (await once(child, 'exit')) as [unknown];
  return { code, complaint };
}

/** On PostgreSQL a database that sorts as people do, not by bytes; it goes with the server of the run. */
async function createEnglishDatabase(): Promise<string | null> {
  if (database.url === null) return null;
  const url = new URL(database.url);
  const name = `${url.pathname.slice(1)}_en`;
  const maker = open();
  await sql`create database ${sql.id(name)} template template0 locale_provider icu icu_locale 'en-US'`.execute(
    maker.write,
  );
  await maker.close();
  url.pathname = `/${name}`;
  return url.href;
}

async function tableNames(): Promise<string[]> {
  return (await storage.write.introspection.getTables()).map((table) => table.name);
}

describe('migrations', () => {
  it('find nothing left to do when they run again, and keep what is stored', async () => {
    await migrateStorage(open());
    await storage.write.insertInto('meta').values({ name: 'kept', value: 'yes' }).execute();
    const before = await tableNames();
    await migrateStorage(storage);
    await storage.close();
    await migrateStorage(open());
    expect(await tableNames()).toEqual(before);
    expect(
      await storage.read.selectFrom('meta').select('value').where('name', '=', 'kept').executeTakeFirst(),
    ).toEqual({ value: 'yes' });
  });

  it(`make one schema and one set of data keys when ${PROCESSES} processes start at once`, async () => {
    const outcomes = await Promise.all(Array.from({ length: PROCESSES }, migrateInProcess));
    expect(outcomes).toEqual(outcomes.map(() => ({ code: 0, complaint: '' })));
    await migrateStorage(open());
    const keys = await storage.read.selectFrom('data_keys').select('purpose').orderBy('purpose').execute();
    expect(keys.map((row) => row.purpose)).toEqual(['pepper', 'row', 'seal']);
  });

  it('leave the old schema whole when one of their steps fails, and succeed once the cause is gone', async () => {
    open();
    await storage.write.schema.createTable('one_time_links').addColumn('id', 'text').execute();
    await expect(migrateStorage(storage)).rejects.toThrow('The migration 0001-foundation failed.');
    expect(await tableNames()).not.toContain('workspaces');
    await storage.write.schema.dropTable('one_time_links').execute();
    await migrateStorage(storage);
    expect(await tableNames()).toContain('workspaces');
  });

  it('have no deadline, however many rows an index is made of, while everything else has one', async () => {
    const { migration, write, engine } = open();
    if (engine === 'sqlite') return expect(migration.main).toBe(write);
    const deadlineOf = (db: typeof write) =>
      db.transaction().execute(async (tx) => {
        const shown = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(tx);
        return shown.rows;
      });
    for (const db of [migration.main, migration.usage])
      expect(await deadlineOf(db)).toEqual([{ statement_timeout: '0' }]);
    expect(await deadlineOf(write)).toEqual([{ statement_timeout: '3s' }]);
  });

  it('make tables that sort and compare text by its bytes, whatever the server’s own language is', async () => {
    await migrateStorage(open(await createEnglishDatabase()));
    const names = ['a', 'B', '_', 'Z', 'z', '10', '9', 'é', 'e', 'あ', ' a', 'a b', 'ab', 'A'];
    for (const name of names) await storage.write.insertInto('meta').values({ name, value: '' }).execute();
    const rows = await storage.read
      .selectFrom('meta')
      .select('name')
      .where('value', '=', '')
      .orderBy('name')
      .execute();
    expect(rows.map((row) => row.name)).toEqual(
      names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    expect(await storage.read.selectFrom('meta').select('name').where('name', '=', 'E').execute()).toEqual(
      [],
    );
  });

  it('add up what an older release has counted for each key, and keep it, so that charts begin in the past', async () => {
    await migrateStorageTo(open(), { ...SCHEMA_VERSIONS, usage: ['0001-counters'] });
    const { usage } = storage;
    const counted = { workspace_id: 'w1', hour: 5, outcome: 'valid' };
    const keys = [
      { ...counted, key_id: 'a', count: 2 },
      { ...counted, key_id: 'b', count: 3 },
      { ...counted, key_id: 'c', outcome: 'expired', count: 4 },
      { ...counted, key_id: 'd', workspace_id: 'w2', count: 5 },
    ];
    for (const { workspace_id, key_id, hour, outcome, count } of keys)
      await sql`insert into key_hours (workspace_id, key_id, hour, outcome, count)
        values (${workspace_id}, ${key_id}, ${hour}, ${outcome}, ${count})`.execute(usage);
    await migrateStorage(storage);
    expect(await usage.selectFrom('key_hours').selectAll().orderBy('key_id').execute()).toEqual(
      keys.map((row) => ({ ...row, action: '' })),
    );
    const rows = await usage
      .selectFrom('workspace_hours')
      .select(['workspace_id', 'hour', 'outcome', 'count'])
      .orderBy('workspace_id')
      .orderBy('outcome')
      .execute();
    expect(rows).toEqual([
      { ...counted, outcome: 'expired', count: 4 },
      { ...counted, count: 5 },
      { ...counted, workspace_id: 'w2', count: 5 },
    ]);
  });

  it('keep the whole range of our integers: milliseconds come back as numbers', async () => {
    await migrateStorage(open());
    const at = 8_640_000_000_000_000;
    await storage.write
      .insertInto('data_keys')
      .values({ id: 'dk_1', purpose: 'row', wrapped: '', created_at: at })
      .execute();
    expect(await storage.read.selectFrom('data_keys').select('created_at').execute()).toEqual([
      { created_at: at },
    ]);
  });
});

describe('a connection', () => {
  it('commits durably', async () => {
    await migrateStorage(open());
    if (storage.engine === 'postgres') {
      const { rows } = await storage.write.transaction().execute(async (tx) => {
        return await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(tx);
      });
      expect(rows).toEqual([{ synchronous_commit: 'on' }]);
      return;
    }
    for (const db of [storage.write, storage.usage]) {
      expect((await sql`pragma synchronous`.execute(db)).rows).toEqual([{ synchronous: 2 }]);
      expect((await sql`pragma journal_mode`.execute(db)).rows).toEqual([{ journal_mode: 'wal' }]);
    }
  });

  it('waits neither for a statement nor for a lock without end', async () => {
    open();
    const settings =
      storage.engine === 'postgres'
        ? ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
        : [];
    for (const name of settings) {
      const { rows } = await storage.write.transaction().execute(async (tx) => {
        return await sql<{ value: string }>`select current_setting(${name}) as value`.execute(tx);
      });
      expect(rows[0]?.value).toMatch(/^[1-9]\d*m?s$/);
    }
    if (storage.engine === 'sqlite')
      expect((await sql`pragma busy_timeout`.execute(storage.write)).rows).toEqual([{ timeout: 0 }]);
  });
});
