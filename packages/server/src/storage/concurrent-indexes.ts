import { type Kysely, sql } from 'kysely';
import type { Storage, StorageLogger } from './database.ts';
import { LARGE_INDEXES, type LargeIndex, REPLACED_INDEXES } from './migrations/large-indexes.ts';
import type { Database } from './schema.ts';

/** Of the one process that makes the indexes, among the advisory locks of the database. */
const INDEX_LOCK = 3_853_314_792;

type IndexState = 'missing' | 'building' | 'broken' | 'ready';

/**
 * Makes the indexes of large tables on PostgreSQL, while others read and write: `create index concurrently`, outside
 * any transaction. One process makes them; others that start meanwhile go on without them, since nothing but speed
 * depends on them. What an interrupted try has left is taken away and made anew.
 *
 * @throws Error naming the index that could not be made; those before it stay
 */
export async function makeLargeIndexes(
  storage: Pick<Storage, 'write' | 'migration'>,
  logger?: StorageLogger,
): Promise<void> {
  const names = [...LARGE_INDEXES.map(({ name }) => name), ...REPLACED_INDEXES];
  if (isAllDone(await readStates(storage.write, names))) return;
  // In read committed a transaction between two statements has no snapshot, for which the making of an index would
  // wait. A transaction, and not a session, has the lock: poolers keep it at one connection.
  const holder = storage.write.transaction().setIsolationLevel('read committed');
  await holder.execute(async (transaction) => {
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(transaction);
    // Tried, not waited for: who waits has a snapshot, and the making of an index would wait for him. Without
    // parameters, since the driver leaves what it has bound them to open, and a snapshot with it.
    const { rows } = await sql<{ is_ours: boolean }>`
      select pg_try_advisory_xact_lock(${sql.lit(INDEX_LOCK)}) as is_ours`.execute(transaction);
    if (rows[0]?.is_ours === true) await makeMissing(storage.migration.main, names, logger);
  });
}

async function makeMissing(
  db: Kysely<Database>,
  names: readonly string[],
  logger?: StorageLogger,
): Promise<void> {
  const states = await readStates(db, names);
  for (const index of LARGE_INDEXES) {
    const state = states.get(index.name) ?? 'missing';
    // The server still makes what a process has begun that was killed since.
    if (state !== 'missing' && state !== 'broken') continue;
    logger?.info?.(
      { index: index.name },
      'an index of a large table is made; older transactions are waited for',
    );
    await makeIndex(db, index, state);
  }
  if (LARGE_INDEXES.some(({ name }) => states.get(name) === 'building')) return;
  for (const name of REPLACED_INDEXES) if (states.has(name)) await dropIndex(db, name);
}

/**
 * No limits are set for it, also none for locks, as the session has none: in its last steps the statement waits for
 * every transaction that is older, a backup for instance, and makes nobody wait meanwhile.
 */
async function makeIndex(
  db: Kysely<Database>,
  { name, definition }: LargeIndex,
  state: IndexState,
): Promise<void> {
  try {
    if (state === 'broken') await dropIndex(db, name);
    await sql`create index concurrently ${sql.id(name)} on ${sql.raw(definition)}`.execute(db);
  } catch (error) {
    throw new Error(`The index ${name} could not be made.`, { cause: error });
  }
}

async function dropIndex(db: Kysely<Database>, name: string): Promise<void> {
  await sql`drop index concurrently if exists ${sql.id(name)}`.execute(db);
}

function isAllDone(states: ReadonlyMap<string, IndexState>): boolean {
  return (
    LARGE_INDEXES.every(({ name }) => states.get(name) === 'ready') &&
    REPLACED_INDEXES.every((name) => !states.has(name))
  );
}

/**
 * The indexes of large tables that lists of many keys miss: not there, or left broken by a try that was interrupted.
 * One that is under way is not among them.
 */
export async function findMissingIndexes(
  db: Kysely<Database>,
  engine: Storage['engine'],
): Promise<readonly LargeIndex[]> {
  const names = LARGE_INDEXES.map(({ name }) => name);
  if (engine === 'postgres') {
    const states = await readStates(db, names);
    return LARGE_INDEXES.filter(({ name }) => ['missing', 'broken'].includes(states.get(name) ?? 'missing'));
  }
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_master where type = 'index' and name in (${sql.join(names)})`.execute(db);
  return LARGE_INDEXES.filter(({ name }) => rows.every((row) => row.name !== name));
}

/** Those that are not there have no state. */
async function readStates(
  db: Kysely<Database>,
  names: readonly string[],
): Promise<ReadonlyMap<string, IndexState>> {
  const { rows } = await sql<{ name: string; is_valid: boolean; is_building: boolean }>`
    select class.relname as name, index.indisvalid as is_valid,
      exists (select 1 from pg_stat_progress_create_index progress
        where progress.index_relid = index.indexrelid) as is_building
    from pg_index index join pg_class class on class.oid = index.indexrelid
    where class.relname = any(${names}::text[]) and pg_table_is_visible(class.oid)`.execute(db);
  return new Map(
    rows.map(({ name, is_valid: isValid, is_building: isBuilding }) => {
      if (isValid) return [name, 'ready'];
      return [name, isBuilding ? 'building' : 'broken'];
    }),
  );
}
