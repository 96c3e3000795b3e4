import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type Compilable, Kysely } from 'kysely';
import type { Config } from '../config/index.ts';
import type { Storage, StorageLogger } from './database.ts';
import { createSqliteEpochGuard } from './epoch-guard.ts';
import { openPostgresStorage } from './postgres/open-postgres.ts';
import type { Database } from './schema.ts';
import { createSqliteDialect, openSqlite } from './sqlite-adapter.ts';

export function openStorage(config: Pick<Config, 'database' | 'dataDir'>, logger: StorageLogger): Storage {
  return config.database.engine === 'postgres'
    ? openPostgresStorage(config.database, logger)
    : openSqliteStorage(config.dataDir);
}

function openSqliteStorage(dataDir: string): Storage {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const main = path.join(dataDir, 'keyreeve.db');
  const usageFile = path.join(dataDir, 'usage.db');
  const toKysely = (database: DatabaseSync) =>
    new Kysely<Database>({ dialect: createSqliteDialect(database) });
  const write = toKysely(openSqlite({ file: main, readOnly: false }));
  const usage = toKysely(openSqlite({ file: usageFile, readOnly: false }));
  chmodSync(main, 0o600);
  chmodSync(usageFile, 0o600);
  // The counter of this connection also moves with our own writer's commits, since that is another connection.
  const readDatabase = openSqlite({ file: main, readOnly: true });
  const read = toKysely(readDatabase);
  const dataVersion = readDatabase.prepare('pragma data_version');
  return {
    engine: 'sqlite',
    read,
    write,
    usage,
    watch: read,
    fresh: null,
    migration: { main: write, usage },
    changeCounter: () => Number(dataVersion.get()?.['data_version']),
    prepareRead: (query) => prepareRead(readDatabase, query),
    epochGuard: createSqliteEpochGuard(readDatabase),
    raiseListeners: new Set(),
    close: async () => {
      await Promise.all([read.destroy(), write.destroy(), usage.destroy()]);
    },
  };
}

function prepareRead<Row>(
  database: DatabaseSync,
  query: Compilable<Row>,
): (...values: readonly string[]) => Row | undefined {
  const { sql: text } = query.compile();
  // Prepared when first used: before the migrations there are no tables.
  let statement: ReturnType<DatabaseSync['prepare']> | null = null;
  let names: readonly string[] = [];
  const prepare = (): ReturnType<DatabaseSync['prepare']> => {
    const prepared = database.prepare(text);
    names = prepared.columns().map(({ name }) => name);
    // Of a row with twenty columns, an object of the driver takes a third more time than a list of the values.
    prepared.setReturnArrays(true);
    return prepared;
  };
  return (...values) => {
    statement ??= prepare();
    const fields = statement.get(...values) as unknown as readonly unknown[] | undefined;
    if (fields === undefined) return undefined;
    const row: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index += 1) row[names[index] ?? ''] = fields[index];
    return row as Row;
  };
}
