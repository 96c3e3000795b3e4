import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/** One row for each workspace in which anything was revoked; the transaction of each revocation raises its number. */
async function up(db: Kysely<unknown>): Promise<void> {
  const { table, text } = tableMaker(db);
  await table('revocation_epochs', (t) =>
    t.addColumn('workspace_id', text, (c) => c.primaryKey()).addColumn('epoch', 'bigint', (c) => c.notNull()),
  );
}

export const revocationEpochs: Migration = { up };
