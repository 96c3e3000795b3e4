import { gunzipSync } from 'node:zlib';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { buildNupkg, type NupkgSpec } from '../../../../../testkit/src/nupkg-builder.ts';
import { NuGetClientV3, PSResourceGetV3 } from '../../../../../testkit/src/v3-clients.ts';
import { compareNuGetVersions, parseNuGetVersion } from '../version/nuget-version.ts';

const BASE = 'http://localhost:8080';
const INDEX = `${BASE}/v3/index.json`;

let harness: Harness;
let gallery: Gallery;
let key: string;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  key = await gallery.makeKey(gallery.memberCaller, gallery.member);
});
afterAll(() => harness.close());

async function publish(spec: NupkgSpec) {
  const answer = await gallery.push(key, buildNupkg(spec));
  expect([spec.id, spec.version, answer.statusCode, answer.body]).toEqual([spec.id, spec.version, 201, '']);
}

async function unlist(id: string, version: string) {
  expect((await gallery.send('DELETE', `/api/v2/package/${id}/${version}`, key)).statusCode).toBe(204);
}

/** As clients do: at the absolute address that a document told. */
async function get<Body>(url: string): Promise<Body> {
  expect(url.startsWith(`${BASE}/`), url).toBe(true);
  const answer = await gallery.send('GET', url.slice(BASE.length));
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${answer.body}`);
  return answer.json<Body>();
}

const versions = {
  compare: (a: string, b: string) => {
    const [left, right] = [parseNuGetVersion(a), parseNuGetVersion(b)];
    return left === null || right === null ? null : compareNuGetVersions(left, right);
  },
  isPrerelease: (version: string) => parseNuGetVersion(version)?.isPrerelease ?? false,
  normalize: (version: string) => parseNuGetVersion(version)?.normalized ?? '',
};
const nuget = new NuGetClientV3(INDEX, get, versions);
const powershell = new PSResourceGetV3(INDEX, get, versions);

interface SearchAnswer {
  totalHits: number;
  data: { id: string; version: string; versions: { version: string; downloads: number; '@id': string }[] }[];
}

async function search(query: string): Promise<[number, string[]]> {
  const { totalHits, data } = await get<SearchAnswer>(`${BASE}/v3/search?${query}`);
  return [totalHits, data.map((one) => one.id)];
}

describe('the service index', () => {
  it('[113] is one that NuGet.Client takes: absolute addresses, and no signatures over http', async () => {
    await nuget.checkIndex();
    const { resources } = await get<{ resources: { '@id': string; '@type': string }[] }>(INDEX);
    const types = resources.map((one) => one['@type']);
    expect(types).toEqual([...new Set(types)]);
    for (const missing of ['RepositorySignatures', 'SymbolPackagePublish', 'VulnerabilityInfo'])
      expect(types.filter((type) => type.startsWith(missing))).toEqual([]);
  });

  it('[107] names the V2 feed, by which nuget list works, and everything that clients look for', async () => {
    const { resources } = await get<{ resources: { '@id': string; '@type': string }[] }>(INDEX);
    const byType = Object.fromEntries(resources.map((one) => [one['@type'], one['@id']]));
    expect(byType).toMatchObject({
      'LegacyGallery/2.0.0': `${BASE}/api/v2`,
      'PackagePublish/2.0.0': `${BASE}/api/v2/package`,
      'PackageBaseAddress/3.0.0': `${BASE}/v3/flat/`,
      'RegistrationsBaseUrl/3.6.0': `${BASE}/v3/registration-semver2/`,
      'SearchQueryService/3.0.0-beta': `${BASE}/v3/search`,
      'PackageDetailsUriTemplate/5.1.0': `${BASE}/packages/{id}/{version}`,
    });
    for (const type of ['', '/3.0.0-beta', '/3.0.0-rc', '/3.4.0'])
      expect(byType[`RegistrationsBaseUrl${type}`]).toBe(`${BASE}/v3/registration/`);
  });

  it('speaks of the configured address, whatever host is asked', async () => {
    const answer = await gallery.send('GET', '/v3/index.json', null, { host: '127.0.0.1:9' });
    expect(answer.body).toContain(`"${BASE}/v3/search"`);
    expect(answer.body).not.toContain('127.0.0.1');
  });

  it.each(['/V3/Index.json', '//v3//index.json', '/v3/index.json/'])('is found as %s', async (url) => {
    expect((await gallery.send('GET', url)).statusCode).toBe(200);
  });
});

describe('a package called TestData', () => {
  const README = '# TestData\n\n<script>alert(1)</script>\n';
  const ICON = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
  let bytes: Uint8Array;
  beforeAll(async () => {
    const nuspecXml = `<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
      <metadata><id>TestData</id><version>1.2.3</version><authors>Ada, Bob</authors><description>Data &amp; tests</description>
      <tags>One two</tags><readme>docs\\README.md</readme><icon>Icon.png</icon><license type="file">LICENSE.txt</license>
      <projectUrl>https://example.com/</projectUrl><dependencies><group targetFramework="net8.0">
      <dependency id="Acme.Base" version="[1.0,2.0)"/></group><group targetFramework="net45"/></dependencies></metadata></package>`;
    bytes = buildNupkg({
      id: 'TestData',
      version: '1.2.3',
      nuspecXml,
      files: { 'docs/readme.md': README, 'icon.png': ICON, 'LICENSE.txt': 'MIT', 'lib/net8.0/a.dll': 'x' },
    });
    expect((await gallery.push(key, bytes)).statusCode).toBe(201);
  });

  it('[100] is not what a search for something else finds', async () => {
    expect(await search('q=PackageDoesNotExist')).toEqual([0, []]);
  });

  it('[101] is completed, and so are its versions', async () => {
    expect(await get(`${BASE}/v3/autocomplete?q=testd`)).toEqual({ totalHits: 1, data: ['TestData'] });
    expect(await get(`${BASE}/v3/autocomplete?id=TestData`)).toMatchObject({ data: ['1.2.3'] });
    expect(await get(`${BASE}/v3/autocomplete?id=PackageDoesNotExist`)).toMatchObject({ data: [] });
    expect(await get(`${BASE}/v3/autocomplete?q=PackageDoesNotExist`)).toEqual({ totalHits: 0, data: [] });
    // An empty id is none: the client has asked for ids.
    expect(await get(`${BASE}/v3/autocomplete?id=&q=testd`)).toEqual({ totalHits: 1, data: ['TestData'] });
  });

  it.each([
    '/v3/flat/testdata/1.2.3/testdata.1.2.3.nupkg',
    '/v3/flat/TestData/1.2.3/TestData.1.2.3.nupkg',
    '/V3/FLAT/TESTDATA/1.2.3/TESTDATA.1.2.3.NUPKG',
    '/v3/flat/testdata/1.2.3.0/testdata.1.2.3.0.nupkg',
  ])('[103] is downloaded at %s', async (url) => {
    const answer = await gallery.send('GET', url);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/octet-stream']);
    expect(answer.rawPayload.equals(bytes)).toBe(true);
    const part = await gallery.send('GET', url, null, { range: 'bytes=0-3' });
    expect([part.statusCode, part.body]).toEqual([206, 'PK\u0003\u0004']);
    const head = await gallery.send('HEAD', url);
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([
      200,
      String(bytes.length),
      '',
    ]);
  });

  it.each([
    ['testdata.nuspec', 'application/xml', '<id>TestData</id>'],
    ['readme', 'text/markdown; charset=utf-8', README],
    ['icon', 'image/png', 'PNG'],
    ['license', 'text/plain; charset=utf-8', 'MIT'],
  ])('[103] gives out its %s as nothing that a browser runs', async (file, type, text) => {
    const answer = await gallery.send('GET', `/v3/flat/testdata/1.2.3/${file}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': type,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cache-control': 'no-cache',
      'last-modified': expect.stringMatching(/ GMT$/),
    });
    expect(answer.body).toContain(text);
    const again = await gallery.send('GET', `/v3/flat/testdata/1.2.3/${file}`, null, {
      'if-none-match': answer.headers['etag'] as string,
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it.each([
    '/v3/flat/nothing/index.json',
    '/v3/flat/testdata/9.9.9/testdata.9.9.9.nupkg',
    '/v3/flat/testdata/1.2.3/other.1.2.3.nupkg',
    '/v3/flat/testdata/1.2.3/testdata.1.2.4.nupkg',
    '/v3/flat/testdata/1.2.3/lib%2Fnet8.0%2Fa.dll',
    '/v3/flat/testdata/1.2.3/..%2f..%2fetc%2fpasswd',
    '/v3/flat/testdata/..%2f/testdata...nupkg',
    '/v3/flat/testdata/1..3/readme',
    '/v3/flat/nothing/1.0.0/readme',
    '/v3/flat/testd%E2%84%AAta/index.json',
    '/v3/registration/nothing/index.json',
    '/v3/registration/testdata/9.9.9.json',
    '/v3/registration/testdata/1.2.3',
    '/v3/registration/testdata/not-a-version.json',
    '/v3/registration/testdata/page/1.0.0/2.0.0.json',
    '/v3/registration/testdata/page/x/y',
    '/v3/symbols/testdata',
  ])('[103] has nothing at %s', async (url) => {
    const answer = await gallery.send('GET', url);
    expect([answer.statusCode, answer.body.length > 0]).toEqual([404, true]);
    expect((await gallery.send('HEAD', url)).statusCode).toBe(404);
  });

  it('[104] has a registration with one version', async () => {
    const index = await get<{ items: { items: { catalogEntry: object }[] }[] }>(
      `${BASE}/v3/registration/testdata/index.json`,
    );
    expect(index).toMatchObject({
      '@id': `${BASE}/v3/registration/testdata/index.json`,
      count: 1,
      items: [
        { count: 1, lower: '1.2.3', upper: '1.2.3', parent: `${BASE}/v3/registration/testdata/index.json` },
      ],
    });
    const [leaf] = index.items[0]?.items ?? [];
    const flat = `${BASE}/v3/flat/testdata/1.2.3`;
    expect(leaf).toEqual({
      '@id': `${BASE}/v3/registration/testdata/1.2.3.json`,
      '@type': 'Package',
      packageContent: `${flat}/testdata.1.2.3.nupkg`,
      registration: `${BASE}/v3/registration/testdata/index.json`,
      catalogEntry: {
        '@id': `${BASE}/v3/registration/testdata/1.2.3.json`,
        '@type': 'PackageDetails',
        id: 'TestData',
        version: '1.2.3',
        listed: true,
        published: expect.stringMatching(/^20.*Z$/),
        packageContent: `${flat}/testdata.1.2.3.nupkg`,
        authors: 'Ada, Bob',
        description: 'Data & tests',
        summary: '',
        title: '',
        language: '',
        tags: ['One', 'two'],
        iconUrl: `${flat}/icon`,
        licenseUrl: `${flat}/license`,
        projectUrl: 'https://example.com/',
        readmeUrl: `${flat}/readme`,
        requireLicenseAcceptance: false,
        dependencyGroups: [
          {
            '@type': 'PackageDependencyGroup',
            targetFramework: 'net8.0',
            dependencies: [
              {
                '@type': 'PackageDependency',
                id: 'Acme.Base',
                range: '[1.0.0, 2.0.0)',
                registration: `${BASE}/v3/registration/acme.base/index.json`,
              },
            ],
          },
          { '@type': 'PackageDependencyGroup', targetFramework: 'net45', dependencies: [] },
        ],
      },
    });
  });

  it('tells old clients, too, where its icon and licence are', async () => {
    const { body } = await gallery.send('GET', "/api/v2/Packages(Id='TestData',Version='1.2.3')");
    const flat = `${BASE}/v3/flat/testdata/1.2.3`;
    expect(body).toContain(`<d:IconUrl>${flat}/icon</d:IconUrl>`);
    expect(body).toContain(`<d:LicenseUrl>${flat}/license</d:LicenseUrl>`);
  });

  it('has each version as a document that leads to its metadata', async () => {
    const leaf = await get<{ catalogEntry: string }>(`${BASE}/v3/registration-semver2/testdata/1.2.3.json`);
    expect(leaf).toMatchObject({ listed: true, packageContent: expect.stringMatching(/\.nupkg$/) });
    expect(await get(leaf.catalogEntry)).toMatchObject({ id: 'TestData', version: '1.2.3' });
  });

  it('[109] is found by its registration alone, without the flat container', async () => {
    const [found] = await nuget.listRegistration('TestData', null, null);
    const answer = await gallery.send('GET', found?.content.slice(BASE.length) ?? '');
    expect(answer.rawPayload.equals(bytes)).toBe(true);
  });
});

