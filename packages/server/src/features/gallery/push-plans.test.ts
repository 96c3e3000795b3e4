import { DatabaseSync } from 'node:sqlite';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';

let harness: Harness;
let gallery: Gallery;
let key: string;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  key = await gallery.makeKey(gallery.memberCaller, gallery.member);
});
afterAll(() => harness.close());

/** How SQLite goes about a statement, step by step. */
async function explain(statement: string): Promise<string[]> {
  const plan: RawBuilder<{ detail: string }> = sql.raw(`explain query plan ${statement}`);
  const { rows } = await plan.execute(harness.deps.storage.read);
  return rows.map((row) => row.detail);
}

it('pushing, hiding and showing a version read the entries of its package, not those of the gallery', async () => {
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  const bytes = buildNupkg({ id: 'Plan.One', version: '1.0.0' });
  expect((await gallery.push(key, bytes)).statusCode).toBe(201);
  expect((await gallery.send('DELETE', '/api/v2/package/Plan.One/1.0.0', key)).statusCode).toBe(204);
  expect((await gallery.send('POST', '/api/v2/package/Plan.One/1.0.0', key)).statusCode).toBe(200);
  const statements = new Set(prepare.mock.calls.map(([statement]) => statement));
  prepare.mockRestore();
  const asked = [...statements].filter((statement) =>
    /feed_entries|package_search|package_versions/.test(statement),
  );
  expect(asked.length).toBeGreaterThan(8);
  for (const statement of asked) {
    for (const step of await explain(statement))
      expect([statement, step]).toEqual([statement, expect.not.stringMatching(/^SCAN|\(workspace_id=\?\)$/)]);
  }
});
