import { rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { Row } from './seed-rows.ts';

type Store = 'main' | 'usage';

/** Writes rows by the hundred thousand into a database that nobody else uses meanwhile. */
export interface BulkWriter {
  /** Takes the indexes of these tables away; `finish` makes them again, which is faster than to keep them. */
  prepare(store: Store, tables: readonly string[]): Promise<void>;
  insert(store: Store, table: string, rows: readonly Row[]): Promise<void>;
  finish(): Promise<void>;
}

interface DroppedIndex {
  readonly store: Store;
  readonly sql: string;
}

const FILES = { main: 'keyreeve.db', usage: 'usage.db' } as const;

/** SQLite without a journal: whoever stops it half way begins with a new folder. */
export function openSqliteWriter(dataDir: string): BulkWriter {
  const open = (name: string): DatabaseSync => {
    const database = new DatabaseSync(path.join(dataDir, name));
    database.exec(
      'pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -1000000; pragma threads = 2',
    );
    return database;
  };
  const databases = { main: open(FILES.main), usage: open(FILES.usage) };
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const dropped: DroppedIndex[] = [];
  return {
    prepare: (store, tables) => {
      const database = databases[store];
      for (const table of tables) {
        const rows = database
          .prepare(
            `select name, sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null`,
          )
          .all(table);
        for (const { name, sql } of rows) {
          database.exec(`drop index "${String(name)}"`);
          dropped.push({ store, sql: String(sql) });
        }
      }
      return Promise.resolve();
    },
    insert: (store, table, rows) => {
      const columns = Object.keys(rows[0] ?? {});
      if (columns.length === 0) return Promise.resolve();
      const text = `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;
      const statement = statements.get(text) ?? databases[store].prepare(text);
      statements.set(text, statement);
      databases[store].exec('begin');
      for (const row of rows) statement.run(...Object.values(row));
      databases[store].exec('commit');
      return Promise.resolve();
    },
    finish: () => {
      statements.clear();
      for (const { store, sql } of dropped) databases[store].exec(sql);
      for (const [store, database] of Object.entries(databases)) {
        database.exec('pragma journal_mode = wal; pragma wal_checkpoint(truncate)');
        database.close();
        for (const end of ['-wal', '-shm'])
          rmSync(path.join(dataDir, `${FILES[store as Store]}${end}`), { force: true });
      }
      return Promise.resolve();
    },
  };
}

/** PostgreSQL by arrays, one for each column: a few statements for ten thousand rows. */
export async function openPostgresWriter(url: string): Promise<BulkWriter> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`set synchronous_commit = off; set maintenance_work_mem = '512MB'`);
  const types = new Map<string, string>();
  const dropped: string[] = [];
  const typeOf = async (table: string, column: string): Promise<string> => {
    if (types.size === 0 || !types.has(`${table}.${column}`)) {
      const { rows } = await client.query<{ column_name: string; data_type: string }>(
        'select column_name, data_type from information_schema.columns where table_name = $1',
        [table],
      );
      for (const row of rows) types.set(`${table}.${row.column_name}`, row.data_type);
    }
    return types.get(`${table}.${column}`) ?? 'text';
  };
  return {
    prepare: async (_store, tables) => {
      const { rows } = await client.query<{ indexname: string; indexdef: string }>(
        `select indexname, indexdef from pg_indexes where tablename = any($1::text[])
         and not exists (select 1 from pg_constraint where conname = indexname)`,
        [tables],
      );
      for (const { indexname, indexdef } of rows) {
        await client.query(`drop index ${indexname}`);
        dropped.push(indexdef);
      }
    },
    insert: async (_store, table, rows) => {
      const columns = Object.keys(rows[0] ?? {});
      if (columns.length === 0) return;
      const arrays: string[] = [];
      for (const [index, column] of columns.entries())
        arrays.push(`$${index + 1}::${await typeOf(table, column)}[]`);
      await client.query(
        `insert into ${table} (${columns.join(', ')}) select * from unnest(${arrays.join(', ')})`,
        columns.map((column) => rows.map((row) => row[column] ?? null)),
      );
    },
    finish: async () => {
      for (const sql of dropped) await client.query(sql);
      await client.query('vacuum analyze');
      await client.end();
    },
  };
}
