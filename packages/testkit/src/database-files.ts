import { sql } from 'kysely';
import type { Harness } from './harness.ts';
import { type Needle, searchFolder } from './needles.ts';

/**
 * The needles in the bytes of the data folder (on SQLite: the database and its log) and, on PostgreSQL, in the files
 * and the log of the database server, as a thief of the disk would read them.
 */
export async function searchDatabaseFiles(
  harness: Harness,
  needles: readonly Needle[],
): Promise<{ readonly found: readonly string[]; readonly filesRead: number }> {
  const folders = [harness.database.dataDir];
  if (harness.database.engine === 'postgres') folders.push(...(await listPostgresFolders(harness)));
  const searched = folders.map((folder) => searchFolder(folder, needles));
  return {
    found: searched.flatMap(({ found }) => found),
    filesRead: searched.reduce((sum, { filesRead }) => sum + filesRead, 0),
  };
}

async function listPostgresFolders({ deps: { storage } }: Harness): Promise<string[]> {
  await sql`checkpoint`.execute(storage.write);
  const { rows } = await sql<{
    folder: string;
    oid: number;
  }>`select current_setting('data_directory') as folder, oid from pg_database where datname = current_database()`.execute(
    storage.write,
  );
  const [place] = rows;
  if (place === undefined) throw new Error('The database has a place.');
  return [`${place.folder}/base/${place.oid}`, `${place.folder}/pg_wal`];
}

/** Every row of every table, as a backup by `pg_dump` or `.dump` would have it. */
export async function dumpRows({ deps: { storage } }: Harness): Promise<string> {
  const tables: string[] = [];
  for (const db of new Set([storage.read, storage.usage])) {
    for (const { name } of await db.introspection.getTables()) {
      const { rows } = await sql`select * from ${sql.table(name)}`.execute(db);
      tables.push(`${name}\n${rows.map((row) => JSON.stringify(row)).join('\n')}`);
    }
  }
  return tables.join('\n');
}
