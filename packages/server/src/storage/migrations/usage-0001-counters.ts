import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

async function up(db: Kysely<unknown>): Promise<void> {
  const { table, text } = tableMaker(db);
  await table('key_last_uses', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.primaryKey())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('ip', text)
      .addColumn('user_agent', text),
  );
  await table('key_hours', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.notNull())
      .addColumn('hour', 'bigint', (c) => c.notNull())
      .addColumn('outcome', text, (c) => c.notNull())
      .addColumn('count', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('key_hours_key', ['key_id', 'hour', 'outcome']),
  );
  await table('refusal_hours', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('hour', 'bigint', (c) => c.notNull())
      .addColumn('reason', text, (c) => c.notNull())
      .addColumn('count', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('refusal_hours_key', ['workspace_id', 'hour', 'reason']),
  );
}

export const counters: Migration = { up };
