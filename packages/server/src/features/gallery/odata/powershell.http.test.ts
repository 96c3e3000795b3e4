import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ReadVersion,
  readAsNuGet,
  readAsOneGet,
  readAsPSResourceGet,
  verifyAsOneGet,
} from '../../../../../testkit/src/feed-clients.ts';
import { createFeedRequests, type FeedRequests } from '../../../../../testkit/src/feed-requests.ts';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';

/** The requests of PowerShellGet 2 and PSResourceGet as they are on the wire, read as those clients read. */
let harness: Harness;
let gallery: Gallery;
let feed: FeedRequests;
let moduleBytes: Uint8Array;

const MODULE_TAGS = 'PSModule PSEdition_Core PSCommand_Get-Thing Tag1 Tag2';

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  feed = createFeedRequests(gallery, await gallery.makeKey(gallery.memberCaller, gallery.member));
  for (const version of ['1.0.0', '3.0.0', '5.2.5-alpha001'])
    await feed.publish({ id: 'test_module', version, tags: MODULE_TAGS });
  moduleBytes = await feed.publish({ id: 'test_module', version: '5.0.0', tags: MODULE_TAGS });
  await feed.publish({ id: 'test_module2', version: '2.5.0.1', tags: 'PSModule Tag1' });
  await feed.publish({ id: 'test_script', version: '3.5.0', tags: 'PSScript Tag3' });
  await feed.publish({ id: 'Az.Test', version: '1.0', tags: 'PSModule' });
  await feed.publish({ id: 'Hidden_module', version: '1.0.0', tags: 'PSModule' });
  await feed.setListed('Hidden_module', '1.0.0', false);
});
afterAll(() => harness.close());

const names = (versions: readonly ReadVersion[]) => versions.map((one) => `${one.id} ${one.version}`);

async function find(address: string) {
  const body = await feed.read(address);
  readAsNuGet(body);
  readAsOneGet(body);
  return readAsPSResourceGet(body);
}

/** A name with its other conditions, as `V2ServerAPICalls` writes them with `HttpUtility`. */
function findName(name: string, conditions: string): string {
  const filter = encodeURIComponent(`Id eq '${name}'${conditions}`)
    .replaceAll('%20', '+')
    .replaceAll("'", '%27');
  return `FindPackagesById()?%24filter=${filter}&%24inlinecount=allpages&id=%27${name}%27`;
}

function range(conditions: string): string {
  const filter = encodeURIComponent(`${conditions} and Id eq 'test_module'`).replaceAll('%20', '+');
  return `FindPackagesById()?%24filter=${filter}&%24inlinecount=allpages&%24skip=0&%24orderby=NormalizedVersion+desc&id=%27test_module%27`;
}

function findGlob(conditions: string): string {
  return `Search()?%24filter=${encodeURIComponent(`IsLatestVersion and ${conditions}`)}&%24inlinecount=allpages&%24skip=0&%24top=100`;
}

const LATEST = ' and IsLatestVersion eq true';

