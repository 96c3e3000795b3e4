import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/** Limits of a key, and of each key of an account, as JSON; null where nothing is limited. No row is rewritten. */
async function up(db: Kysely<unknown>): Promise<void> {
  const { text } = tableMaker(db);
  await db.schema.alterTable('api_keys').addColumn('limits', text).execute();
  await db.schema.alterTable('accounts').addColumn('key_limits', text).execute();
}

export const keyLimits: Migration = { up };