describe('[110] one package called gitea.package', () => {
  beforeAll(() => publish({ id: 'test110.package', version: '1.0.3', description: 'the one' }));
  it.each([
    ['q=test110', [1, ['test110.package']]],
    ['q=nothing110', [0, []]],
    ['q=test110&skip=1', [1, []]],
    ['q=test110&take=0', [1, []]],
  ])('is found by %s', async (query, found) => {
    expect(await search(query)).toEqual(found);
  });
});

describe('a package with all kinds of versions', () => {
  const ID = 'Many.Kinds';
  beforeAll(async () => {
    for (const version of ['1.0.0-Beta', '1.0.0', '2.0.0', '3.0.0', '2.1.0-rc.1', '4.0.0+build.5'])
      await publish({ id: ID, version });
    await publish({ id: ID, version: '0.9.0', dependencies: [{ id: 'X', version: '1.0.0-a.b' }] });
    await unlist(ID, '3.0.0');
  });

  it('shows all of them in the flat container, lower case, from the lowest to the highest', async () => {
    expect(await nuget.listFlat(ID)).toEqual([
      '0.9.0',
      '1.0.0-beta',
      '1.0.0',
      '2.0.0',
      '2.1.0-rc.1',
      '3.0.0',
      '4.0.0',
    ]);
  });

  it('hides SemVer 2 from the old hives, and marks what is unlisted', async () => {
    const found = await nuget.listRegistration(ID, null, null);
    expect(found.map(({ version, isListed }) => [version, isListed])).toEqual([
      ['4.0.0+build.5', true],
      ['3.0.0', false],
      ['2.1.0-rc.1', true],
      ['2.0.0', true],
      ['1.0.0', true],
      ['1.0.0-Beta', true],
      ['0.9.0', true],
    ]);
    const old = await get<{ items: { items: { catalogEntry: { version: string } }[] }[] }>(
      `${BASE}/v3/registration/many.kinds/index.json`,
    );
    expect(old.items[0]?.items.map((leaf) => leaf.catalogEntry.version)).toEqual([
      '3.0.0',
      '2.0.0',
      '1.0.0',
      '1.0.0-Beta',
    ]);
    expect((await gallery.send('GET', '/v3/registration/many.kinds/4.0.0.json')).statusCode).toBe(404);
    expect((await gallery.send('GET', '/v3/registration-semver2/many.kinds/4.0.0.json')).statusCode).toBe(
      200,
    );
  });

  it.each([
    ['', '2.0.0', ['1.0.0', '2.0.0']],
    ['&prerelease=true', '2.0.0', ['1.0.0-Beta', '1.0.0', '2.0.0']],
    ['&prerelease=True&semVerLevel=1.0.0', '2.0.0', ['1.0.0-Beta', '1.0.0', '2.0.0']],
    ['&semVerLevel=2.0.0', '4.0.0+build.5', ['0.9.0', '1.0.0', '2.0.0', '4.0.0+build.5']],
    [
      '&semVerLevel=2.0.0&prerelease=true',
      '4.0.0+build.5',
      ['0.9.0', '1.0.0-Beta', '1.0.0', '2.0.0', '2.1.0-rc.1', '4.0.0+build.5'],
    ],
  ])('is found with "%s" as %s', async (wish, version, all) => {
    const { data } = await get<SearchAnswer>(`${BASE}/v3/search?q=many.kinds${wish}`);
    expect(data).toHaveLength(1);
    expect(data[0]?.version).toBe(version);
    expect(data[0]?.versions.map((one) => one.version)).toEqual(all);
    const [leaf] = data[0]?.versions ?? [];
    expect(await get(leaf?.['@id'] ?? '')).toMatchObject({ version: all[0] });
    expect(await get(`${BASE}/v3/autocomplete?id=MANY.kinds${wish}`)).toMatchObject({ data: all });
  });

  it('is what PSResourceGet finds and installs', async () => {
    expect(await powershell.findName(ID, { prerelease: false })).toMatchObject({ version: '4.0.0+build.5' });
    expect(await powershell.findVersion(ID, '1.0.0-beta')).toMatchObject({ version: '1.0.0-Beta' });
    expect(await powershell.findVersion(ID, '3.0.0')).toBeNull();
    expect(await powershell.findContent(ID, '1.0.0-Beta')).toMatch(/1\.0\.0-Beta\.nupkg$/);
    expect(await powershell.findContent(ID, '1.0.0')).toMatch(/many\.kinds\.1\.0\.0\.nupkg$/);
    expect(await powershell.findContent(ID, '3.0.0')).toMatch(/3\.0\.0\.nupkg$/);
  });

  it('is in no search once every version is unlisted, but still in the registration', async () => {
    await publish({ id: 'Gone.Away', version: '1.0.0' });
    await unlist('Gone.Away', '1.0.0');
    expect(await search('q=gone.away')).toEqual([0, []]);
    expect(await get(`${BASE}/v3/autocomplete?q=gone`)).toEqual({ totalHits: 0, data: [] });
    expect(await get(`${BASE}/v3/autocomplete?id=gone.away`)).toMatchObject({ data: [] });
    expect(await nuget.listRegistration('Gone.Away', null, null)).toMatchObject([{ isListed: false }]);
    expect(await powershell.findName('Gone.Away', { prerelease: true })).toBeNull();
  });
});

