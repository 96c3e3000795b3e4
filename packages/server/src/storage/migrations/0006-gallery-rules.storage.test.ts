import { createTestDatabase, openTestStorage, type TestDatabase } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Storage } from '../database.ts';
import { foundation } from './0001-foundation.ts';
import { galleryRules } from './0006-gallery-rules.ts';

let database: TestDatabase;
let storage: Storage;

beforeEach(async () => {
  database = await createTestDatabase();
  storage = openTestStorage(database);
  await foundation.up(storage.write);
});
afterEach(async () => {
  await storage.close();
  await database.drop();
});

async function insertPackage(id: string, owners: readonly string[], sizes: readonly number[]): Promise<void> {
  await sql`insert into packages (id, workspace_id, id_lower, display_id, created_at)
    values (${id}, 'wsp_1', ${id}, ${id}, 1)`.execute(storage.write);
  for (const owner of owners) {
    await sql`insert into package_owners (workspace_id, package_id, account_id)
      values ('wsp_1', ${id}, ${owner})`.execute(storage.write);
  }
  for (const [index, size] of sizes.entries()) {
    const version = `${index}.0.0`;
    await sql`insert into package_versions (id, workspace_id, package_id, version_lower, version, version_full,
      is_prerelease, is_semver2, listed, size_bytes, sha512, metadata, pushed_at, pushed_by)
      values (${`${id}_${version}`}, 'wsp_1', ${id}, ${version}, ${version}, ${version}, 0, 0, ${index % 2}, ${size},
      'none', '{}', 7, 'acc_1')`.execute(storage.write);
  }
}

it('counts what packages and accounts hold already, unlisted versions and shared packages too', async () => {
  const large = 3 * 2 ** 31;
  await insertPackage('one', ['ada'], [10, 20, large]);
  await insertPackage('shared', ['ada', 'robot'], [5]);
  await insertPackage('empty', ['robot'], []);
  await galleryRules.up(storage.write);
  const packages = await storage.write
    .selectFrom('package_usage')
    .selectAll()
    .orderBy('package_id')
    .execute();
  expect(packages.map((row) => [row.package_id, row.versions, row.bytes])).toEqual([
    ['one', 3, 30 + large],
    ['shared', 1, 5],
  ]);
  const accounts = await storage.write
    .selectFrom('account_usage')
    .selectAll()
    .orderBy('account_id')
    .execute();
  expect(accounts.map((row) => [row.account_id, row.packages, row.bytes])).toEqual([
    ['ada', 2, 35 + large],
    ['robot', 2, 5],
  ]);
});
