import path from 'node:path';
import { Kysely, sql } from 'kysely';
import type { Config } from '../../config/index.ts';
import type { StorageLogger } from '../database.ts';
import type { SchemaVersions } from '../migrate.ts';
import { openStorage } from '../open-storage.ts';
import type { Database } from '../schema.ts';
import { createSqliteDialect, openSqlite } from '../sqlite-adapter.ts';
import { listTables, type StoreName, type TableShape } from './catalog.ts';

/** Both stores as they were at one moment, whatever is written meanwhile. */
export interface Snapshot {
  readonly engine: 'sqlite' | 'postgres';
  readonly versions: SchemaVersions;
  readonly tables: readonly (TableShape & { readonly store: StoreName })[];
  /** Rows in the order of the primary key, in pages; values in the order of `columns`. */
  readRows(table: TableShape & { readonly store: StoreName }): AsyncGenerator<readonly unknown[][]>;
  readonly main: Kysely<Database>;
  /** Tells whether a master key is the right one; null in a database that no server has opened. */
  readonly masterKeyCheck: string | null;
  /** Lets go of the snapshot. Does nothing the second time. */
  close(): Promise<void>;
}

const PAGE_ROWS = 500;

/**
 * Opens one consistent snapshot of the running deployment. SQLite: a read transaction on a read-only connection,
 * which in WAL mode makes no writer wait. PostgreSQL: REPEATABLE READ, READ ONLY. The counters of SQLite lie in a
 * file of their own, whose snapshot is taken a moment later.
 */
export async function openSnapshot(
  config: Pick<Config, 'database' | 'dataDir'>,
  logger: StorageLogger,
): Promise<Snapshot> {
  if (config.database.engine === 'sqlite') return await openSqliteSnapshot(config.dataDir);
  const storage = openStorage(config, logger);
  try {
    const tx = await storage.migration.main
      .startTransaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute();
    const close = async () => {
      // The connection may be gone; then so is the transaction.
      await tx
        .rollback()
        .execute()
        .catch(() => {});
      await storage.close();
    };
    return await closingOnFault(close, async () => await describe('postgres', tx, tx, close));
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function openSqliteSnapshot(dataDir: string): Promise<Snapshot> {
  const opened: Kysely<Database>[] = [];
  const close = async () => void (await Promise.all(opened.map((kysely) => kysely.destroy())));
  return await closingOnFault(close, async () => {
    for (const name of ['keyreeve.db', 'usage.db']) {
      const database = openSqlite({ file: path.join(dataDir, name), readOnly: true });
      const kysely = new Kysely<Database>({ dialect: createSqliteDialect(database) });
      opened.push(kysely);
      // Not through Kysely's transactions, which take the lock of writers here. The snapshot begins with the first
      // read; this dialect has one connection.
      await sql`begin deferred`.execute(kysely);
      await sql`select count(*) from sqlite_schema`.execute(kysely);
    }
    const [main, usage] = opened as [Kysely<Database>, Kysely<Database>];
    return await describe('sqlite', main, usage, close);
  });
}

async function closingOnFault<Result>(
  close: () => Promise<void>,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}

async function describe(
  engine: 'sqlite' | 'postgres',
  main: Kysely<Database>,
  usage: Kysely<Database>,
  close: () => Promise<void>,
): Promise<Snapshot> {
  const stores = { main, usage };
  const check = await main
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'master_key_check')
    .executeTakeFirst();
  const tables: (TableShape & { store: StoreName })[] = [];
  for (const store of ['main', 'usage'] as const) {
    for (const shape of await listTables({ exec: stores[store], engine, store }))
      tables.push({ ...shape, store });
  }
  return {
    engine,
    main,
    masterKeyCheck: check?.value ?? null,
    close,
    tables,
    versions: {
      main: await readVersions(main, 'schema_migrations'),
      usage: await readVersions(usage, 'usage_migrations'),
    },
    readRows: (table) => readPages(stores[table.store], table),
  };
}

/** The names of the migrations that were run here, in order. */
export async function readVersions(exec: Kysely<Database>, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(table)} order by name`.execute(
    exec,
  );
  return rows.map(({ name }) => name);
}

/** Pages by the primary key, so that a table of millions never lies in memory as a whole. */
async function* readPages(
  exec: Kysely<Database>,
  { name, columns, primaryKey }: TableShape,
): AsyncGenerator<unknown[][]> {
  const [list, key] = [columns, primaryKey].map((names) => sql.join(names.map((column) => sql.ref(column))));
  const places = primaryKey.map((column) => columns.indexOf(column));
  let last: readonly unknown[] | null = null;
  for (;;) {
    const behind: ReturnType<typeof sql> =
      last === null ? sql`` : sql`where (${key}) > (${sql.join(last.map((value) => sql`${value}`))})`;
    const { rows } = await sql<Record<string, unknown>>`select ${list} from ${sql.table(name)} ${behind}
      order by ${key} limit ${sql.lit(PAGE_ROWS)}`.execute(exec);
    const page = rows.map((row) => columns.map((column) => row[column]));
    if (page.length > 0) yield page;
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE_ROWS) return;
    last = places.map((place) => end[place]);
  }
}