describe('PSResourceGet, which takes versions for parts of addresses,', () => {
  it.each<[string, string[], string[]]>([
    ['Sub.Digits', ['1.0.0', '11.0.0'], ['1.0.0', '11.0.0']],
    ['Sub.Patch', ['1.0.1', '1.0.10', '1.0.11'], ['1.0.1', '1.0.10', '1.0.11']],
    ['Sub.Preview', ['1.0.0-preview', '1.0.0', '1.1.0'], ['1.0.0-preview', '1.0.0', '1.1.0']],
    // Both at once cannot be helped: the newest are right.
    ['Sub.Both', ['1.0.0', '11.0.0-preview', '11.0.0'], ['11.0.0-preview', '11.0.0']],
  ])('[112] installs the wanted version of %s (%j)', async (id, all, right) => {
    for (const version of all) await publish({ id, version });
    const wanted = right.map((version) => `/${version}/`);
    const found = await Promise.all(right.map((version) => powershell.findContent(id, version)));
    expect(found.map((url) => /\/[^/]+\/(?=[^/]+$)/.exec(url ?? '')?.[0])).toEqual(wanted);
    expect(await powershell.findName(id, { prerelease: false })).toMatchObject({ version: all.at(-1) });
    expect(await nuget.listRegistration(id, all.at(-1) ?? '', null)).toHaveLength(1);
  });
});

