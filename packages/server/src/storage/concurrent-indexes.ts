import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { LARGE_INDEXES, type LargeIndex, REPLACED_INDEXES } from './migrations/large-indexes.ts';
import type { Database } from './schema.ts';

const POLL_MS = 250;
const TRIES_MAX = 5;

/**
 * What another process that starts at the same time may be the cause of: the name is taken by now, or one has waited
 * for the other. The next look at the index says how things stand.
 */
const CROSSED = ['42P07', '23505', '40P01', '55P03', '42704', 'XX000'];

type IndexState = 'missing' | 'building' | 'broken' | 'ready';

/**
 * Makes the indexes of large tables on PostgreSQL, while others read and write: `create index concurrently`, outside
 * any transaction. Several processes may do it at the same time; one makes an index, the others wait for it. What an
 * interrupted try has left is taken away and made anew.
 *
 * @throws Error naming the index that could not be made
 */
export async function makeLargeIndexes(db: Kysely<Database>): Promise<void> {
  for (const index of LARGE_INDEXES) await makeIndex(db, index);
  for (const name of REPLACED_INDEXES)
    if ((await readState(db, name)) !== 'missing') await dropIndex(db, name);
}

async function makeIndex(db: Kysely<Database>, { name, definition }: LargeIndex): Promise<void> {
  for (let tries = 1; ; ) {
    const state = await readState(db, name);
    if (state === 'ready') return;
    if (state === 'building') {
      await delay(POLL_MS);
      continue;
    }
    try {
      if (state === 'broken') await dropIndex(db, name);
      await unhurried(db, sql`create index concurrently ${sql.id(name)} on ${sql.raw(definition)}`);
    } catch (error) {
      if (tries >= TRIES_MAX || !isCrossed(error))
        throw new Error(`The index ${name} could not be made.`, { cause: error });
      tries += 1;
      await delay(POLL_MS);
    }
  }
}

function isCrossed(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && CROSSED.includes(code);
}

async function dropIndex(db: Kysely<Database>, name: string): Promise<void> {
  await unhurried(db, sql`drop index concurrently if exists ${sql.id(name)}`);
}

/**
 * In its last steps the statement waits for every transaction that is older, a backup for instance; it makes nobody
 * wait meanwhile. Cut short there, all of its work would be lost.
 */
async function unhurried(db: Kysely<Database>, statement: ReturnType<typeof sql>): Promise<void> {
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ before: string }>`
      select current_setting('lock_timeout') as before`.execute(connection);
    await sql`set lock_timeout = 0`.execute(connection);
    try {
      await statement.execute(connection);
    } finally {
      await sql`select set_config('lock_timeout', ${rows[0]?.before ?? '0'}, false)`.execute(connection);
    }
  });
}

async function readState(db: Kysely<Database>, name: string): Promise<IndexState> {
  const { rows } = await sql<{ is_valid: boolean; is_building: boolean }>`
    select index.indisvalid as is_valid,
      exists (select 1 from pg_stat_progress_create_index progress
        where progress.index_relid = index.indexrelid) as is_building
    from pg_index index join pg_class class on class.oid = index.indexrelid
    where class.relname = ${name} and pg_table_is_visible(class.oid)`.execute(db);
  const [row] = rows;
  if (row === undefined) return 'missing';
  if (row.is_valid) return 'ready';
  return row.is_building ? 'building' : 'broken';
}
