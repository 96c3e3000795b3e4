import { createTestDatabase, openTestStorage, type TestDatabase } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Storage } from '../database.ts';
import { foundation } from './0001-foundation.ts';
import { consoleLists } from './0003-console-lists.ts';
import { feeds } from './0005-feeds.ts';
import { feedVersionNames } from './0008-feed-version-names.ts';
import { searchOfVersions } from './0009-search-of-versions.ts';

let database: TestDatabase;
let storage: Storage;

beforeEach(async () => {
  database = await createTestDatabase();
  storage = openTestStorage(database);
  await foundation.up(storage.write);
  await consoleLists.up(storage.write);
});
afterEach(async () => {
  await storage.close();
  await database.drop();
});

async function insertPackage(id: string): Promise<void> {
  await sql`insert into packages (id, workspace_id, id_lower, display_id, created_at, description, tags)
    values (${id}, 'wsp_1', ${`acme.${id}`}, ${`Acme.${id}`}, 1, 'Tools for Azure', 'PSModule, Cloud')`.execute(
    storage.write,
  );
}

async function insertVersion(packageId: string, versionFull: string, listed = 1, more = {}): Promise<void> {
  const version = versionFull.replace(/\+.*/, '');
  const metadata = { title: 'A Title', tags: 'PSModule, Cloud', authors: 'Ada', ...more };
  await storage.write
    .insertInto('package_versions')
    .values({
      id: `${packageId}_${version}`,
      workspace_id: 'wsp_1',
      package_id: packageId,
      version_lower: version.toLowerCase(),
      version,
      version_full: versionFull,
      is_prerelease: version.includes('-') ? 1 : 0,
      is_semver2: version.includes('-rc.') ? 1 : 0,
      listed,
      size_bytes: 1,
      sha512: 'none',
      metadata: JSON.stringify(metadata),
      pushed_at: 7,
      pushed_by: 'acc_1',
      pushed_key_id: null,
    })
    .execute();
}

it('lets the feeds know every version that is there already, and which one is the latest', async () => {
  await insertPackage('one');
  for (const version of ['9.0.0', '10.0.0', '10.1.0-Beta', '11.0.0-rc.1'])
    await insertVersion('one', version);
  await insertVersion('one', '12.0.0', 0);
  await insertPackage('two');
  await insertVersion('two', '1.0.0', 0);
  await insertPackage('empty');
  // More than one batch of them.
  await insertPackage('many');
  for (let minor = 0; minor < 250; minor += 1) await insertVersion('many', `1.${minor}.0`);
  await feeds.up(storage.write);
  const rows = await storage.read.selectFrom('feed_entries').selectAll().orderBy('sort_key').execute();
  expect(rows).toHaveLength(256);
  const flagged = (
    name: 'is_latest' | 'is_absolute_latest' | 'is_latest_semver1' | 'is_absolute_latest_semver1',
  ) => rows.filter((row) => row[name] === 1).map((row) => row.id);
  expect(flagged('is_latest')).toEqual(['many_1.249.0', 'one_10.0.0']);
  expect(flagged('is_absolute_latest')).toEqual(['many_1.249.0', 'one_11.0.0-rc.1']);
  expect(flagged('is_latest_semver1')).toEqual(['many_1.249.0', 'one_10.0.0']);
  expect(flagged('is_absolute_latest_semver1')).toEqual(['many_1.249.0', 'one_10.1.0-Beta']);
  expect(rows.find((row) => row.id === 'one_10.1.0-Beta')).toMatchObject({
    workspace_id: 'wsp_1',
    id_lower: 'acme.one',
    version_lower: '10.1.0-beta',
    title: 'A Title',
    tags: ' psmodule cloud ',
    authors: 'Ada',
    pushed_at: 7,
    listed: 1,
    is_prerelease: 1,
  });
});

it('keeps the words of every package under the index of the search', async () => {
  await insertPackage('one');
  await insertVersion('one', '1.0.0');
  await feeds.up(storage.write);
  const rows = await storage.read.selectFrom('package_search').selectAll().execute();
  expect(rows).toEqual([
    {
      number: 1,
      package_id: 'one',
      workspace_id: 'wsp_1',
      words: 'acme.one\na title\ntools for azure',
      tags: ' psmodule cloud ',
    },
  ]);
  if (storage.engine === 'postgres') {
    const { rows: indexes } = await sql`select indexname from pg_indexes
      where indexname = 'package_search_trigrams'`.execute(storage.read);
    expect(indexes).toHaveLength(1);
    return;
  }
  const { rows: found } = await sql`select rowid from package_search_trigrams
    where package_search_trigrams match '"azure"'`.execute(storage.read);
  expect(found).toEqual([{ rowid: 1 }]);
});

it('lets the feeds know the full spelling of every version', async () => {
  await insertPackage('one');
  for (const version of ['1.0.0-Beta', '1.0.0+Build.7']) await insertVersion('one', version);
  await feeds.up(storage.write);
  await feedVersionNames.up(storage.write);
  const rows = await storage.read
    .selectFrom('feed_entries')
    .select(['version_lower', 'version_full'])
    .orderBy('sort_key')
    .execute();
  expect(rows).toEqual([
    { version_lower: '1.0.0-beta', version_full: '1.0.0-Beta' },
    { version_lower: '1.0.0', version_full: '1.0.0+Build.7' },
  ]);
});

it('gives each version that a search shows its own words', async () => {
  await insertPackage('one');
  await insertVersion('one', '1.0.0', 1, { description: 'Old' });
  await insertVersion('one', '1.1.0', 1, { tags: 'Stable', description: 'New' });
  await insertVersion('one', '2.0.0-a', 1, { title: null });
  await insertVersion('one', '3.0.0', 0);
  await insertPackage('none');
  await insertVersion('none', '1.0.0', 0);
  await insertPackage('many');
  // More than one batch of packages.
  for (let number = 0; number < 210; number += 1) {
    await insertPackage(`p${number}`);
    await insertVersion(`p${number}`, '1.0.0');
  }
  await feeds.up(storage.write);
  await feedVersionNames.up(storage.write);
  await searchOfVersions.up(storage.write);
  const rows = await storage.read
    .selectFrom('package_search')
    .select(['entry_id', 'package_id', 'workspace_id', 'words', 'tags'])
    .orderBy('entry_id')
    .execute();
  expect(rows).toHaveLength(212);
  const place = { package_id: 'one', workspace_id: 'wsp_1' };
  expect(rows.slice(0, 2)).toEqual([
    { entry_id: 'one_1.1.0', ...place, words: 'acme.one\na title\nnew', tags: ' stable ' },
    { entry_id: 'one_2.0.0-a', ...place, words: 'acme.one\n\n', tags: ' psmodule cloud ' },
  ]);
  const { rows: found } =
    storage.engine === 'postgres'
      ? await sql`select entry_id from package_search where tags like '%stable%'`.execute(storage.read)
      : await sql`select entry_id from package_search where number in (select rowid from package_search_trigrams
          where package_search_trigrams match '"stable"')`.execute(storage.read);
  expect(found).toEqual([{ entry_id: 'one_1.1.0' }]);
});
