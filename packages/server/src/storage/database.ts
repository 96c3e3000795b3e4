import { type Compilable, type Kysely, sql, type Transaction } from 'kysely';
import type { EpochGuard } from './epoch-guard.ts';
import type { Database } from './schema.ts';

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
  /**
   * On PostgreSQL, sees what is committed now, also in the middle of a transaction that has begun before: with
   * connections of its own, which wait for nobody. On SQLite the transaction itself sees it, as the only one that writes.
   */
  readonly fresh: Kysely<Database> | null;
  /** Main and usage store for migrations, which have no deadline: an index over millions of rows takes its time. */
  readonly migration: { readonly main: Kysely<Database>; readonly usage: Kysely<Database> };
  /**
   * A number that changes with every commit to the main store by any connection, also of other processes; what
   * was read under one value is true as long as it is the value. Null on PostgreSQL, which has no such number.
   */
  readonly changeCounter: (() => number) | null;
  /**
   * A query that is run at once, without a turn of the event loop, for the few reads that come before an answer can
   * be given synchronously. Each call takes the values of all its parameters. Null on PostgreSQL, which has to be
   * waited for.
   */
  readonly prepareRead:
    | (<Row>(query: Compilable<Row>) => (...values: readonly string[]) => Row | undefined)
    | null;
  /** Tells whoever keeps answers about keys in memory whether they still hold, on both engines. */
  readonly epochGuard: EpochGuard;
  /** @see RaiseListener */
  readonly raiseListeners: Set<RaiseListener>;
  close(): Promise<void>;
}

/** Resolves when the database answers. */
export async function pingStorage(storage: Storage): Promise<void> {
  await sql`select 1`.execute(storage.read);
}

export interface StorageLogger {
  error(details: object, message: string): void;
  warn?(details: object, message: string): void;
  info?(details: object, message: string): void;
}