describe('the order of a search', () => {
  beforeAll(async () => {
    for (const id of ['Zeta.Order9', 'Order9.Tools', 'Order9', 'Alpha.Order9', 'Order9.Base'])
      await publish({ id, version: '1.0.0', tags: 'ordered here' });
    await publish({ id: 'Beta.Other', version: '1.0.0', description: 'about ORDER9', tags: 'ordered' });
    await publish({ id: 'Order9.Pre', version: '1.0.0-pre', tags: 'ordered' });
  });
  const all = ['Order9', 'Order9.Base', 'Order9.Tools', 'Alpha.Order9', 'Beta.Other', 'Zeta.Order9'];

  it('is the exact id, the ids that begin with the text, the others, whatever the page', async () => {
    expect(await search('q=order9')).toEqual([6, all]);
    for (let skip = 0; skip <= 7; skip += 1) {
      for (const take of [1, 2, 3, 5])
        expect(await search(`q=order9&skip=${skip}&take=${take}`)).toEqual([6, all.slice(skip, skip + take)]);
    }
  });

  it.each([
    ['q=ORDER9%20tag:HERE', 5],
    ['q=tag:here', 5],
    ['q=tags:ordered&prerelease=true', 7],
    ['q=id:order9', 1],
    ['q=packageid:Order9.Tools', 1],
    ['q=id:order', 0],
    ['q=order9%20alpha', 1],
    ['q=%22about%20order9%22', 1],
  ])('narrows down with %s', async (query, count) => {
    expect((await search(query))[0]).toBe(count);
  });

  it('completes ids in the same order', async () => {
    expect(await get(`${BASE}/v3/autocomplete?q=order9&take=4`)).toEqual({
      totalHits: 5,
      data: ['Order9', 'Order9.Base', 'Order9.Tools', 'Alpha.Order9'],
    });
    expect(await get(`${BASE}/v3/autocomplete?q=order9.pre&prerelease=true`)).toMatchObject({ totalHits: 1 });
  });

  it('knows package types; a package without one is a dependency', async () => {
    const typed = (id: string, types: string) => `<?xml version="1.0"?><package><metadata><id>${id}</id>
      <version>1.0.0</version><authors>a</authors><description>order7</description>
      <packageTypes>${types}</packageTypes></metadata></package>`;
    const tool = typed('Order7.Tool', '<packageType name="DotnetTool"/>');
    const both = typed('Order7.Both', '<packageType name="Dependency"/><packageType name="Template"/>');
    await publish({ id: 'Order7.Tool', version: '1.0.0', nuspecXml: tool });
    await publish({ id: 'Order7.Both', version: '1.0.0', nuspecXml: both });
    await publish({ id: 'Order7.Plain', version: '1.0.0' });
    expect(await search('q=order7&packageType=dotnettool')).toEqual([1, ['Order7.Tool']]);
    expect(await search('q=order7&packageType=TEMPLATE')).toEqual([1, ['Order7.Both']]);
    expect(await search('q=order7&packageType=Dependency')).toEqual([2, ['Order7.Both', 'Order7.Plain']]);
    expect(await search('q=order7&packageType=')).toMatchObject([3, expect.anything()]);
    for (const odd of ['%25', '_________', 'a%20b', "'", 'Dotnet'])
      expect(await search(`q=order7&packageType=${odd}`)).toEqual([0, []]);
    const { data } = await get<{ data: { packageTypes: { name: string }[] }[] }>(
      `${BASE}/v3/search?q=order7`,
    );
    expect(data.map((one) => one.packageTypes.map(({ name }) => name))).toEqual([
      ['Dependency', 'Template'],
      ['Dependency'],
      ['DotnetTool'],
    ]);
  });
});

