import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Kysely, sql } from 'kysely';
import type { Config } from '../config/index.ts';
import { readVersions } from './backup/index.ts';
import type { SchemaVersions } from './migrate.ts';
import { openStorage } from './open-storage.ts';
import type { Database } from './schema.ts';
import { createSqliteDialect, openSqlite } from './sqlite-adapter.ts';

/** A look at the database that leaves no trace: beside a running server, or at the files of a stopped one. */
export interface Inspection {
  readonly engine: 'sqlite' | 'postgres';
  readonly main: Kysely<Database>;
  readonly usage: Kysely<Database>;
  readVersions(): Promise<SchemaVersions>;
  close(): Promise<void>;
}

/** @throws the error of the driver when the database cannot be opened */
export async function openInspection(config: Pick<Config, 'database' | 'dataDir'>): Promise<Inspection> {
  if (config.database.engine === 'postgres') {
    const storage = openStorage(config, { error: () => {} });
    const { read } = storage;
    return toInspection('postgres', read, read, () => storage.close());
  }
  const [main, usage] = ['keyreeve.db', 'usage.db'].map((name) => {
    const database = openSqlite({ file: readOnlyName(path.resolve(config.dataDir, name)), readOnly: true });
    return new Kysely<Database>({ dialect: createSqliteDialect(database) });
  }) as [Kysely<Database>, Kysely<Database>];
  return toInspection('sqlite', main, usage, async () => {
    await Promise.all([main.destroy(), usage.destroy()]);
  });
}

/** Without a log nobody has the file open; even a reader would make one, and leave it to whoever comes next. */
function readOnlyName(file: string): string {
  return existsSync(`${file}-wal`) ? file : `${pathToFileURL(file).href}?immutable=1`;
}

function toInspection(
  engine: Inspection['engine'],
  main: Kysely<Database>,
  usage: Kysely<Database>,
  close: () => Promise<void>,
): Inspection {
  const read = async (exec: Kysely<Database>, table: string) => {
    const names = (await exec.introspection.getTables({ withInternalKyselyTables: true })).map(
      ({ name }) => name,
    );
    return names.includes(table) ? await readVersions(exec, table) : [];
  };
  return {
    engine,
    main,
    usage,
    readVersions: async () => ({
      main: await read(main, 'schema_migrations'),
      usage: await read(usage, 'usage_migrations'),
    }),
    close,
  };
}

/** What SQLite says of its two files: nothing when both are sound. */
export async function checkSqliteFiles({ main, usage }: Inspection): Promise<string[]> {
  const complaints: string[] = [];
  for (const [name, exec] of [
    ['keyreeve.db', main],
    ['usage.db', usage],
  ] as const) {
    const { rows } = await sql<Record<string, unknown>>`pragma integrity_check(5)`.execute(exec);
    const said = rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok');
    complaints.push(...said.map((text) => `${name}: ${text}`));
    const foreign = await sql`pragma foreign_key_check`.execute(exec);
    if (foreign.rows.length > 0) complaints.push(`${name}: ${foreign.rows.length} rows point at nothing`);
  }
  return complaints;
}

export async function readJournalMode({ main }: Inspection): Promise<string> {
  const { rows } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(main);
  return rows[0]?.journal_mode ?? '';
}

export interface PostgresFacts {
  readonly version: number;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export async function readPostgresFacts({ main }: Inspection): Promise<PostgresFacts> {
  const { rows } = await sql<PostgresFacts>`select current_setting('server_version_num')::int as version,
    current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    (extract(epoch from clock_timestamp()) * 1000)::float8 as now`.execute(main);
  const [facts] = rows;
  if (facts === undefined) throw new Error('PostgreSQL gave no answer.');
  return facts;
}