describe('PSResourceGet', () => {
  it.each<[string, string, readonly string[]]>([
    ['[80] finds the latest release by name', findName('test_module', LATEST), ['test_module 5.0.0']],
    [
      '[81] finds the latest of all by name',
      findName('test_module', ' and IsAbsoluteLatestVersion eq true'),
      ['test_module 5.2.5-alpha001'],
    ],
    [
      '[82] finds a range, newest first',
      range("NormalizedVersion ge '1.0.0' and NormalizedVersion le '5.0.0' and IsPrerelease eq false"),
      ['test_module 5.0.0', 'test_module 3.0.0', 'test_module 1.0.0'],
    ],
    [
      '[83] finds a range without its bounds',
      range("NormalizedVersion gt '1.0.0' and NormalizedVersion lt '5.0.0' and IsPrerelease eq false"),
      ['test_module 3.0.0'],
    ],
    [
      '[84] finds a range with prereleases',
      range("NormalizedVersion ge '5.0.0' and NormalizedVersion le '5.2.59'"),
      ['test_module 5.2.5-alpha001', 'test_module 5.0.0'],
    ],
    [
      '[85] finds a script by its type',
      findName('test_script', `${LATEST} and substringof('PSScript', Tags) eq true`),
      ['test_script 3.5.0'],
    ],
    [
      '[85] finds no script that is a module',
      findName('test_module', `${LATEST} and substringof('PSScript', Tags) eq true`),
      [],
    ],
    [
      '[85] finds a module as what is no script',
      findName('test_module', `${LATEST} and substringof('PSScript', Tags) eq false`),
      ['test_module 5.0.0'],
    ],
    [
      '[86] finds by two tags',
      findName(
        'test_module',
        `${LATEST} and substringof('Tag1', Tags) eq true and substringof('tag2', Tags) eq true`,
      ),
      ['test_module 5.0.0'],
    ],
    [
      '[86] finds nothing when one tag is missing',
      findName(
        'test_module',
        `${LATEST} and substringof('Tag1', Tags) eq true and substringof('Tag9', Tags) eq true`,
      ),
      [],
    ],
    [
      '[87] finds by tag among all',
      "Search()?$filter=IsLatestVersion and substringof('PSModule', Tags) eq true and substringof('Tag1', Tags) eq true&$inlinecount=allpages&$skip=0&$top=6000",
      ['test_module 5.0.0', 'test_module2 2.5.0.1'],
    ],
    [
      '[87] finds by command',
      'Search()?%24filter=IsLatestVersion&searchTerm=%27tag:PSCommand_Get-Thing%27&%24inlinecount=allpages&%24skip=0&%24top=6000',
      ['test_module 5.0.0'],
    ],
    [
      '[88] finds test_*',
      findGlob("startswith(Id, 'TEST_')"),
      ['test_module 5.0.0', 'test_module2 2.5.0.1', 'test_script 3.5.0'],
    ],
    ['[88] finds *script', findGlob("endswith(Id, 'script')"), ['test_script 3.5.0']],
    ['[88] finds test*2', findGlob("startswith(Id, 'test') and endswith(Id, '2')"), ['test_module2 2.5.0.1']],
    ['[88] finds *mod*', findGlob("substringof('MOD', Id)"), ['test_module 5.0.0', 'test_module2 2.5.0.1']],
    [
      '[90] finds a version',
      findName('test_module', " and NormalizedVersion eq '3.0.0'"),
      ['test_module 3.0.0'],
    ],
    [
      '[90] finds a version of four parts',
      findName('test_module2', " and NormalizedVersion eq '2.5.0.1'"),
      ['test_module2 2.5.0.1'],
    ],
    ['[90] finds no other version', findName('test_module', " and NormalizedVersion eq '30.0.0'"), []],
    ['[91] finds nothing where all is unlisted', findName('Hidden_module', LATEST), []],
    ['[98] finds no dependency that is not published', findName('not_there', LATEST), []],
  ])('%s', async (_name, address, wanted) => {
    const found = await find(address);
    expect(names(found.versions)).toEqual(wanted);
    expect(found.count).toBe(wanted.length);
    expect(found.versions.every((one) => one.isListed)).toBe(true);
  });

  it('[92] finds an unlisted version by its number, published in 1900', async () => {
    const { versions } = await find(findName('Hidden_module', " and NormalizedVersion eq '1.0.0'"));
    expect(names(versions)).toEqual(['Hidden_module 1.0.0']);
    expect(versions[0]).toMatchObject({ isListed: false, fields: { Published: '1900-01-01T00:00:00' } });
  });

  it('[93] installs what it has found, an unlisted version as well', async () => {
    for (const [id, version] of [
      ['test_module', '5.0.0'],
      ['Hidden_module', '1.0.0'],
      ['az.test', '1.0.0'],
    ])
      expect((await feed.get(`package/${id}/${version}`)).statusCode).toBe(200);
  });

  it('[97] is told of a missing key by a reason with "API" in it', async () => {
    const answer = await gallery.push(null, new Uint8Array([1]));
    expect([answer.statusCode, answer.statusMessage]).toEqual([401, expect.stringContaining('API')]);
  });

  it('asks a source that ends in /nuget in its own way', async () => {
    const filter = encodeURIComponent("IsLatestVersion and Id eq 'test_module'");
    const body = await feed.read(
      `FindPackagesById()?%24filter=${filter}&%24orderBy=Id&%24top=1&id='test_module'`,
      '/nuget',
    );
    expect(names(readAsPSResourceGet(body).versions)).toEqual(['test_module 5.0.0']);
  });
});