describe('hostile questions', () => {
  it.each([
    'take=-1',
    'skip=-1',
    'skip=1e300',
    'take=99999999999',
    'take=abc',
    'take=1.5',
    'skip=1&skip=2',
    'q=a&q=b',
    'prerelease=maybe',
    `q=${'x'.repeat(1_001)}`,
    `q=${'x%20'.repeat(17)}`,
    'q=%00',
    'q=%ff',
  ])('?%s is refused with a reason', async (query) => {
    const answer = await gallery.send('GET', `/v3/search?${query}`);
    expect([answer.statusCode, answer.body.length > 10]).toEqual([400, true]);
  });

  it.each([
    'take=2147483647',
    'skip=2147483647',
    'q=%25',
    'q=%27%20or%201=1%20--',
    'q=%22%20OR%20words:a%20NEAR',
    'q=*',
    'q=(((',
    'q=%E2%84%AA',
    'q=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80',
    'semVerLevel=junk',
    'supportedFramework=net8.0&frameworks=x',
    'q=tag:',
    `q=${'x'.repeat(1_000)}`,
  ])('?%s is answered', async (query) => {
    for (const path of ['/v3/search', '/v3/autocomplete'])
      expect([path, (await gallery.send('GET', `${path}?${query}`)).statusCode]).toEqual([path, 200]);
  });

  it('ids that only look equal are not', async () => {
    await publish({ id: 'Kelvin.K', version: '1.0.0' });
    expect((await gallery.send('GET', '/v3/flat/kelvin.k/index.json')).statusCode).toBe(200);
    expect((await gallery.send('GET', '/v3/flat/kelvin.%E2%84%AA/index.json')).statusCode).toBe(404);
    expect(await search('q=id:kelvin.%E2%84%AA')).toEqual([0, []]);
    expect(await get(`${BASE}/v3/autocomplete?id=kelvin.%E2%84%AA`)).toMatchObject({ data: [] });
  });
});

