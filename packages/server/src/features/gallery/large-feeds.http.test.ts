import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';
import { fillGallery } from '../../demo/fill-gallery.ts';
import { createStoredVersions } from './stored-versions.repo.ts';

let harness: Harness;
let gallery: Gallery;
let key: string;

const SEEDED = 120;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  key = await gallery.makeKey(gallery.memberCaller, gallery.member);
  await fillGallery(harness.deps, { packages: SEEDED });
});
afterAll(() => harness.close());

async function publish(id: string): Promise<void> {
  expect((await gallery.push(key, buildNupkg({ id, version: '1.0.0' }))).statusCode).toBe(201);
}

async function searchV3(query: string) {
  const answer = await gallery.send('GET', `/v3/search?${query}`, null);
  const { totalHits, data } = answer.json<{ totalHits: number; data: { id: string }[] }>();
  return { totalHits, ids: data.map((one) => one.id) };
}

async function searchV2(query: string) {
  const { body } = await gallery.send('GET', `/api/v2/Search()?$filter=IsLatestVersion&${query}`, null);
  return {
    count: Number(/<m:count>(\d+)/.exec(body)?.[1]),
    ids: [...body.matchAll(/<d:Id>([^<]*)/g)].map(([, id = '']) => id),
    hasNext: body.includes('<link rel="next"'),
  };
}

describe('in a gallery of more than a thousand versions', () => {
  it('a new package is found at once, and counted after five seconds at the latest', async () => {
    expect((await searchV3('q=')).totalHits).toBe(SEEDED);
    await publish('Aaa.New');
    const found = await searchV3('q=');
    expect(found.ids[0]).toBe('Aaa.New');
    expect(found.totalHits).toBe(SEEDED);
    harness.clock.advance(5_000);
    expect((await searchV3('q=')).totalHits).toBe(SEEDED + 1);
  });

  it('the next page is announced by what is there, not by an old count', async () => {
    harness.clock.advance(5_000);
    const room = 100;
    const before = await searchV2(`$skip=${SEEDED + 1 - room}`);
    expect([before.ids.length, before.hasNext]).toEqual([room, false]);
    await publish('Zzz.New');
    const after = await searchV2(`$skip=${SEEDED + 1 - room}`);
    expect([after.ids.length, after.hasNext]).toEqual([room, true]);
    expect(after.count).toBeGreaterThan(SEEDED + 1);
  });

  it('a word that every package has finds them page by page, each once, in the order of their ids', async () => {
    const ids: string[] = [];
    for (let skip = 0; skip < SEEDED + 20; skip += 20)
      ids.push(...(await searchV3(`q=library&skip=${skip}&take=20`)).ids);
    expect(ids).toHaveLength(SEEDED);
    expect(new Set(ids).size).toBe(SEEDED);
    expect(ids).toEqual(ids.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
  });

  it('each package of a search names all its versions, however many the page has', async () => {
    const answer = await gallery.send(
      'GET',
      '/v3/search?q=&take=100&prerelease=true&semVerLevel=2.0.0',
      null,
    );
    const { data } = answer.json<{ data: { id: string; versions: { version: string }[] }[] }>();
    const seeded = data.filter(({ id }) => !id.endsWith('.New'));
    expect(seeded.reduce((sum, one) => sum + one.versions.length, 0)).toBeGreaterThan(500);
    for (const { id, versions } of seeded) {
      const index = await gallery.send('GET', `/v3/flat/${id.toLowerCase()}/index.json`, null);
      expect([id, versions.map((one) => one.version.toLowerCase())]).toEqual([
        id,
        index.json<{ versions: string[] }>().versions,
      ]);
    }
  });
});

describe('the versions that are kept in memory', () => {
  const find = async (kept: ReturnType<typeof createStoredVersions>, ids: readonly string[]) => {
    const { storage, defaultWorkspace } = harness.deps;
    return await kept.find(storage.read, defaultWorkspace.id, ids);
  };
  const someIds = async (limit: number) => {
    const { storage, defaultWorkspace } = harness.deps;
    const rows = await storage.read
      .selectFrom('package_versions')
      .select('id')
      .where('workspace_id', '=', defaultWorkspace.id)
      .limit(limit)
      .execute();
    return rows.map((row) => row.id);
  };

  it('are read once', async () => {
    const kept = createStoredVersions();
    const ids = await someIds(3);
    const first = await find(kept, ids);
    const second = await find(kept, [...ids, 'ver_unknown']);
    expect(first.readCharacters).toBeGreaterThan(0);
    expect(second.readCharacters).toBe(0);
    expect(second.versions).toEqual(first.versions);
  });

  it('give way to others when they are too many, those that were shown longest ago first', async () => {
    const ids = await someIds(3);
    const [one = '', two = '', three = ''] = ids;
    const characters = await Promise.all(
      ids.map(async (id) => (await find(createStoredVersions(), [id])).readCharacters),
    );
    const kept = createStoredVersions(Math.max(...characters) * 2);
    for (const id of [one, two, one, three]) await find(kept, [id]);
    expect((await find(kept, [one])).readCharacters).toBe(0);
    expect((await find(kept, [two])).readCharacters).toBeGreaterThan(0);
  });
});
