import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { toTagWords } from '../../lib/tag-words.ts';
import { versionSortKey } from '../../lib/version-sort-key.ts';
import { isPostgres, type TableMaker, tableMaker } from './dialect.ts';

/**
 * What the package feeds read. A version carries its whole manifest, so a scan over versions would read megabytes:
 * `feed_entries` holds of each version only what feeds filter and sort by, and which one is the latest.
 * `package_search` holds the words of a package under an index of three characters each; `package_downloads` counts
 * apart from the rows that pushes change.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  const maker = tableMaker(db);
  await createFeedEntries(maker, db);
  await createSearch(maker, db);
  await createDownloads(maker);
  await fillFeedEntries(db);
  await fillSearch(db);
}

const LATEST_FLAGS = ['is_latest', 'is_absolute_latest', 'is_latest_semver1', 'is_absolute_latest_semver1'];

async function createFeedEntries({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('feed_entries', (t) => {
    let made = t.addColumn('id', text, (c) => c.primaryKey());
    for (const name of ['workspace_id', 'package_id', 'id_lower', 'version_lower', 'sort_key'])
      made = made.addColumn(name, text, (c) => c.notNull());
    for (const name of ['listed', 'is_prerelease', 'is_semver2', ...LATEST_FLAGS])
      made = made.addColumn(name, 'integer', (c) => c.notNull());
    return made
      .addColumn('pushed_at', 'bigint', (c) => c.notNull())
      .addColumn('title', text)
      .addColumn('tags', text, (c) => c.notNull())
      .addColumn('package_types', text, (c) => c.notNull())
      .addColumn('authors', text, (c) => c.notNull());
  });
  const index = async (name: string, columns: string[], where?: string): Promise<void> => {
    const made = db.schema.createIndex(name).on('feed_entries').columns(columns);
    await (where === undefined ? made : made.where(sql.ref(where), '=', sql.lit(1))).execute();
  };
  await index('feed_entries_by_version', ['workspace_id', 'id_lower', 'sort_key', 'id']);
  await index('feed_entries_by_package', ['package_id', 'sort_key']);
  await index('feed_entries_by_push', ['workspace_id', 'pushed_at', 'id']);
  // Tools and templates are few among many libraries, which have no type of their own.
  await sql`create index feed_entries_by_type on feed_entries (workspace_id, id_lower) where package_types <> ''`.execute(
    db,
  );
  for (const flag of LATEST_FLAGS) {
    // A search compares the packages that it has found with these, and then need not read the entries.
    await index(`feed_entries_${flag.slice(3)}`, ['workspace_id', 'id_lower', 'id', 'package_id'], flag);
  }
}

async function createSearch({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('package_search', (t) =>
    t
      .addColumn('number', isPostgres(db) ? 'bigserial' : 'integer', (c) => c.primaryKey())
      .addColumn('package_id', text, (c) => c.notNull().unique())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('words', text, (c) => c.notNull())
      .addColumn('tags', text, (c) => c.notNull()),
  );
  await (isPostgres(db) ? createTrigramIndex(db) : createTrigramTable(db));
}

/** The extension comes with PostgreSQL and is trusted; where it is missing all the same, searches read the table. */
export async function createTrigramIndex(db: Kysely<unknown>): Promise<void> {
  await sql`do $$ begin
    create extension if not exists pg_trgm;
    create index package_search_trigrams on package_search using gin (words gin_trgm_ops, tags gin_trgm_ops);
  exception when insufficient_privilege or undefined_file or feature_not_supported or undefined_object then
    raise notice 'pg_trgm is missing: searches for packages read the whole table';
  end $$`.execute(db);
}

export async function createTrigramTable(db: Kysely<unknown>): Promise<void> {
  await sql`create virtual table package_search_trigrams using fts5(
    words, tags, content = 'package_search', content_rowid = 'number', tokenize = 'trigram')`.execute(db);
  const put = sql`insert into package_search_trigrams (rowid, words, tags) values (new.number, new.words, new.tags);`;
  const take = sql`insert into package_search_trigrams (package_search_trigrams, rowid, words, tags)
    values ('delete', old.number, old.words, old.tags);`;
  const on = async (event: string, work: RawBuilder<unknown>): Promise<void> => {
    await sql`create trigger ${sql.raw(`package_search_${event}`)} after ${sql.raw(event)} on package_search
      begin ${work} end`.execute(db);
  };
  await on('insert', put);
  await on('delete', take);
  await on('update', sql`${take} ${put}`);
}