describe('what caches and slow lines need', () => {
  it.each(['/v3/index.json', '/v3/search?q=order', '/v3/registration/many.kinds/index.json'])(
    '%s has a validator for each encoding, and shrinks for those who ask',
    async (url) => {
      const plain = await gallery.send('GET', url);
      const zipped = await gallery.send('GET', url, null, { 'accept-encoding': 'deflate, gzip;q=0.5' });
      expect(plain.headers).toMatchObject({ 'cache-control': 'no-cache', vary: 'accept-encoding' });
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(zipped.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(zipped.rawPayload).toString()).toBe(plain.body);
      expect(zipped.headers['etag']).toMatch(/^"[\w-]+"$/);
      expect(zipped.headers['etag']).not.toBe(plain.headers['etag']);
      const refused = await gallery.send('GET', url, null, { 'accept-encoding': 'gzip;q=0' });
      expect(refused.headers['content-encoding']).toBeUndefined();
      const head = await gallery.send('HEAD', url);
      expect([head.statusCode, head.body, head.headers['etag'], head.headers['content-length']]).toEqual([
        200,
        '',
        plain.headers['etag'],
        String(plain.rawPayload.length),
      ]);
      const again = await gallery.send('GET', url, null, { 'if-none-match': String(plain.headers['etag']) });
      expect([again.statusCode, again.body]).toEqual([304, '']);
    },
  );

  it('gets another validator when a version is unlisted', async () => {
    await publish({ id: 'Etag.One', version: '1.0.0' });
    const url = '/v3/registration/etag.one/index.json';
    const before = await gallery.send('GET', url);
    await unlist('Etag.One', '1.0.0');
    const after = await gallery.send('GET', url, null, { 'if-none-match': String(before.headers['etag']) });
    expect([after.statusCode, after.body.includes('"listed":false')]).toEqual([200, true]);
  });
});

