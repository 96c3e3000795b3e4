import { type Harness, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { buildNupkg } from '../../../../testkit/src/nupkg-builder.ts';
import { countFeed } from './feed.repo.ts';
import { latestFlag, type SemVerLevel } from './feed-entries.repo.ts';
import { type FeedVersion, listFeed } from './feed-page.repo.ts';
import { createWordFinder, type SearchWord } from './package-search.repo.ts';
import { createStoredVersions } from './stored-versions.repo.ts';

let harness: Harness;
let gallery: Gallery;
let key: string;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  key = await gallery.makeKey(gallery.memberCaller, gallery.member);
});
afterAll(() => harness.close());

async function publish(id: string, version: string, more: { description?: string; tags?: string } = {}) {
  const answer = await gallery.push(key, buildNupkg({ id, version, ...more }));
  expect([version, answer.statusCode, answer.body]).toEqual([version, 201, '']);
}

async function setListed(id: string, version: string, isListed: boolean) {
  const answer = await gallery.send(isListed ? 'POST' : 'DELETE', `/api/v2/package/${id}/${version}`, key);
  expect(answer.statusCode).toBe(isListed ? 200 : 204);
}

async function read(id: string, level: SemVerLevel): Promise<FeedVersion[]> {
  return await listFeed(store(), {
    workspaceId: harness.deps.defaultWorkspace.id,
    level,
    where: [sql<boolean>`feed_entries.id_lower = ${id.toLowerCase()}`],
    orderBy: [sql`feed_entries.sort_key`],
    offset: 0,
    limit: 100,
  });
}

/** The latest release, and the latest of all. */
async function latestOf(id: string, level: SemVerLevel) {
  const versions = await read(id, level);
  return [
    versions.filter((one) => one.isLatest).map((one) => one.version),
    versions.filter((one) => one.isAbsoluteLatest).map((one) => one.version),
  ];
}

const store = () => ({ read: harness.deps.storage.read, storedVersions: createStoredVersions() });

async function search(...searched: SearchWord[]): Promise<string[]> {
  const { storage, defaultWorkspace } = harness.deps;
  const words = await createWordFinder(harness.deps).find(defaultWorkspace.id, searched, 'version');
  const query = {
    workspaceId: defaultWorkspace.id,
    level: 'semver2' as const,
    where: [words.condition, sql<boolean>`${sql.ref(latestFlag('semver2', { withPrereleases: true }))} = 1`],
  };
  const found = await listFeed(store(), {
    ...query,
    orderBy: [sql`feed_entries.id_lower`],
    offset: 0,
    limit: 50,
  });
  expect(await countFeed(storage.read, query)).toBe(found.length);
  return found.map((one) => one.metadata.id);
}

describe('the latest version of a package', () => {
  it('is that of NuGet, with and without prereleases, for old and new clients, after each push and unlisting', async () => {
    const id = 'Feed.Latest';
    await publish(id, '1.0.0-beta');
    expect(await latestOf(id, 'semver2')).toEqual([[], ['1.0.0-beta']]);
    for (const version of ['9.0.0', '10.0.0', '2.0.0', '10.1.0-rc.1', '11.0.0-rc'])
      await publish(id, version);
    expect(await latestOf(id, 'semver2')).toEqual([['10.0.0'], ['11.0.0-rc']]);
    await publish(id, '12.0.0+build');
    expect(await latestOf(id, 'semver2')).toEqual([['12.0.0'], ['12.0.0']]);
    expect(await latestOf(id, 'semver1')).toEqual([['10.0.0'], ['11.0.0-rc']]);
    await setListed(id, '12.0.0', false);
    await setListed(id, '11.0.0-rc', false);
    expect(await latestOf(id, 'semver2')).toEqual([['10.0.0'], ['10.1.0-rc.1']]);
    expect(await latestOf(id, 'semver1')).toEqual([['10.0.0'], ['10.0.0']]);
    const { summary } = await harness.deps.packages.get(gallery.adminCaller, id, { limit: 1 });
    expect(summary).toMatchObject({ versions: 7, listed: 5, latest: '10.0.0' });
    await setListed(id, '11.0.0-rc', true);
    expect(await latestOf(id, 'semver1')).toEqual([['10.0.0'], ['11.0.0-rc']]);
    for (const version of ['1.0.0-beta', '2.0.0', '9.0.0', '10.0.0', '10.1.0-rc.1', '11.0.0-rc'])
      await setListed(id, version, false);
    expect(await latestOf(id, 'semver2')).toEqual([[], []]);
  });

  it('is one, however many are pushed at once', async () => {
    const id = 'Feed.Parallel';
    await publish(id, '1.0.0');
    await Promise.all([2, 3, 4, 5, 6].map((major) => publish(id, `${major}.0.0`)));
    expect(await latestOf(id, 'semver2')).toEqual([['6.0.0'], ['6.0.0']]);
  });

  it('hides what clients before SemVer 2 cannot read', async () => {
    expect((await read('Feed.Latest', 'semver1')).map((one) => one.version)).not.toContain('12.0.0');
    expect((await read('Feed.Latest', 'semver2')).map((one) => one.versionFull)).toContain('12.0.0+build');
  });
});

