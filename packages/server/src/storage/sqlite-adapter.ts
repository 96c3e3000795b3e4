import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SqliteAdapter, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';
import { CommitOutcomeUnknown, isDiskFault, isRetryable } from './faults.ts';

const STATEMENTS_MAX = 500;
const CACHE_KIB = 8_192;
const OPENING_WAIT_MS = 5_000;
const OPENING_PAUSE_MS = 20;
const MENDING_WAIT_MS = 500;
const SQLITE_VERSION_MIN = [3, 51, 3] as const;

export interface SqliteOptions {
  readonly file: string;
  readonly readOnly: boolean;
}

/**
 * Opens one connection with the settings that durability and safety need, and reads each of them back: a
 * build or a file system that silently ignores one would lose acknowledged writes. While another process makes
 * the same new file it waits, with the whole process: nobody is served yet.
 *
 * @throws Error when a setting did not take, or the SQLite library has the WAL-reset bug (before 3.51.3).
 */
export function openSqlite(options: SqliteOptions): DatabaseSync {
  const startedAt = performance.now();
  for (;;) {
    try {
      return openOnce(options);
    } catch (error) {
      if (!isRetryable(error) || performance.now() - startedAt >= OPENING_WAIT_MS) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPENING_PAUSE_MS);
    }
  }
}

function openOnce(options: SqliteOptions): DatabaseSync {
  const database = new DatabaseSync(options.file, {
    readOnly: options.readOnly,
    // Waiting in the library would stop the event loop for as long as another process writes; callers
    // retry asynchronously instead. A reader waits for no writer, only for moments in which another process
    // mends what one that was killed left half done, and whoever reads does not try again.
    timeout: options.readOnly ? MENDING_WAIT_MS : 0,
    defensive: true,
    enableForeignKeyConstraints: true,
  });
  try {
    requireVersion(database);
    requireSettings(database, options.readOnly);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function requireSettings(database: DatabaseSync, isReadOnly: boolean): void {
  if (!isReadOnly) requirePragma(database, 'journal_mode', 'wal', 'wal');
  requirePragma(database, 'synchronous', 'FULL', 2);
  requirePragma(database, 'foreign_keys', 'ON', 1);
  requirePragma(database, 'trusted_schema', 'OFF', 0);
  requirePragma(database, 'temp_store', 'MEMORY', 2);
  // Deleted digests and mails are overwritten on disk, not only unlinked.
  requirePragma(database, 'secure_delete', 'ON', 1);
  requirePragma(database, 'mmap_size', '0', 0);
  // For each of several connections, and kept once filled. What does not fit comes from the page cache of the system
  // for one more call, and memory that the process holds itself is counted against it.
  requirePragma(database, 'cache_size', String(-CACHE_KIB), -CACHE_KIB);
}

function requireVersion(database: DatabaseSync): void {
  const row = database.prepare('select sqlite_version() as version').get();
  const version = String(row?.['version']);
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of SQLITE_VERSION_MIN.entries()) {
    const found = parts[index] ?? 0;
    if (found > wanted) return;
    if (found < wanted)
      throw new Error(
        `SQLite ${version} can corrupt its log; ${SQLITE_VERSION_MIN.join('.')} or newer is needed.`,
      );
  }
}

function requirePragma(database: DatabaseSync, name: string, value: string, expected: string | number): void {
  database.exec(`pragma ${name} = ${value}`);
  const row = database.prepare(`pragma ${name}`).get();
  const found = row === undefined ? undefined : Object.values(row)[0];
  if (found !== expected)
    throw new Error(`SQLite did not accept ${name}=${value} (it says ${String(found)}); refusing to start.`);
}

/** What Kysely's SQLite driver needs, over `node:sqlite`, with prepared statements kept. */
class NodeSqliteDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  prepare(text: string): SqliteStatement {
    // Kysely says `begin`, which takes the write lock only at the first write: a transaction that has read
    // before could then fail with a busy error that no retry of the statement mends.
    const sql = text === 'begin' ? 'begin immediate' : text;
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#wrapEnd(
      sql,
      wrapStatement(this.#database.prepare(sql), () => this.#database.prepare(sql)),
    );
    if (this.#statements.size >= STATEMENTS_MAX) {
      const oldest = this.#statements.keys().next().value;
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  #wrapEnd(sql: string, statement: SqliteStatement): SqliteStatement {
    const run = (parameters: Parameters<SqliteStatement['run']>[0]) => statement.run(parameters);
    if (sql === 'commit') return { ...statement, run: (parameters) => runCommit(() => run(parameters)) };
    if (sql !== 'rollback') return statement;
    // On a full or failing disk SQLite rolls back by itself. A second rollback is an error of its own, which would
    // come in the place of the one that says what has happened.
    const nothing = { changes: 0, lastInsertRowid: 0 };
    return { ...statement, run: (parameters) => (this.#database.isTransaction ? run(parameters) : nothing) };
  }
}

/**
 * When the disk fails at a commit, the change may stand in the log already: this process does not see it, and one
 * that starts after a crash does.
 */
function runCommit<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw isDiskFault(error) ? new CommitOutcomeUnknown({ cause: error }) : error;
  }
}

type Parameter = null | number | bigint | string | NodeJS.ArrayBufferView;

function wrapStatement(statement: StatementSync, prepareAgain: () => StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as Parameter[])),
    run: (parameters) => statement.run(...(parameters as Parameter[])),
    iterate: (parameters) => prepareAgain().iterate(...(parameters as Parameter[])),
  };
}

/** SQLite rolls a changed schema back like anything else; saying so makes a migration run whole or not at all. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class NodeSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

export function createSqliteDialect(database: DatabaseSync): SqliteDialect {
  return new NodeSqliteDialect({ database: new NodeSqliteDatabase(database) });
}
