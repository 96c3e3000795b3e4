import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { isPostgres, tableMaker } from './dialect.ts';

/** As `audit-stripes.ts` names them. */
const STRIPES = 16;

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
      .addColumn('workspace_id', text, (c) => c.primaryKey())
      .addColumn('number', 'bigint', (c) => c.notNull())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('hash', text, (c) => c.notNull())
      .addColumn('is_live', 'integer', (c) => c.notNull())
      .addColumn('broken_at', 'bigint')
      .addColumn('checkpoint', 'bigint', (c) => c.notNull())
      .addColumn('checkpoint_at', 'bigint', (c) => c.notNull())
      .addColumn('mac', text, (c) => c.notNull()),
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
  if (!isPostgres(db)) return;
  for (let stripe = 0; stripe < STRIPES; stripe += 1)
    await table(`audit_stripe_${String(stripe).padStart(2, '0')}`, (t) =>
      t.addColumn('id', 'integer', (c) => c.primaryKey()),
    );
}

export const auditChain: Migration = { up };
