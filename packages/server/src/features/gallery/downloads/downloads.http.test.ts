import { type Harness, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAsNuGet } from '../../../../../testkit/src/feed-clients.ts';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { createDownloadCounter, type DownloadedVersion } from './download-counter.ts';

let harness: Harness;
let gallery: Gallery;

const ID = 'Acme.Tools';

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  for (const version of ['1.0.0', '2.0.0']) await gallery.publish(gallery.keys.push, ID, version);
});
beforeEach(async () => {
  const { downloads, storage } = harness.deps;
  await downloads.flush();
  await storage.write.deleteFrom('package_downloads').execute();
});
afterAll(() => harness.close());

/** Of 1.0.0, of 2.0.0, and of the package, as the service counts them. */
async function counts(): Promise<[number, number, number]> {
  const question = { level: 'semver2' as const, where: [], orderBy: [sql`feed_entries.sort_key`] };
  const found = await harness.deps.packageFeed.list(gallery.adminCaller, {
    ...question,
    offset: 0,
    limit: 10,
  });
  const [first, second] = found;
  return [first?.downloads ?? -1, second?.downloads ?? -1, first?.packageDownloads ?? -1];
}

const load = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
  harness.app.inject({ method, url, headers: { host: 'localhost:8080', ...headers } });

const V2 = `/api/v2/package/${ID}/1.0.0`;

describe('a download', () => {
  it.each([
    V2,
    `/api/v2/Packages(Id='${ID}',Version='1.0.0')/Download`,
    '/v3/flat/acme.tools/1.0.0/acme.tools.1.0.0.nupkg',
  ])('counts for the version and the package at %s', async (url) => {
    for (const headers of [{}, { range: 'bytes=0-99' }, { range: 'bytes=-999999' }])
      expect([200, 206]).toContain((await load(url, headers)).statusCode);
    await harness.deps.downloads.flush();
    expect(await counts()).toEqual([3, 0, 3]);
  });

  it('of the latest version counts for that one', async () => {
    expect((await load(`/api/v2/package/${ID}`)).statusCode).toBe(200);
    await harness.deps.downloads.flush();
    expect(await counts()).toEqual([0, 1, 1]);
  });

  it('counts not when it is only asked about, is still good, goes on after a break, or is refused', async () => {
    const etag = String((await load(V2, {}, 'HEAD')).headers['etag']);
    const answers = [
      await load(V2, { range: 'bytes=0-99' }, 'HEAD'),
      await load(V2, { 'if-none-match': etag }),
      await load(V2, { range: 'bytes=100-' }),
      await load(V2, { range: 'bytes=9999999-' }),
      await load(`/api/v2/package/${ID}/9.9.9`),
      await load('/v3/flat/acme.tools/1.0.0/acme.tools.nuspec'),
    ];
    expect(answers.map((answer) => answer.statusCode)).toEqual([200, 304, 206, 416, 404, 200]);
    await harness.deps.settings.update(gallery.adminCaller, { galleryRead: 'authenticated' }, null);
    expect((await load(V2)).statusCode).toBe(401);
    const pusher = { 'x-nuget-apikey': gallery.keys.push };
    expect((await load(V2, pusher)).statusCode).toBe(404);
    await harness.deps.settings.update(gallery.adminCaller, { galleryRead: 'anonymous' }, null);
    await harness.deps.downloads.flush();
    expect(await counts()).toEqual([0, 0, 0]);
  });

  it('writes nothing itself; what was gathered is written when the process ends', async () => {
    await load(V2);
    expect(await counts()).toEqual([0, 0, 0]);
    harness = await harness.restart();
    expect(await counts()).toEqual([1, 0, 1]);
  });

  it('is shown in both protocols', async () => {
    for (const version of ['1.0.0', '2.0.0', '2.0.0']) await load(`/api/v2/package/${ID}/${version}`);
    await harness.deps.downloads.flush();
    const feed = readAsNuGet((await load(`/api/v2/FindPackagesById()?id='${ID}'`)).body);
    const shown = feed.versions.map(({ fields }) => [
      fields['DownloadCount'],
      fields['VersionDownloadCount'],
    ]);
    expect(shown).toEqual([
      ['3', '1'],
      ['3', '2'],
    ]);
    const search = (await load('/v3/search?q=acme')).json<{ data: unknown[] }>();
    expect(search.data[0]).toMatchObject({
      totalDownloads: 3,
      versions: [{ downloads: 1 }, { downloads: 2 }],
    });
  });
});

describe('the counter', () => {
  async function versions(): Promise<DownloadedVersion[]> {
    const rows = await harness.deps.storage.read
      .selectFrom('feed_entries')
      .select(['id', 'package_id', 'workspace_id'])
      .orderBy('sort_key')
      .execute();
    return rows.map((row) => ({
      workspaceId: row.workspace_id,
      packageId: row.package_id,
      versionId: row.id,
    }));
  }

  it('adds up what several processes have counted, at the same time too', async () => {
    const [first, second] = await versions();
    if (first === undefined || second === undefined) throw new Error('There are two versions.');
    const counters = Array.from({ length: 4 }, () => createDownloadCounter(harness.deps));
    for (let round = 0; round < 3; round += 1) {
      for (const counter of counters) for (const version of [first, second, second]) counter.count(version);
      await Promise.all(counters.map((counter) => counter.flush()));
    }
    expect(await counts()).toEqual([12, 24, 36]);
  });

  it('keeps what it could not write, and writes it once', async () => {
    const { storage } = harness.deps;
    const rename = (from: string, to: string) =>
      sql`alter table ${sql.ref(from)} rename to ${sql.ref(to)}`.execute(storage.write);
    const counter = createDownloadCounter(harness.deps);
    const [first] = await versions();
    if (first === undefined) throw new Error('There are two versions.');
    counter.count(first);
    await rename('package_downloads', 'away');
    await expect(counter.flush()).rejects.toThrow('package_downloads');
    await rename('away', 'package_downloads');
    counter.count(first);
    await counter.flush();
    await counter.flush();
    expect(await counts()).toEqual([2, 0, 2]);
  });

  it('remembers only so many versions at once', async () => {
    const counter = createDownloadCounter({ ...harness.deps, versionsMax: 1 });
    const [first, second] = await versions();
    if (first === undefined || second === undefined) throw new Error('There are two versions.');
    for (const version of [first, second, first]) counter.count(version);
    await counter.flush();
    expect(await counts()).toEqual([2, 0, 2]);
    counter.count(second);
    await counter.flush();
    expect(await counts()).toEqual([2, 1, 3]);
  });
});
