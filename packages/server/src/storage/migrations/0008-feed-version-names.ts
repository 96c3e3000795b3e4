import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { tableMaker } from './dialect.ts';

/**
 * A search of V3 names every version of each package that it found, in hundreds. Their full spelling stood only beside
 * the manifests, and reading past those took most of the time of a search.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  const { text } = tableMaker(db);
  await db.schema
    .alterTable('feed_entries')
    .addColumn('version_full', text, (c) => c.notNull().defaultTo(''))
    .execute();
  await sql`update feed_entries set version_full =
    (select package_versions.version_full from package_versions where package_versions.id = feed_entries.id)`.execute(
    db,
  );
}

export const feedVersionNames: Migration = { up };