describe('PowerShellGet 2', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'finds all versions of a module, 40 at a time',
      "FindPackagesById()?id='test_module'&$skip=0&$top=40",
      ['test_module 1.0.0', 'test_module 3.0.0', 'test_module 5.0.0', 'test_module 5.2.5-alpha001'],
    ],
    ['finds no more of them on the next page', "FindPackagesById()?id='test_module'&$skip=40&$top=40", []],
    [
      '[94] finds by name and tag',
      "Search()?$filter=IsLatestVersion&searchTerm='Az tag:PSModule'&targetFramework=''&includePrerelease=false&$skip=0&$top=40",
      ['Az.Test 1.0'],
    ],
    [
      '[94] finds by type and command',
      "Search()?$filter=IsLatestVersion&searchTerm='tag:PSModule%20tag:PSCommand_Get-Thing'&targetFramework=''&includePrerelease=false&$skip=0&$top=40",
      ['test_module 5.0.0'],
    ],
    [
      '[94] finds prereleases',
      "Search()?$filter=IsAbsoluteLatestVersion&searchTerm='test_module tag:PSModule'&targetFramework=''&includePrerelease=true&$skip=0&$top=40",
      ['test_module 5.2.5-alpha001', 'test_module2 2.5.0.1'],
    ],
    [
      'finds all versions of many',
      "Search()?$orderby=DownloadCount desc,Id&searchTerm='test_module2'&targetFramework=''&includePrerelease=false&$skip=0&$top=40",
      ['test_module2 2.5.0.1'],
    ],
  ])('%s', async (_name, address, wanted) => {
    const body = await feed.read(address);
    expect(names(readAsOneGet(body))).toEqual(wanted);
  });

  it('verifies the file that it downloads by the hash in the feed', async () => {
    const found = readAsOneGet(await feed.read("FindPackagesById()?id='test_module'&$skip=0&$top=40"));
    const version = found.find((one) => one.version === '5.0.0');
    expect(version?.fields['IsLatestVersion']).toBe('true');
    const file = await feed.get('package/test_module/5.0.0');
    expect(file.rawPayload.equals(moduleBytes)).toBe(true);
    expect(version !== undefined && verifyAsOneGet(version, file.rawPayload)).toBe(true);
    expect(version !== undefined && verifyAsOneGet(version, new Uint8Array([1]))).toBe(false);
  });

  it('[95] is let through by the pings before it publishes', async () => {
    for (const address of ['/api/v2', '/api/v2/package/', '/api/v2/items/psscript/'])
      expect(await feed.read('', address)).toMatch(/^<\?xml/);
  });

  it('[96] sees scripts alone at its source of scripts, by each of its requests', async () => {
    const scripts = '/api/v2/items/psscript';
    const all = await feed.read(
      "Search()?$filter=IsLatestVersion&searchTerm=''&includePrerelease=false",
      scripts,
    );
    expect(names(readAsOneGet(all))).toEqual(['test_script 3.5.0']);
    expect(all).toContain('xml:base="http://localhost:8080/api/v2/items/psscript"');
    expect(names(readAsOneGet(await feed.read("FindPackagesById()?id='test_script'", scripts)))).toHaveLength(
      1,
    );
    expect(readAsOneGet(await feed.read("FindPackagesById()?id='test_module'", scripts))).toEqual([]);
    expect(await feed.read('Packages()/$count', scripts)).toBe('1');
    expect((await feed.get("Packages(Id='test_module',Version='1.0.0')", scripts)).statusCode).toBe(404);
    expect((await feed.get("Packages(Id='test_script',Version='3.5.0')", scripts)).statusCode).toBe(200);
    expect((await feed.get('package/test_script/3.5.0', scripts)).statusCode).toBe(200);
  });
});
