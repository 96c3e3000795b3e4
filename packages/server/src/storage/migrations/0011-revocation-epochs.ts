import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/**
 * The epoch of a workspace is the sum of its parts; the transaction of each revocation raises one of them. One row
 * would make all of them wait for each other, and on PostgreSQL fail.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  const { table, text } = tableMaker(db);
  await table('revocation_epochs', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('part', 'integer', (c) => c.notNull())
      .addColumn('epoch', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('revocation_epochs_key', ['workspace_id', 'part']),
  );
}

export const revocationEpochs: Migration = { up };