async function createDownloads({ table, text }: TableMaker): Promise<void> {
  await table('package_downloads', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('downloads', 'bigint', (c) => c.notNull()),
  );
}

interface OldVersion {
  id: string;
  workspace_id: string;
  package_id: string;
  id_lower: string;
  version_lower: string;
  version: string;
  listed: number;
  is_prerelease: number;
  is_semver2: number;
  pushed_at: number;
  metadata: string;
}

const BATCH = 200;

async function fillFeedEntries(db: Kysely<unknown>): Promise<void> {
  for (let after = ''; ; ) {
    const { rows } =
      await sql<OldVersion>`select package_versions.id, package_versions.workspace_id, package_id,
      packages.id_lower, version_lower, version, listed, is_prerelease, is_semver2, pushed_at, metadata
      from package_versions join packages on packages.id = package_id
      where package_versions.id > ${after} order by package_versions.id limit ${BATCH}`.execute(db);
    for (const row of rows) await insertEntry(db, row);
    const last = rows.at(-1);
    if (rows.length < BATCH || last === undefined) break;
    after = last.id;
  }
  await markLatest(db);
}

async function insertEntry(db: Kysely<unknown>, row: OldVersion): Promise<void> {
  const metadata = JSON.parse(row.metadata) as Record<string, unknown>;
  const { title, tags, authors } = metadata as Record<string, string | null | undefined>;
  const packageTypes = (metadata['packageTypes'] ?? []) as readonly { readonly name: string }[];
  await sql`insert into feed_entries (id, workspace_id, package_id, id_lower, version_lower, sort_key, listed,
    is_prerelease, is_semver2, is_latest, is_absolute_latest, is_latest_semver1, is_absolute_latest_semver1,
    pushed_at, title, tags, package_types, authors)
    values (${row.id}, ${row.workspace_id}, ${row.package_id}, ${row.id_lower}, ${row.version_lower},
    ${versionSortKey(row.version)}, ${row.listed}, ${row.is_prerelease}, ${row.is_semver2}, 0, 0, 0, 0,
    ${row.pushed_at}, ${title ?? null}, ${toTagWords(tags ?? null)},
    ${toTagWords(packageTypes.map(({ name }) => name).join(' '))}, ${authors ?? ''})`.execute(db);
}

async function markLatest(db: Kysely<unknown>): Promise<void> {
  for (const flag of LATEST_FLAGS) {
    const isAmong = [
      'other.listed = 1',
      ...(flag.includes('absolute') ? [] : ['other.is_prerelease = 0']),
      ...(flag.endsWith('semver1') ? ['other.is_semver2 = 0'] : []),
    ].join(' and ');
    await sql`update feed_entries set ${sql.ref(flag)} = 1 where id in (
      select (select other.id from feed_entries as other where other.package_id = packages.id
        and ${sql.raw(isAmong)} order by other.sort_key desc limit 1) from packages)`.execute(db);
  }
}

async function fillSearch(db: Kysely<unknown>): Promise<void> {
  for (let after = ''; ; ) {
    const { rows } = await sql<{
      id: string;
      workspace_id: string;
      display_id: string;
      title: string | null;
      description: string | null;
      tags: string | null;
    }>`select packages.id, packages.workspace_id, display_id, description, packages.tags,
      (select title from feed_entries where package_id = packages.id order by pushed_at desc, id desc limit 1) as title
      from packages where packages.id > ${after} order by packages.id limit ${BATCH}`.execute(db);
    for (const row of rows) {
      const words = [row.display_id, row.title ?? '', row.description ?? ''].join('\n').toLowerCase();
      await sql`insert into package_search (package_id, workspace_id, words, tags)
        values (${row.id}, ${row.workspace_id}, ${words}, ${toTagWords(row.tags)})`.execute(db);
    }
    const last = rows.at(-1);
    if (rows.length < BATCH || last === undefined) break;
    after = last.id;
  }
}

export const feeds: Migration = { up };
