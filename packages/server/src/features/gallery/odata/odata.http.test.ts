import { gunzipSync } from 'node:zlib';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAsNuGet, readAsOneGet, readAsPSResourceGet } from '../../../../../testkit/src/feed-clients.ts';
import { createFeedRequests, type FeedRequests } from '../../../../../testkit/src/feed-requests.ts';
import { seedGallery } from '../../../../../testkit/src/gallery.ts';
import { descendants, elementsOf, parseXmlTree } from '../../../../../testkit/src/xml-tree.ts';

let harness: Harness;
let feed: FeedRequests;

beforeAll(async () => {
  harness = await startHarness();
  const gallery = await seedGallery(harness);
  feed = createFeedRequests(gallery, await gallery.makeKey(gallery.memberCaller, gallery.member));
  for (const [id, version] of [
    ['Foo', '1.0.0'],
    ['Foo', '1.0.1-a'],
    ['Bar', '1.0.0'],
    ['Bar', '2.0.0'],
    ['Bar', '2.0.1-a'],
    ['Bar', '2.0.1-b'],
    ['Only.Beta', '1.0.0-beta'],
    ['Qux', '0.9'],
    ['Qux', '1.0.0.0'],
    ['Semantic', '1.0.0'],
    ['Semantic', '2.0.0+build'],
    ['Semantic', '3.0.0-beta.1'],
  ] as const)
    await feed.publish({ id, version, description: `About ${id} & <friends>` });
  await feed.setListed('Bar', '2.0.1-b', false);
});
afterAll(() => harness.close());

/** As NuGet reads them: `Foo 1.0.0`. */
async function versions(address: string, source?: string): Promise<string[]> {
  const body = await feed.read(address, source);
  // Whatever is answered, the strict readers can read it too.
  readAsPSResourceGet(body);
  readAsOneGet(body);
  return readAsNuGet(body).versions.map((one) => `${one.id} ${one.fields['NormalizedVersion']}`);
}

async function countOf(address: string): Promise<number> {
  return readAsPSResourceGet(await feed.read(address)).count;
}

/** Of an entry of nuget.org, as the reference keeps one. */
const NUGET_ORG =
  `Id Version NormalizedVersion Authors Copyright Created Dependencies Description DownloadCount
  GalleryDetailsUrl IconUrl IsLatestVersion IsAbsoluteLatestVersion IsPrerelease Language LastUpdated Published
  PackageHash PackageHashAlgorithm PackageSize ProjectUrl ReportAbuseUrl ReleaseNotes RequireLicenseAcceptance Summary
  Tags Title VersionDownloadCount MinClientVersion LastEdited LicenseUrl LicenseNames LicenseReportUrl`.split(
    /\s+/,
  );
const UPDATES = [
  'packageIds',
  'versions',
  'includePrerelease',
  'includeAllVersions',
  'targetFrameworks',
  'versionConstraints',
];
const FOO = ['Foo 1.0.0', 'Foo 1.0.1-a'];
const BAR = ['Bar 1.0.0', 'Bar 2.0.0', 'Bar 2.0.1-a', 'Bar 2.0.1-b'];
const updates = (ids: string, have: string, more = '') =>
  `GetUpdates()?packageIds=${ids}&versions=${have}&includePrerelease=false&includeAllVersions=false&targetFrameworks=''${more}`;

