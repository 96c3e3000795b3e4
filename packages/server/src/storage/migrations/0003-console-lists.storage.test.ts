import { createTestDatabase, openTestStorage, type TestDatabase } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Storage } from '../database.ts';
import { foundation } from './0001-foundation.ts';
import { consoleLists } from './0003-console-lists.ts';

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

async function insertPackage(id: string, createdAt: number): Promise<void> {
  await sql`insert into packages (id, workspace_id, id_lower, display_id, created_at)
    values (${id}, 'wsp_1', ${id}, ${id}, ${createdAt})`.execute(storage.write);
}

async function insertVersion(
  id: string,
  packageId: string,
  pushedAt: number,
  metadata: object,
): Promise<void> {
  await storage.write
    .insertInto('package_versions')
    .values({
      id,
      workspace_id: 'wsp_1',
      package_id: packageId,
      version_lower: id,
      version: id,
      version_full: id,
      is_prerelease: 0,
      is_semver2: 0,
      listed: 0,
      size_bytes: 1,
      sha512: 'none',
      metadata: JSON.stringify(metadata),
      pushed_at: pushedAt,
      pushed_by: 'acc_1',
      pushed_key_id: null,
    })
    .execute();
}

it('gives each package that is there already the date, description and tags of its newest version', async () => {
  await insertPackage('pkg_1', 10);
  await insertVersion('v1', 'pkg_1', 30, { description: 'Newest, 日本語 "quoted"', tags: 'PSModule' });
  await insertVersion('v2', 'pkg_1', 20, { description: 'Older', tags: 'old' });
  await insertPackage('pkg_2', 11);
  await insertVersion('v3', 'pkg_2', 40, { description: 'Same time, lower id', tags: null });
  await insertVersion('v4', 'pkg_2', 40, { description: 'Same time', tags: null });
  await insertPackage('pkg_3', 12);
  await consoleLists.up(storage.write);
  const rows = await storage.read
    .selectFrom('packages')
    .select(['id', 'last_pushed_at', 'description', 'tags'])
    .orderBy('id')
    .execute();
  expect(rows).toEqual([
    { id: 'pkg_1', last_pushed_at: 30, description: 'Newest, 日本語 "quoted"', tags: 'PSModule' },
    { id: 'pkg_2', last_pushed_at: 40, description: 'Same time', tags: null },
    { id: 'pkg_3', last_pushed_at: 12, description: null, tags: null },
  ]);
});

it('keeps the rows of the audit log', async () => {
  const row = {
    workspace_id: 'wsp_1',
    at: 5,
    action: 'key.created',
    actor_kind: 'system',
    target_kind: 'key',
    target_id: 'kr_1',
    detail: '{}',
  };
  await storage.write.insertInto('audit').values(row).execute();
  await consoleLists.up(storage.write);
  const rows = await storage.read.selectFrom('audit').select(['at', 'target_id']).execute();
  expect(rows).toEqual([{ at: 5, target_id: 'kr_1' }]);
});
