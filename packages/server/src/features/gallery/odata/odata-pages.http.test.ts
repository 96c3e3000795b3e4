import { countTurns, type Harness, startHarness } from '@keyreeve/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ReadVersion,
  readAsNuGet,
  readAsPSResourceGet,
} from '../../../../../testkit/src/feed-clients.ts';
import { createFeedRequests, type FeedRequests } from '../../../../../testkit/src/feed-requests.ts';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { PowerShellGet2, PSResourceGetV2 } from '../../../../../testkit/src/powershell-replays.ts';
import { seedPackages } from '../seed-packages.ts';

const PACKAGES = 250;
const NEEDLE = '&<>"\u{1f511}\r\n ende';

let harness: Harness;
let gallery: Gallery;
let feed: FeedRequests;

const idOf = (index: number) => `Page.${String(index).padStart(3, '0')}`;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  feed = createFeedRequests(gallery, await gallery.makeKey(gallery.memberCaller, gallery.member));
  for (let index = 0; index < PACKAGES; index += 1) {
    const tags = index < 120 ? 'PSModule Many' : 'PSModule';
    await feed.publish({ id: idOf(index), version: '1.0.0', tags, description: index === 0 ? NEEDLE : 'x' });
  }
}, 120_000);
afterAll(() => harness.close());

async function page(address: string) {
  const body = await feed.read(address);
  const { versions, nextUrl } = readAsNuGet(body);
  return { ids: versions.map((one) => one.id), nextUrl, count: readAsPSResourceGet(body).count };
}

describe('a page', () => {
  it('[76] of 30 is followed by others until one is not full', async () => {
    const sizes: number[] = [];
    for (let skip = 0; ; skip += 30) {
      const { ids, count } = await page(
        `Search()?$filter=IsLatestVersion&$orderby=Id&searchTerm='page'&targetFramework=''&includePrerelease=false&$skip=${skip}&$top=30&semVerLevel=2.0.0`,
      );
      expect(count).toBe(PACKAGES);
      sizes.push(ids.length);
      if (ids.length < 30) break;
    }
    expect(sizes).toEqual([...Array<number>(8).fill(30), 10]);
  });

  it('[77] without $top holds 100 and says where the next one is, to the last', async () => {
    const seen: string[] = [];
    let address = "Packages()?$filter=startswith(Id, 'Page.')";
    for (let pages = 0; pages < 5; pages += 1) {
      const { ids, nextUrl, count } = await page(address);
      expect(count).toBe(PACKAGES);
      seen.push(...ids);
      if (nextUrl === null) break;
      address = nextUrl.replace('http://localhost:8080/api/v2/', '');
    }
    expect(seen).toEqual(Array.from({ length: PACKAGES }, (_, index) => idOf(index)));
  });

  it('[77] with $top says nothing of a next one', async () => {
    expect(await page('Packages()?$top=100')).toMatchObject({ nextUrl: null, count: PACKAGES });
  });

  it('[78] of a range goes on by $skip where the client counts by hundreds', async () => {
    const { ids } = await page('Packages()?$inlinecount=allpages&$skip=200&$orderby=NormalizedVersion desc');
    expect(ids).toHaveLength(50);
  });

  it('[89] of 6000 holds everything at once, as PSResourceGet expects of all packages', async () => {
    const turns = countTurns();
    const { ids, count } = await page(
      'Search()?$filter=IsLatestVersion&$inlinecount=allpages&$skip=0&$top=6000',
    );
    const others = turns.stop();
    expect([ids.length, new Set(ids).size, count]).toEqual([PACKAGES, PACKAGES, PACKAGES]);
    expect(others).toBeGreaterThan(3);
  });

  it('[87] of tags holds 100 whatever is asked, as PSResourceGet counts on, none of them twice', async () => {
    const filter =
      "$filter=IsLatestVersion and substringof('Many', Tags) eq true&$inlinecount=allpages&$top=6000";
    const first = await page(`Search()?${filter}&$skip=0`);
    const second = await page(`Search()?${filter}&$skip=100`);
    expect([first.ids.length, second.ids.length, first.count]).toEqual([100, 20, 120]);
    expect(new Set([...first.ids, ...second.ids]).size).toBe(120);
    const byTerm = await page("Search()?$filter=IsLatestVersion&searchTerm='tag:Many'&$top=6000");
    expect([byTerm.ids.length, byTerm.count, byTerm.nextUrl]).toEqual([100, 120, null]);
  });

  it('of what is looked for in texts is the same from any place on, and counted as well', async () => {
    const filter = "$filter=substringof('age.', Id) and Description ne 'x y'";
    const { ids, count } = await page(`Packages()?${filter}&$top=6000`);
    expect([ids.length, count]).toEqual([PACKAGES, PACKAGES]);
    const parts = await Promise.all(
      [0, 90, 180].map((skip) => page(`Packages()?${filter}&$skip=${skip}&$top=90`)),
    );
    expect(parts.flatMap((part) => part.ids)).toEqual(ids);
    expect((await page(`Packages()?${filter} and IsLatestVersion&$skip=249&$top=10`)).ids).toEqual([
      idOf(249),
    ]);
    expect(await feed.read(`Packages()/$count?${filter}`)).toBe(String(PACKAGES));
  });

  it('[99] of a million is one of 6000', async () => {
    expect((await page('Packages()?$top=1000000')).ids).toHaveLength(PACKAGES);
    expect(await feed.read('Packages()/$count?$top=1000000')).toBe(String(PACKAGES));
  });

  it('holds every text as it was pushed', async () => {
    const [found] = readAsNuGet(await feed.read(`FindPackagesById()?id='${idOf(0)}'`)).versions;
    expect(found?.fields['Description']).toBe(NEEDLE.replace('\r\n', '\n'));
  });
});