describe('a package with hundreds of versions', () => {
  const ID = 'Hundreds';
  const COUNT = 150;
  beforeAll(async () => {
    for (let minor = 0; minor < COUNT; minor += 1) await publish({ id: ID, version: `1.${minor}.0` });
  }, 120_000);

  it('has pages of 64 with their bounds, which lead back to the index', async () => {
    const url = `${BASE}/v3/registration-semver2/hundreds/index.json`;
    const index = await get<{ count: number; items: { '@id': string; count: number }[] }>(url);
    expect(index.items.map((page) => page.count)).toEqual([64, 64, 22]);
    expect(index.items[1]).toEqual({
      '@id': `${BASE}/v3/registration-semver2/hundreds/page/1.64.0/1.127.0.json`,
      '@type': 'catalog:CatalogPage',
      count: 64,
      lower: '1.64.0',
      upper: '1.127.0',
      parent: url,
    });
    const page = await get<{ items: unknown[] }>(index.items[1]?.['@id'] ?? '');
    expect(page).toMatchObject({ lower: '1.64.0', upper: '1.127.0', parent: url, count: 64 });
    expect(page.items).toHaveLength(64);
  });

  it('is read by the clients across its pages', async () => {
    expect(await nuget.listRegistration(ID, null, null)).toHaveLength(COUNT);
    expect((await nuget.listRegistration(ID, '1.60.0', '1.66.0')).map((one) => one.version)).toEqual(
      [60, 61, 62, 63, 64, 65, 66].map((minor) => `1.${minor}.0`),
    );
    expect(await powershell.findName(ID, { prerelease: false })).toMatchObject({ version: '1.149.0' });
    expect(await powershell.findContent(ID, '1.149.0')).toMatch(/1\.149\.0\.nupkg$/);
    expect(await nuget.search('hundreds', { prerelease: false })).toEqual({ total: 1, ids: [ID] });
  });

  it('is read by those as well who keep its index over a push', async () => {
    const pageUrl = (lower: string, upper: string) =>
      `/v3/registration-semver2/hundreds/page/${lower}/${upper}.json`;
    const versionsAt = async (url: string) => {
      const { items } = await get<{ items: { catalogEntry: { version: string } }[] }>(`${BASE}${url}`);
      return items.map((leaf) => leaf.catalogEntry.version);
    };
    const before = await versionsAt(pageUrl('1.128.0', '1.149.0'));
    await publish({ id: ID, version: '1.150.0' });
    await publish({ id: ID, version: '1.130.1' });
    const after = await versionsAt(pageUrl('1.128.0', '1.149.0'));
    expect(after).toEqual([...before, '1.130.1'].toSorted(byNumber));
    for (const [lower, upper] of [
      ['1.128.0', '1.149.5'],
      ['0.9.0', '1.149.0'],
      ['1.149.0', '1.128.0'],
      ['1.0.0', '1.150.0'],
    ] as const)
      expect((await gallery.send('GET', pageUrl(lower, upper))).statusCode).toBe(404);
  });
});