describe('what a question to the V2 feed is answered with', () => {
  it.each<[string, string, readonly string[]]>([
    ['[53] versions of one id', "Packages()?$filter=Id eq 'Foo'", FOO],
    ['[53] in any case', "packages?$FILTER=ID EQ 'fOO'", FOO],
    ['[53] written by a form', 'Packages()?%24filter=Id+eq+%27Foo%27', FOO],
    ['[54] one version', "Packages()?$filter=Id eq 'Bar' and Version eq '1.0.0'", ['Bar 1.0.0']],
    ['[55] versions of two ids', "Packages()?$filter=Id eq 'Bar' or Id eq 'Foo'", [...BAR, ...FOO]],
    ['[57] the second page of one', "Packages()?$filter=Id eq 'Bar'&$skip=1&$top=1", ['Bar 2.0.0']],
    ['[57] none', "Packages()?$filter=Id eq 'Bar'&$top=0", []],
    ['[60] all of one id, unlisted ones too', "FindPackagesById()?id='bar'", BAR],
    ['[61] an unknown id', "FindPackagesById()?id='nope'", []],
    ['[62] without SemVer 2', "FindPackagesById()?id='Semantic'", ['Semantic 1.0.0']],
    [
      '[62] with SemVer 2',
      "FindPackagesById()?id='Semantic'&semVerLevel=2.0.0",
      ['Semantic 1.0.0', 'Semantic 2.0.0', 'Semantic 3.0.0-beta.1'],
    ],
    ['[62] an older level', "FindPackagesById()?id='Semantic'&semVerLevel=1.0.0", ['Semantic 1.0.0']],
    [
      '[63] the latest without SemVer 2',
      "FindPackagesById()?id='Semantic'&$filter=IsLatestVersion",
      ['Semantic 1.0.0'],
    ],
    [
      '[63] the latest with SemVer 2',
      "FindPackagesById()?id='Semantic'&$filter=IsAbsoluteLatestVersion&semVerLevel=2.0.0",
      ['Semantic 3.0.0-beta.1'],
    ],
    [
      '[64] a search for releases',
      "Search()?searchTerm='Bar'&targetFramework=''&includePrerelease=false",
      ['Bar 1.0.0', 'Bar 2.0.0'],
    ],
    [
      '[64] a search for the latest release',
      "Search()?searchTerm='Bar'&includePrerelease=false&$filter=IsLatestVersion",
      ['Bar 2.0.0'],
    ],
    [
      '[65] a search with prereleases, listed ones only',
      "Search()?searchTerm='Bar'&targetFramework=''&includePrerelease=true",
      BAR.slice(0, 3),
    ],
    ['[66] newest first', "FindPackagesById()?id='Bar'&$orderby=Version desc", BAR.toReversed()],
    [
      '[66] the newest release, as nuget 2.8.7 asks',
      "FindPackagesById()?$filter=IsLatestVersion&$orderby=Version%20desc&$top=1&id='Bar'",
      ['Bar 2.0.0'],
    ],
    ['[69] what is newer', updates("'Foo|Bar'", "'0.5|1.0.0'"), ['Bar 2.0.0', 'Foo 1.0.0']],
    ['[69] nothing newer', updates("'Foo'", "'1.0.0'"), []],
    [
      '[69] every newer version',
      updates("'Bar'", "'0.1'").replace('AllVersions=false', 'AllVersions=true'),
      BAR.slice(0, 2),
    ],
    [
      '[69] prereleases too',
      updates("'Bar'", "'2.0.0'").replace('Prerelease=false', 'Prerelease=true'),
      ['Bar 2.0.1-a'],
    ],
    ['[70] no ids at all', 'GetUpdates()', []],
    ['[70] null', updates('null', "'1.0'"), []],
    ['[70] no ids', updates("''", "'1.0'"), []],
    ['[70] blank ids', updates("'   '", "'1.0'"), []],
    ['[70] blank ids and a bar', updates("'|   '", "'1.0|0.9'"), []],
    ['[70] no versions', updates("'Foo|Qux'", "''"), []],
    ['[70] blank versions', updates("'Foo|Qux'", "'   |'"), []],
    ['[70] fewer versions than ids', updates("'Foo|Qux'", "'0.1'"), []],
    ['[71] fewer constraints', updates("'Foo|Qux'", "'0.5|0.5'", "&versionConstraints='2.3'"), []],
    ['[71] more constraints', updates("'Foo|Qux'", "'0.5|0.5'", "&versionConstraints='1.0||2.0'"), []],
    ['[71] empty ones', updates("'Foo|Qux'", "'0.5|0.5'", "&versionConstraints='||'"), []],
    ['[71] a bar too many', updates("'Foo|Qux'", "'0.5|0.5'", "&versionConstraints='|1.0|'"), []],
    [
      '[72] constraints that fit',
      updates("'Foo|Qux'", "'0.5|0.5'", "&versionConstraints='|[0.9,1.0)'"),
      ['Foo 1.0.0', 'Qux 0.9.0'],
    ],
    ['[73] a version that is none', updates("'Foo|Qux'", "'abc|0.9'"), ['Qux 1.0.0']],
    ['[74] ids in another case', updates("'fOO|qUX'", "'0.1|0.1'"), ['Foo 1.0.0', 'Qux 1.0.0']],
    ['[75] one id twice', updates("'Qux|Qux'", "'0.1|0.9'"), ['Qux 1.0.0']],
  ])('%s', async (_name, address, wanted) => {
    expect(await versions(address)).toEqual(wanted);
    expect(
      await countOf(address.replace(/&?\$top=\d+/, '').replace(/&?\$skip=\d+/, '')),
    ).toBeGreaterThanOrEqual(wanted.length);
  });

  it.each<[string, string, string]>([
    ['[55] counted', "Packages()/$count?$filter=Id eq 'Bar' or Id eq 'Foo'", '6'],
    ['[56] counted after $top', "Packages/$count?$filter=Id eq 'Bar'&$top=1", '1'],
    ['[56] counted after $skip', "Packages/$count?$filter=Id eq 'Bar'&$skip=3", '1'],
    ['[61] of an unknown id', "FindPackagesById()/$count?id='nope'", '0'],
    ['[65] of a search', "Search()/$count?searchTerm=''&includePrerelease=true", '9'],
    ['[65] of a search for a word', "Search()/$count?searchTerm='Bar'&includePrerelease=true", '3'],
  ])('%s', async (_name, address, count) => {
    const answer = await feed.get(address);
    expect([answer.statusCode, answer.body]).toEqual([200, count]);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });
});