describe('a client that counts its pages by itself', () => {
  const VERSIONS = 200;
  const read = (address: string) => feed.read(address);
  const psResourceGet = new PSResourceGetV2(read);
  const namesOf = (versions: readonly ReadVersion[]) => versions.map((one) => one.version);

  beforeAll(async () => {
    const versions = Array.from({ length: VERSIONS }, (_, minor) => `1.${minor}.0`);
    const texts = { title: 'Pages', description: 'x', tags: 'PSModule PSCommand_Get-Page', authors: 'Mei' };
    const more = Array.from({ length: 101 }, (_, index) => ({
      ...texts,
      id: `Paged.${index}`,
      versions: ['1.0.0'],
      dependencies: [],
    }));
    await seedPackages(
      harness.deps,
      gallery.memberCaller,
      { ownerId: gallery.member.id, pushedAt: harness.clock.now() },
      [{ ...texts, id: 'Paged', versions: [...versions, '2.0.0-beta'], dependencies: [] }, ...more],
    );
  });

  it('[82] gets each version of a range once, from the newest on, though its last page is empty', async () => {
    const found = namesOf(await psResourceGet.findRange('Paged', '1.0.0', '2.0.0'));
    expect(found).toEqual(Array.from({ length: VERSIONS }, (_, index) => `1.${VERSIONS - 1 - index}.0`));
  });

  it.each<[string, () => Promise<readonly ReadVersion[]>, number]>([
    ['[89] of all packages', () => psResourceGet.findAll({ prerelease: false }), PACKAGES + 102],
    ['[89] of all, with prereleases', () => psResourceGet.findAll({ prerelease: true }), PACKAGES + 102],
    ['[87] of those with a tag', () => psResourceGet.findTag('Many'), 120],
    ['[87] of those with a command', () => psResourceGet.findCommand('Get-Page'), 102],
    ['[88] of those whose names begin alike', () => psResourceGet.findStart('PAGE'), PACKAGES + 102],
  ])('gets each %s once', async (_name, find, count) => {
    const found = (await find()).map((one) => one.id);
    expect([found.length, new Set(found).size]).toEqual([count, count]);
  });

  it('takes the latest of versions that it gets by forties, four pages at a time', async () => {
    const powerShellGet = new PowerShellGet2(read);
    expect(new Set(namesOf(await powerShellGet.findVersions('paged'))).size).toBe(VERSIONS + 1);
    expect(await powerShellGet.findLatest('Paged', { prerelease: false })).toMatchObject({
      version: '1.199.0',
    });
    expect(await powerShellGet.findLatest('Paged', { prerelease: true })).toMatchObject({
      version: '2.0.0-beta',
    });
    expect(await powerShellGet.findLatest('Not.There', { prerelease: true })).toBeNull();
  });

  it.each(['/api/v2', '/nuget'])(
    'follows the links of %s to the end of all versions, and meets none of them again',
    async (source) => {
      const seen: string[] = [];
      const links = new Set<string>();
      let address: string | null = `FindPackagesById()?id='Paged'&semVerLevel=2.0.0`;
      while (address !== null) {
        const { versions, nextUrl } = readAsNuGet(await feed.read(address, source));
        seen.push(...versions.map((one) => one.version));
        expect(links.has(nextUrl ?? '')).toBe(false);
        if (nextUrl !== null) links.add(nextUrl);
        address = nextUrl?.replace(`http://localhost:8080${source}/`, '') ?? null;
      }
      expect([seen.length, new Set(seen).size, links.size]).toEqual([VERSIONS + 1, VERSIONS + 1, 2]);
    },
  );
});

describe('whatever a stranger asks', () => {
  const name = fc.constantFrom(
    '$filter',
    '$orderby',
    '$top',
    '$skip',
    '$select',
    'searchTerm',
    'id',
    'semVerLevel',
  );
  const value = fc.oneof(
    fc.constantFrom(
      "'",
      "''",
      "Id eq '%'",
      '-1',
      '1e309',
      'NaN',
      "x' or '1'='1",
      'Id desc,Id,Id',
      '*',
      '\\',
      '"',
    ),
    fc.constantFrom(
      'DownloadCount gt 1e300',
      'PackageSize eq 0.1',
      "Published gt datetime'0000-01-01'",
      "Version gt '1'",
    ),
    fc.constantFrom(
      "startswith(Id,'\u{10ffff}')",
      "substringof('\\%_',Description)",
      "indexof(Tags,'') ge 0",
    ),
    fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0')),
  );
  const source = fc.constantFrom(
    'Packages()',
    'Search()',
    'FindPackagesById()',
    'GetUpdates()',
    'Packages()/$count',
  );

  it('is answered or refused, and never breaks the server', async () => {
    await fc.assert(
      fc.asyncProperty(source, fc.array(fc.tuple(name, value), { maxLength: 4 }), async (from, pairs) => {
        const query = pairs.map(([key, text]) => `${key}=${encodeURIComponent(text)}`).join('&');
        const answer = await feed.get(`${from}?$top=3&${query}`);
        expect([200, 400]).toContain(answer.statusCode);
        if (from.endsWith(')') && answer.statusCode === 200) readAsNuGet(answer.body);
      }),
      { numRuns: 150 },
    );
  });
});
