import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { toTagWords } from '../../lib/tag-words.ts';
import { createTrigramIndex, createTrigramTable } from './0005-feeds.ts';
import { isPostgres, tableMaker } from './dialect.ts';

/**
 * Searches looked for words in the version that was pushed last, and showed another: a release was found by the tags of
 * its next prerelease and not by its own. Now each version that some search shows has its own words.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  if (!isPostgres(db)) await sql`drop table package_search_trigrams`.execute(db);
  await sql`drop table package_search`.execute(db);
  const { table, text } = tableMaker(db);
  await table('package_search', (t) =>
    t
      .addColumn('number', isPostgres(db) ? 'bigserial' : 'integer', (c) => c.primaryKey())
      .addColumn('entry_id', text, (c) => c.notNull().unique())
      .addColumn('package_id', text, (c) => c.notNull())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('words', text, (c) => c.notNull())
      .addColumn('tags', text, (c) => c.notNull()),
  );
  await db.schema
    .createIndex('package_search_by_package')
    .on('package_search')
    .columns(['package_id', 'entry_id'])
    .execute();
  await (isPostgres(db) ? createTrigramIndex(db) : createTrigramTable(db));
  await fill(db);
}

interface ShownVersion {
  id: string;
  workspace_id: string;
  package_id: string;
  id_lower: string;
  metadata: string;
}

const BATCH = 200;

async function fill(db: Kysely<unknown>): Promise<void> {
  for (let after = ''; ; ) {
    const { rows } = await sql<ShownVersion>`select feed_entries.id, feed_entries.workspace_id,
      feed_entries.package_id, id_lower, metadata
      from feed_entries join package_versions on package_versions.id = feed_entries.id
      where feed_entries.id > ${after} and (is_latest = 1 or is_absolute_latest = 1 or is_latest_semver1 = 1
        or is_absolute_latest_semver1 = 1)
      order by feed_entries.id limit ${BATCH}`.execute(db);
    for (const row of rows) {
      const metadata = JSON.parse(row.metadata) as Record<string, string | null | undefined>;
      const words = [row.id_lower, metadata['title'] ?? '', metadata['description'] ?? ''].join('\n');
      await sql`insert into package_search (entry_id, package_id, workspace_id, words, tags) values (${row.id},
        ${row.package_id}, ${row.workspace_id}, ${words.toLowerCase()}, ${toTagWords(metadata['tags'] ?? null)})`.execute(
        db,
      );
    }
    const last = rows.at(-1);
    if (rows.length < BATCH || last === undefined) break;
    after = last.id;
  }
}

export const searchOfVersions: Migration = { up };
