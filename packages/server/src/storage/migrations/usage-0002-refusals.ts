import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/** The last refusal of each key, and what the counters of all keys of a workspace add up to, hour by hour. */
async function up(db: Kysely<unknown>): Promise<void> {
  const { table, text } = tableMaker(db);
  await table('key_last_refusals', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.primaryKey())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('ip', text)
      .addColumn('user_agent', text)
      .addColumn('reason', text, (c) => c.notNull()),
  );
  await db.schema
    .createIndex('key_last_refusals_by_reason')
    .on('key_last_refusals')
    .columns(['workspace_id', 'reason', 'at', 'key_id'])
    .execute();
  await table('workspace_hours', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('hour', 'bigint', (c) => c.notNull())
      .addColumn('outcome', text, (c) => c.notNull())
      .addColumn('count', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('workspace_hours_key', ['workspace_id', 'hour', 'outcome']),
  );
  await sql`insert into workspace_hours (workspace_id, hour, outcome, count)
    select workspace_id, hour, outcome, sum(count) from key_hours group by workspace_id, hour, outcome`.execute(
    db,
  );
}

export const refusals: Migration = { up };
