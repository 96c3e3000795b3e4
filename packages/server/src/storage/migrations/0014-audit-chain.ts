import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/**
 * Each row of the audit log carries the hash of the one before it. The rows that are there are chained by a job, in
 * batches, after the start; until it has come to the end of a workspace, new rows of it wait for the job too.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  const { table, text } = tableMaker(db);
  await db.schema.alterTable('audit').addColumn('number', 'bigint').execute();
  await db.schema.alterTable('audit').addColumn('form', 'integer').execute();
  for (const name of ['previous_hash', 'hash', 'mac'])
    await db.schema.alterTable('audit').addColumn(name, text).execute();
  await table('audit_heads', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('version', 'bigint', (c) => c.notNull())
      .addColumn('number', 'bigint', (c) => c.notNull())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('hash', text, (c) => c.notNull())
      .addColumn('is_live', 'integer', (c) => c.notNull())
      .addColumn('broken_at', 'bigint')
      .addColumn('checkpoint', 'bigint', (c) => c.notNull())
      .addColumn('checkpoint_at', 'bigint', (c) => c.notNull())
      .addColumn('mac', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('audit_heads_key', ['workspace_id', 'version']),
  );
  await table('audit_checkpoints', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('number', 'bigint', (c) => c.notNull())
      .addColumn('previous', 'bigint', (c) => c.notNull())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('hash', text, (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.notNull())
      .addColumn('signature', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('audit_checkpoints_key', ['workspace_id', 'number']),
  );
  await table('audit_keys', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('sealed', text, (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull()),
  );
}

export const auditChain: Migration = { up };