describe('a search', () => {
  beforeAll(async () => {
    await publish('Acme.Azure.Tools', '1.0.0', {
      description: 'Say "hello" to 100% of the clouds_',
      tags: 'PSModule Cloud',
    });
    await publish('Acme.Other', '1.0.0', { description: '鍵の失効を知らせる', tags: 'PSScript,Keys' });
    await publish('Acme.Third', '1.0.0', { description: 'psmodule is only a word here', tags: 'PSModuleX' });
  });
  const any = (text: string): SearchWord => ({ kind: 'any', text });

  it.each<[string, SearchWord[], string[]]>([
    ['a part of an id, in any case', [any('ZURE.TOO')], ['Acme.Azure.Tools']],
    ['two words in different places', [any('hello'), any('azure')], ['Acme.Azure.Tools']],
    ['two words of which one is nowhere', [any('hello'), any('nowhere')], []],
    ['two characters', [any('ZU')], ['Acme.Azure.Tools']],
    ['one character that is special in LIKE', [any('%')], ['Acme.Azure.Tools']],
    ['three that are', [any('0% ')], ['Acme.Azure.Tools']],
    ['quotes', [any('"hello"')], ['Acme.Azure.Tools']],
    ['words of the query language of the index', [any('hello" OR "a')], []],
    ['Japanese', [any('失効を')], ['Acme.Other']],
    ['two Japanese characters', [any('失効')], ['Acme.Other']],
    ['a whole tag', [{ kind: 'tag', text: 'psMODULE' }], ['Acme.Azure.Tools']],
    ['a tag behind a comma', [{ kind: 'tag', text: 'keys' }], ['Acme.Other']],
    ['the whole id', [{ kind: 'id', text: 'ACME.other' }], ['Acme.Other']],
    ['a part of the id as the id', [{ kind: 'id', text: 'Acme.Oth' }], []],
  ])('for %s finds just that', async (_name, words, ids) => {
    expect(await search(...words)).toEqual(ids);
  });

  it('looks at the version that it shows', async () => {
    await publish('Acme.Other', '2.0.0', { description: 'All new', tags: 'fresh' });
    expect(await search(any('失効を'))).toEqual([]);
    expect(await search(any('all new'))).toEqual(['Acme.Other']);
    expect(await search({ kind: 'tag', text: 'fresh' })).toEqual(['Acme.Other']);
  });

  it('finds a release by its own words and not by those of prereleases, backports and hidden versions', async () => {
    const id = 'Words.Own';
    await publish(id, '1.0.0', { description: 'stable', tags: 'PSModule Tag1' });
    await publish(id, '1.0.1-a', { description: 'preview', tags: 'PSModule' });
    expect(await foundBy('tag:Tag1')).toEqual({ releases: ['1.0.0'], all: [], v3: ['1.0.0'], every: BOTH });
    expect(await foundBy('preview')).toEqual({ releases: [], all: ['1.0.1-a'], v3: [], every: BOTH });
    await publish(id, '2.0.0', { description: 'second', tags: 'Tag2' });
    await publish(id, '1.0.2', { description: 'backport', tags: 'Tag1' });
    const second = { releases: ['2.0.0'], all: ['2.0.0'] };
    expect(await foundBy('tag:Tag2')).toMatchObject({ ...second, v3: ['2.0.0'] });
    expect(await foundBy('second')).toMatchObject({ ...second, v3: ['2.0.0'] });
    expect(await foundBy('backport')).toEqual({ releases: [], all: [], v3: [], every: [] });
    await setListed(id, '2.0.0', false);
    expect(await foundBy('second')).toEqual({ releases: [], all: [], v3: [], every: [] });
    expect(await foundBy('backport')).toMatchObject({ releases: ['1.0.2'], v3: ['1.0.2'] });
    await setListed(id, '2.0.0', true);
    expect(await foundBy('second')).toMatchObject({ ...second, v3: ['2.0.0'] });
  });
});

const BOTH = ['1.0.0', '1.0.1-a'];

/** The versions that clients are shown who search for a word: releases, prereleases too, and without a filter. */
async function foundBy(term: string) {
  const v2 = async (query: string) => {
    const { body } = await gallery.send('GET', `/api/v2/Search()?searchTerm='${term}'&${query}`, null);
    return [...body.matchAll(/<d:NormalizedVersion>([^<]*)/g)].map(([, version = '']) => version);
  };
  const v3 = await gallery.send('GET', `/v3/search?q=${encodeURIComponent(term)}`, null);
  return {
    releases: await v2('$filter=IsLatestVersion'),
    all: await v2('$filter=IsAbsoluteLatestVersion&includePrerelease=true'),
    v3: v3.json<{ data: { version: string }[] }>().data.map((one) => one.version),
    every: await v2('includePrerelease=true'),
  };
}
