import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { isPostgres } from './dialect.ts';
import { LARGE_INDEXES, REPLACED_INDEXES } from './large-indexes.ts';

/**
 * Indexes for what is looked for in tables of any size: disabled keys, keys by their owner, administrators, and what
 * the sweeps end. On PostgreSQL those of large tables come afterwards, without a lock that writers would wait for.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  for (const index of [
    sql`sessions_by_last_seen on sessions (last_seen_at)`,
    sql`sessions_by_start on sessions (created_at)`,
    sql`one_time_links_by_end on one_time_links (purpose, expires_at)`,
    sql`attempts_by_last_failure on attempts (last_failure_at)`,
  ])
    await sql`create index ${index}`.execute(db);
  if (isPostgres(db)) return;
  for (const { name, definition } of LARGE_INDEXES)
    await sql`create index ${sql.id(name)} on ${sql.raw(definition)}`.execute(db);
  for (const name of REPLACED_INDEXES) await db.schema.dropIndex(name).execute();
}

export const largeLists: Migration = { up };
