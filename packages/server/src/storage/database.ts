import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { Config } from '../config/index.ts';
import { createSqliteEpochGuard, type EpochGuard } from './epoch-guard.ts';
import { readRevocationEpochs } from './revocation-epochs.ts';
import type { Database } from './schema.ts';
import { createSqliteDialect, openSqlite } from './sqlite-adapter.ts';

/** What a repo function runs on: a connection for reading, or the transaction of its caller. */
export type Executor = Kysely<Database> | Transaction<Database>;

/**
 * Called after each commit of this process that has raised revocation epochs, with the workspaces. Who made the
 * change is answered when all are done, or after 2.5 seconds; what they throw is not heard.
 */
export type RaiseListener = (workspaceIds: ReadonlySet<string>) => void | Promise<void>;

/**
 * The database of one process. On SQLite reads have a connection of their own (WAL readers never wait for
 * the writer), and last-use times and counters have a file of their own, so that counting never wakes the
 * caches that watch the main file.
 */
export interface Storage {
  readonly engine: 'sqlite' | 'postgres';
  readonly read: Kysely<Database>;
  /** Only for `inTransaction`. */
  readonly write: Kysely<Database>;
  readonly usage: Kysely<Database>;
  /**
   * For the one small question that must not wait behind all others: when the revocation epochs come late, whoever
   * keeps answers asks for each of them, and a busy server would get busier.
   */
  readonly watch: Kysely<Database>;
  /** Main and usage store for migrations, which have no deadline: an index over millions of rows takes its time. */
  readonly migration: { readonly main: Kysely<Database>; readonly usage: Kysely<Database> };
  /**
   * A number that changes with every commit to the main store by any connection, also of other processes; what
   * was read under one value is true as long as it is the value. Null on PostgreSQL, which has no such number.
   */
  readonly changeCounter: (() => number) | null;
  /** Tells whoever keeps answers about keys in memory whether they still hold, on both engines. */
  readonly epochGuard: EpochGuard;
  /** @see RaiseListener */
  readonly raiseListeners: Set<RaiseListener>;
  close(): Promise<void>;
}

const POSTGRES_INT8_OID = 20;
const STATEMENT_TIMEOUT_MS = 5_000;
const WATCH_TIMEOUT_MS = 1_000;

/** Resolves when the database answers. */
export async function pingStorage(storage: Storage): Promise<void> {
  await sql`select 1`.execute(storage.read);
}

export interface StorageLogger {
  error(details: object, message: string): void;
}

export function openStorage(config: Pick<Config, 'database' | 'dataDir'>, logger: StorageLogger): Storage {
  return config.database.engine === 'postgres'
    ? openPostgresStorage(config.database.url.reveal(), logger)
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
    migration: { main: write, usage },
    changeCounter: () => Number(dataVersion.get()?.['data_version']),
    epochGuard: createSqliteEpochGuard(readDatabase),
    raiseListeners: new Set(),
    close: async () => {
      await Promise.all([read.destroy(), write.destroy(), usage.destroy()]);
    },
  };
}

function openPostgresStorage(url: string, logger: StorageLogger): Storage {
  // int8 arrives as text by default; our integers are milliseconds and counts, all below 2^53.
  const types = new pg.TypeOverrides();
  types.setTypeParser(POSTGRES_INT8_OID, Number);
  const toKysely = ({ options = '', ...limits }: pg.PoolConfig): Kysely<Database> => {
    const pool = new pg.Pool({
      connectionString: url,
      types,
      connectionTimeoutMillis: 2_000,
      lock_timeout: 2_000,
      keepAlive: true,
      options: `-c synchronous_commit=on ${options}`,
      ...limits,
    });
    // Without listeners, a connection that breaks ends the process: the pool listens only while it is idle, and
    // hands on what the connection has already told. One that breaks while it is being closed is no fault.
    pool.on('connect', (client) =>
      client.on('error', (error) => {
        if (!pool.ending) logger.error({ err: error }, 'a database connection broke');
      }),
    );
    pool.on('error', () => {});
    return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  };
  const kysely = toKysely({
    max: 10,
    query_timeout: STATEMENT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
  });
  const watch = toKysely({ max: 1, query_timeout: WATCH_TIMEOUT_MS, statement_timeout: WATCH_TIMEOUT_MS });
  // Connects when it is asked something, and has nothing open a second later. Also without a deadline that the
  // database itself sets for the user.
  const unhurried = toKysely({ max: 1, options: '-c statement_timeout=0', idleTimeoutMillis: 1_000 });
  return {
    engine: 'postgres',
    read: kysely,
    write: kysely,
    usage: kysely,
    watch,
    migration: { main: unhurried, usage: unhurried },
    changeCounter: null,
    epochGuard: {
      peek: () => null,
      read: async (workspaceId) => (await readRevocationEpochs(watch, [workspaceId])).get(workspaceId) ?? 0,
      freshness: () => ({ source: 'database', ageMs: 0 }),
      drop: () => {},
    },
    raiseListeners: new Set(),
    close: async () => {
      await Promise.all([kysely.destroy(), watch.destroy(), unhurried.destroy()]);
    },
  };
}
