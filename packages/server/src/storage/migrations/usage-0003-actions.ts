import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/**
 * Counters by action, days beside hours, the first refusal of each key, and which flush of a process was stored last.
 * The hours of older releases are copied, with no action: a primary key cannot be widened in place on both engines.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  const { table, text } = tableMaker(db);
  await sql`alter table key_hours rename to key_hours_before`.execute(db);
  for (const [name, span] of [
    ['key_hours', 'hour'],
    ['key_days', 'day'],
  ] as const) {
    await table(name, (t) =>
      t
        .addColumn('workspace_id', text, (c) => c.notNull())
        .addColumn('key_id', text, (c) => c.notNull())
        .addColumn(span, 'bigint', (c) => c.notNull())
        .addColumn('action', text, (c) => c.notNull())
        .addColumn('outcome', text, (c) => c.notNull())
        .addColumn('count', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint(`${name}_by_action_key`, ['key_id', span, 'action', 'outcome']),
    );
    await db.schema.createIndex(`${name}_by_age`).on(name).column(span).execute();
  }
  await sql`insert into key_hours (workspace_id, key_id, hour, action, outcome, count)
    select workspace_id, key_id, hour, '', outcome, count from key_hours_before`.execute(db);
  await db.schema.dropTable('key_hours_before').execute();
  await db.schema.createIndex('workspace_hours_by_age').on('workspace_hours').column('hour').execute();
  await db.schema.alterTable('key_last_refusals').addColumn('action', text).execute();
  await table('key_first_refusals', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.primaryKey())
      .addColumn('since', 'bigint', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('ip', text)
      .addColumn('user_agent', text)
      .addColumn('reason', text, (c) => c.notNull())
      .addColumn('action', text),
  );
  await table('usage_flushes', (t) =>
    t
      .addColumn('recorder_id', text, (c) => c.primaryKey())
      .addColumn('sequence', 'bigint', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull()),
  );
}

export const actions: Migration = { up };