describe('one version', () => {
  it.each([
    ['[59] as nuget 2.8.7 quotes it', 'Packages(Id=%27Foo%27,Version=%271.0.0%27)'],
    ['[59] with raw quotes and a blank', "Packages(Id='Foo', Version='1.0.0')"],
    ['[59] not normalised, in another case, with slashes', "/packages(id='FOO',version='1.0')/"],
  ])('%s is an entry', async (_name, address) => {
    const answer = await feed.get(address);
    expect(answer.headers['content-type']).toBe('application/atom+xml;type=entry;charset=utf-8');
    const [found] = readAsNuGet(answer.body).versions;
    expect(found).toMatchObject({ id: 'Foo', version: '1.0.0', isListed: true });
    expect(found?.downloadUrl).toBe('http://localhost:8080/api/v2/package/Foo/1.0.0');
    readAsPSResourceGet(answer.body);
    readAsOneGet(answer.body);
  });

  it.each([
    ['[58] a version that is not there', "Packages(Id='Bar',Version='9.9.9')"],
    ['[58] an id that is not there', "Packages(Id='Barr',Version='1.0.0')"],
    ['[58] a version that is none', "Packages(Id='Bar',Version='latest')"],
    ['a key without a version', "Packages(Id='Bar')"],
    ['a property that is none', "Packages(Id='Bar',Version='1.0.0')/Password"],
    ['a function that is none', 'GetSecrets()'],
    ['more than there is', 'Packages()/$count/more'],
  ])('%s is 404, told as OData tells it', async (_name, address) => {
    const answer = await feed.get(address);
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toBe('application/xml;charset=utf-8');
    expect(answer.body).toMatch(/<code>(package\.not_found|odata\.no_such_resource)<\/code>/);
  });

  it('can be asked for one property, and for its file, at every root', async () => {
    expect(await feed.read("Packages(Id='Qux',Version='1.0.0')/version")).toMatch(
      /<d:Version [^>]*>1\.0\.0\.0<\/d:Version>$/,
    );
    const file = await feed.get('package/Foo/1.0.0');
    for (const root of ['/api/v2', '/nuget', '/NuGet/']) {
      const download = await feed.get("Packages(Id='Foo',Version='1.0.0')/Download", root);
      expect(download.headers['content-type']).toBe('application/octet-stream');
      expect(download.rawPayload.equals(file.rawPayload)).toBe(true);
      expect((await feed.get('package/Foo/1.0.0', root)).rawPayload.equals(file.rawPayload)).toBe(true);
    }
  });

  it('is the latest release where none is named; a package without one has none', async () => {
    const latest = await feed.get('package/bar');
    expect(latest.statusCode).toBe(200);
    expect(latest.rawPayload.equals((await feed.get('package/Bar/2.0.0')).rawPayload)).toBe(true);
    expect((await feed.get('package/Only.Beta')).statusCode).toBe(404);
    expect((await feed.get('package/nope')).statusCode).toBe(404);
  });
});