function byNumber(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

describe('a private gallery', () => {
  beforeAll(() => setReading('authenticated'));
  afterAll(() => setReading('anonymous'));

  async function setReading(galleryRead: 'anonymous' | 'authenticated') {
    await harness.deps.settings.update(gallery.adminCaller, { galleryRead }, null);
  }

  it.each([
    '/v3/index.json',
    '/v3/search?q=order9',
    '/v3/autocomplete?q=order9',
    '/v3/flat/order9/index.json',
    '/v3/flat/order9/1.0.0/order9.1.0.0.nupkg',
    '/v3/flat/order9/1.0.0/order9.nuspec',
    '/v3/registration/order9/index.json',
    '/v3/registration/order9/1.0.0.json',
  ])('[106] answers 401 with a challenge, 401 to what is wrong, and 200 to a key: %s', async (url) => {
    const basic = (user: string, password: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    });
    const without = await gallery.send('GET', url);
    expect(without.statusCode).toBe(401);
    expect(String(without.headers['www-authenticate'])).toMatch(/Basic realm=/);
    expect((await gallery.send('GET', url, null, basic('ada', 'wrong'))).statusCode).toBe(401);
    const answer = await gallery.send('GET', url, null, basic('any', key));
    expect(answer.statusCode).toBe(200);
    expect(String(answer.headers['cache-control'])).toMatch(/private/);
  });

  it('shows a key for some packages those alone', async () => {
    const narrow = await gallery.makeKey(gallery.memberCaller, gallery.member, {
      actions: ['package:read'],
      resources: ['Order9.B*'],
    });
    const read = async (url: string) => {
      const answer = await gallery.send('GET', url, null, { authorization: `Bearer ${narrow}` });
      return answer.statusCode === 200
        ? answer.json<{ data?: unknown[]; totalHits?: number }>()
        : answer.statusCode;
    };
    expect(await read('/v3/search?q=order9')).toMatchObject({ totalHits: 1, data: [{ id: 'Order9.Base' }] });
    expect(await read('/v3/autocomplete?q=order9')).toEqual({ totalHits: 1, data: ['Order9.Base'] });
    expect(await read('/v3/autocomplete?id=order9')).toMatchObject({ data: [] });
    expect(await read('/v3/registration/order9.base/index.json')).toMatchObject({ count: 1 });
    for (const url of [
      '/v3/flat/order9/index.json',
      '/v3/flat/order9/1.0.0/order9.nuspec',
      '/v3/flat/order9/1.0.0/order9.1.0.0.nupkg',
      '/v3/registration/order9/index.json',
      '/v3/registration/order9/1.0.0.json',
    ])
      expect([url, await read(url)]).toEqual([url, 404]);
  });
});
