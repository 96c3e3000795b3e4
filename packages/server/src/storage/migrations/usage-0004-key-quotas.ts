import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/** Uses of keys with a quota: in this store, since they are written with each use, and wake no cache of the other. */
async function up(db: Kysely<unknown>): Promise<void> {
  const { table, text } = tableMaker(db);
  await table('key_quotas', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.notNull())
      .addColumn('source', text, (c) => c.notNull())
      .addColumn('every', text, (c) => c.notNull())
      .addColumn('period', 'bigint', (c) => c.notNull())
      .addColumn('used', 'bigint', (c) => c.notNull())
      .addColumn('given', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('key_quotas_key', ['key_id', 'source', 'every']),
  );
}

export const keyQuotas: Migration = { up };