describe('the documents about the feed', () => {
  it.each([
    '/api/v2',
    '/api/v2/',
    '/API//v2/',
    '/nuget',
    '/nuget/',
    '/api/v2/items/psscript/',
    '/api/v2/package/',
  ])('[68, 95] %s is the service document', async (address) => {
    const body = await feed.read('', address);
    expect(body).toMatch(/^<\?xml/);
    expect(body).toContain('<atom:title');
    expect(body).toContain('Packages</atom:title>');
  });

  it('$metadata names what nuget.exe looks for', async () => {
    for (const root of ['/api/v2', '/nuget', '/api/v2/items/psscript']) {
      const body = await feed.read('$metadata', root);
      for (const part of ['V2FeedPackage', 'Name="Search"', 'Name="Packages"', '"IsAbsoluteLatestVersion"'])
        expect(body).toContain(part);
    }
  });

  it('[79] a feed has the names that PSResourceGet looks for, and closes its content', async () => {
    const answer = await feed.get("FindPackagesById()?id='Foo'");
    for (const part of ['<m:count>2</m:count>', '<d:Id>Foo</d:Id>', '<d:IsPrerelease ', '<m:properties>'])
      expect(answer.body).toContain(part);
    expect(answer.body).toMatch(/<content type="application\/zip" src="[^"]+"\/>/);
    expect(answer.body).not.toMatch(/>\s+</);
    expect(answer.headers['content-type']).toBe('application/atom+xml;type=feed;charset=utf-8');
  });

  it('$metadata says of each property what an entry shows, in the order of nuget.org', async () => {
    const described = descendants(parseXmlTree(await feed.read('$metadata')), 'Property').map(
      ({ attributes }) => `${attributes['Name']} ${attributes['Type']}`,
    );
    const entry = parseXmlTree(await feed.read("Packages(Id='Foo',Version='1.0.0')"));
    const [properties] = descendants(entry, 'm:properties');
    const shown = properties === undefined ? [] : elementsOf(properties);
    expect(shown.map(({ local, attributes }) => `${local} ${attributes['m:type'] ?? 'Edm.String'}`)).toEqual(
      described,
    );
    expect(shown.map(({ rawName }) => rawName)).toEqual(NUGET_ORG.map((name) => `d:${name}`));
  });

  it('$metadata names the functions with the types of what they take', async () => {
    const document = parseXmlTree(await feed.read('$metadata'));
    const [set] = descendants(document, 'EntitySet');
    expect(set?.attributes).toMatchObject({
      Name: 'Packages',
      EntityType: 'NuGetGallery.OData.V2FeedPackage',
    });
    const functions = descendants(document, 'FunctionImport').map((one) => {
      const parameters = descendants(one, 'Parameter').map(
        ({ attributes }) => `${attributes['Name']} ${attributes['Type']}`,
      );
      return [one.attributes['Name'], ...parameters];
    });
    expect(functions).toEqual([
      ['Search', 'searchTerm Edm.String', 'targetFramework Edm.String', 'includePrerelease Edm.Boolean'],
      ['FindPackagesById', 'id Edm.String'],
      [
        'GetUpdates',
        ...UPDATES.map((name) => `${name} Edm.${name.startsWith('include') ? 'Boolean' : 'String'}`),
      ],
    ]);
  });

  it('an answer that is still the same is not sent again, and HEAD sends none', async () => {
    const { headers } = await feed.get("FindPackagesById()?id='Foo'");
    const url = "/api/v2/FindPackagesById()?id='Foo'";
    const host = { host: 'localhost:8080' };
    const again = await harness.app.inject({
      url,
      headers: { ...host, 'if-none-match': String(headers['etag']) },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const head = await harness.app.inject({ method: 'HEAD', url, headers: host });
    expect([head.statusCode, head.body, head.headers['etag']]).toEqual([200, '', headers['etag']]);
  });

  it.each([
    "FindPackagesById()?id='Bar'",
    "Packages(Id='Foo',Version='1.0.0')",
    '$metadata',
    'Packages()?$top=6000',
  ])('%s shrinks for those who ask, with a validator of its own', async (address) => {
    const host = { host: 'localhost:8080' };
    const url = `/api/v2/${address}`;
    const plain = await harness.app.inject({ url, headers: host });
    const accepting = { ...host, 'accept-encoding': 'gzip, deflate' };
    const zipped = await harness.app.inject({ url, headers: accepting });
    expect([plain.headers['content-encoding'], zipped.headers['content-encoding']]).toEqual([
      undefined,
      'gzip',
    ]);
    expect(gunzipSync(zipped.rawPayload).toString()).toBe(plain.body);
    expect(plain.headers).toMatchObject({ vary: 'accept-encoding', dataserviceversion: '2.0;' });
    expect(zipped.headers['content-type']).toBe(plain.headers['content-type']);
    expect(zipped.headers['etag']).not.toBe(plain.headers['etag']);
    const again = { ...accepting, 'if-none-match': String(zipped.headers['etag']) };
    expect((await harness.app.inject({ url, headers: again })).statusCode).toBe(304);
    const head = await harness.app.inject({ method: 'HEAD', url, headers: host });
    expect([head.body, head.headers['content-length']]).toEqual(['', String(plain.rawPayload.length)]);
  });

  it('[67] $select shows what it names', async () => {
    const body = await feed.read("Packages()?$filter=Id eq 'Foo'&$select=Id,Version");
    expect(body.match(/<d:\w+/g)).toEqual(['<d:Id', '<d:Version', '<d:Id', '<d:Version']);
  });

  it.each([
    ['[67] $select=Bad', 'Packages()?$select=Bad', 'odata.unknown_property'],
    ['an order by nothing', 'Packages()?$orderby=Bad', 'odata.unknown_property'],
    ['an order by what is not kept', 'Packages()?$orderby=Dependencies', 'odata.filter_unsupported'],
    ['an order of a third kind', 'Packages()?$orderby=Id up', 'odata.option_invalid'],
    ['a negative page', 'Packages()?$top=-1', 'odata.option_invalid'],
    ['a page that is no number', 'Packages()?$skip=1e9', 'odata.option_invalid'],
    ['a filter that is none', 'Packages()?$filter=Id eq', 'odata.filter_malformed'],
    ['a filter by what is not kept', "Packages()?$filter=PackageHash eq 'x'", 'odata.filter_unsupported'],
    ['a term without end', `Search()?searchTerm='${'x '.repeat(31)}'`, 'odata.option_invalid'],
    ['an address that is no UTF-8', "FindPackagesById()?id='%ff'", 'request.malformed'],
    ['a character that is none', "FindPackagesById()?id='%00'", 'request.malformed'],
  ])('%s is 400 with its code', async (_name, address, code) => {
    const answer = await feed.get(address);
    expect([answer.statusCode, answer.body]).toEqual([400, expect.stringContaining(`<code>${code}</code>`)]);
    expect(answer.statusMessage).not.toBe('Bad Request');
  });
});

describe('filters', () => {
  it.each<[string, readonly string[]]>([
    ["startswith(Id, 'FO')", FOO],
    ["endswith(Id, 'OO')", FOO],
    ["substringof('oO', Id) eq true", FOO],
    ["substringof('%', Id)", []],
    ["startswith(Id, '_oo')", []],
    ["indexof(Id, 'oo') eq 1", FOO],
    ["substringof('about foo &', Description)", FOO],
    ["Title eq 'foo'", FOO],
    ["Authors ne 'Test Author'", []],
    ["Id eq 'Foo' and not (IsPrerelease eq true)", ['Foo 1.0.0']],
    ["Id eq 'Foo' and Version gt '1.0.0'", ['Foo 1.0.1-a']],
    ["Id eq 'Bar' and NormalizedVersion lt '10.0'", BAR],
    ["Id eq 'Foo' and '1.0.1' gt Version", FOO],
    ["Id eq 'Foo' and startswith(Version, '1.0.1')", ['Foo 1.0.1-a']],
    ["Id eq 'Foo' and Version eq 'no version'", []],
    ["Id eq 'Bar' and Published lt datetime'1900-01-02T00:00:00'", ['Bar 2.0.1-b']],
    ["Id eq 'Foo' and Created gt datetime'2000-01-01'", FOO],
    ["Id eq 'Foo' and DownloadCount ge 0 and VersionDownloadCount lt 0.5", FOO],
    ["Id eq 'Foo' and PackageSize gt 10.5", FOO],
    ["Id eq 'Foo' and PackageSize gt 99999999999999999999", []],
    ["Id eq 'Foo' and Id ne null and Summary eq null", FOO],
    ["Id eq 'Foo' and LastEdited eq null and Created ne null", FOO],
    ["Id eq 'Foo' and (LastEdited ne null or LastEdited gt datetime'1900-01-01')", []],
    ["Id eq 'Foo' and not (LastEdited lt Created)", FOO],
    ["Id eq 'Foo' and Id eq Title", FOO],
    ["Id eq 'Foo' and true", FOO],
    ["Id eq 'Foo' and false", []],
    [
      "(((Id ne null) and substringof('foo',tolower(Id))) or ((Tags ne null) and substringof(' foo ',tolower(Tags)))) and IsLatestVersion",
      ['Foo 1.0.0'],
    ],
  ])('%s', async (filter, wanted) => {
    expect(await versions(`Packages()?$filter=${encodeURIComponent(filter)}`)).toEqual(wanted);
  });

  it.each(['Id', 'Title', 'Authors', 'Version', 'Published', 'LastUpdated', 'DownloadCount', 'PackageSize'])(
    'sort by %s in both directions without losing or repeating one',
    async (property) => {
      for (const direction of ['asc', 'desc']) {
        const order = `Packages()?$orderby=${property} ${direction},Id&semVerLevel=2.0.0`;
        const whole = await versions(order);
        const pages = await Promise.all([0, 5, 10].map((skip) => versions(`${order}&$skip=${skip}&$top=5`)));
        expect(pages.flat()).toEqual(whole);
        expect(new Set(whole).size).toBe(12);
      }
    },
  );
});

describe('texts beyond ASCII', () => {
  const TITLE = 'ÄPFEL ΣΊΣΥΦΟΣ İstanbul ﬃ 鍵';
  beforeAll(async () => {
    await feed.publish({
      id: 'Fruits',
      version: '1.0.0',
      nuspecXml: `<package><metadata><id>Fruits</id><version>1.0.0</version><title>${TITLE}</title>
        <authors>Ärzte İ</authors><description>Of ${TITLE}.</description></metadata></package>`,
    });
  });

  it.each([
    `Title eq '${TITLE}'`,
    `startswith(Title, 'ÄPFEL Σ')`,
    `endswith(tolower(Title), 'ﬃ 鍵')`,
    `substringof('İSTANBUL', Title)`,
    `indexof(Title, 'ΣΊΣΥ') eq 6`,
    `Authors eq 'Ärzte İ'`,
    `substringof('${TITLE}', Description)`,
    `Description eq 'Of ${TITLE}.'`,
  ])('are found as they were written, on every database: %s', async (filter) => {
    expect(await versions(`Packages()?$filter=${encodeURIComponent(filter)}`)).toEqual(['Fruits 1.0.0']);
  });
});
