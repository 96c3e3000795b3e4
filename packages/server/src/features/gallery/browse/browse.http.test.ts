import { call, type Harness, readAllPages, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../../testkit/src/gallery.ts';
import { buildNupkg, type NupkgSpec } from '../../../../../testkit/src/nupkg-builder.ts';

let harness: Harness;
let gallery: Gallery;
let key: string;

beforeAll(async () => {
  harness = await startHarness();
  gallery = await seedGallery(harness);
  key = await gallery.makeKey(gallery.memberCaller, gallery.member);
});
afterAll(() => harness.close());

async function publish(spec: NupkgSpec): Promise<void> {
  const answer = await gallery.push(key, buildNupkg(spec));
  expect([spec.id, spec.version, answer.statusCode, answer.body]).toEqual([spec.id, spec.version, 201, '']);
}

/** A manifest with fields that the builder does not know. */
function manifest(id: string, version: string, fields: string): NupkgSpec {
  const nuspecXml = `<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
    <id>${id}</id><version>${version}</version><authors>Ada &amp; Mei</authors><description>A thing</description>${fields}
    </metadata></package>`;
  return { id, version, nuspecXml };
}

async function unlist(id: string, version: string): Promise<void> {
  const answer = await gallery.send('DELETE', `/api/v2/package/${id}/${version}`, key);
  expect(answer.statusCode).toBe(204);
}

async function read<T = Record<string, unknown>>(path: string, status = 200): Promise<T> {
  const answer = await call(harness, 'GET', `/v1/gallery/packages${path}`);
  expect(answer.statusCode, answer.body).toBe(status);
  return answer.json<T>();
}

async function readAll(path: string): Promise<Names['items'][number][]> {
  return await readAllPages((url) => call(harness, 'GET', url), `/v1/gallery/packages${path}`);
}

type Names = { readonly items: readonly { readonly id: string; readonly version: string }[] };
const namesOf = ({ items }: Names) => items.map(({ id, version }) => `${id} ${version}`);

describe('a search of a visitor', () => {
  beforeAll(async () => {
    await publish({ id: 'Find.Exact', version: '1.0.0', tags: 'PSModule PSCommand_Get-It' });
    await publish({ id: 'A.Find.Inside', version: '1.0.0', description: 'Has find.exact in its text' });
    await publish({ id: 'Find.ExactToo', version: '1.0.0', tags: 'PSScript' });
    await publish({ id: 'Find.Beta', version: '1.0.0' });
    await publish({ id: 'Find.Beta', version: '2.0.0-beta' });
    await publish({ id: 'Find.OnlyBeta', version: '0.1.0-beta' });
    await publish({ id: 'Find.Hidden', version: '1.0.0' });
    await unlist('Find.Hidden', '1.0.0');
  });

  it('finds first the id that begins with the word, then the others, in pages without gaps or repeats', async () => {
    expect(namesOf(await read('?q=find.exact'))).toEqual([
      'Find.Exact 1.0.0',
      'Find.ExactToo 1.0.0',
      'A.Find.Inside 1.0.0',
    ]);
    expect(namesOf({ items: await readAll('?q=find&limit=2') })).toEqual([
      'Find.Beta 1.0.0',
      'Find.Exact 1.0.0',
      'Find.ExactToo 1.0.0',
      'Find.OnlyBeta 0.1.0-beta',
      'A.Find.Inside 1.0.0',
    ]);
  });

  it('shows each package by its release, by a prerelease only when there is nothing else, and no unlisted one', async () => {
    const names = namesOf(await read('?limit=200'));
    expect(names).toContain('Find.Beta 1.0.0');
    expect(names).toContain('Find.OnlyBeta 0.1.0-beta');
    expect(names.join()).not.toContain('Find.Hidden');
  });

  it.each([
    ['?kind=module', ['Find.Exact 1.0.0']],
    ['?kind=script', ['Find.ExactToo 1.0.0']],
    ['?q=tag:PSCommand_Get-It', ['Find.Exact 1.0.0']],
    ['?q=id:find.exact', ['Find.Exact 1.0.0']],
    ['?q=%25%25%25', []],
    ['?q=no-such-thing', []],
  ])('asks %s and finds what it means', async (query, names) => {
    expect(namesOf(await read(query))).toEqual(names);
  });

  it.each([
    ['?cursor=nonsense', 400],
    [`?q=${'a '.repeat(17)}`, 400],
    [`?q=${'a'.repeat(257)}`, 400],
    ['?limit=201', 400],
    ['?kind=virus', 400],
  ])('is told what is wrong with %s', async (query, status) => {
    expect(await read(query, status)).toHaveProperty('code', 'request.invalid');
  });
});

describe('the page of a package', () => {
  beforeAll(async () => {
    await publish({ id: 'Page.Base', version: '1.0.0' });
    for (const version of ['1.0.0', '1.1.0', '2.0.0-rc', '1.2.0']) {
      await publish({
        ...manifest(
          'Page.Whole',
          version,
          `<tags>Cloud PSModule PSFunction_Get-Cloud PSCommand_Get-Cloud PSEdition_Core</tags>
           <projectUrl>https://example.com/x</projectUrl><license type="expression">MIT</license>
           <readme>docs\\README.md</readme><releaseNotes>All new</releaseNotes>
           <repository type="git" url="javascript:alert(1)" />
           <dependencies><group targetFramework="net8.0"><dependency id="page.BASE" version="[1.0,2.0)" />
           <dependency id="Else.Where" version="3.0.0" /></group></dependencies>`,
        ),
        files: { 'docs/README.md': '# Read me\n\n<script>alert(1)</script>' },
      });
    }
    await unlist('Page.Whole', '1.2.0');
    await harness.deps.packages.addOwner(gallery.adminCaller, 'page.whole', gallery.robot.id);
  });

  it('tells of the latest release all that people want to know, and of its owners no more than their names', async () => {
    const page = await read('/page.WHOLE');
    expect(page).toEqual({
      id: 'Page.Whole',
      version: '1.1.0',
      title: null,
      description: 'A thing',
      authors: 'Ada & Mei',
      kind: 'module',
      tags: ['Cloud'],
      isPrerelease: false,
      publishedAt: expect.any(String),
      totalDownloads: 0,
      hasIcon: false,
      latestVersion: '1.1.0',
      listedVersionCount: 3,
      isListed: true,
      downloads: 0,
      sizeBytes: expect.any(Number),
      sha512: expect.stringMatching(/^[0-9a-f]{128}$/),
      owners: expect.arrayContaining([
        { displayName: '芽衣', kind: 'user' },
        { displayName: 'Build robot', kind: 'service' },
      ]),
      deprecation: null,
      dependencyGroups: [
        {
          targetFramework: 'net8.0',
          dependencies: [
            { id: 'page.BASE', range: '[1.0.0, 2.0.0)', isHere: true },
            { id: 'Else.Where', range: '[3.0.0, )', isHere: false },
          ],
        },
      ],
      itemTypes: {
        editions: ['Core'],
        functions: ['Get-Cloud'],
        cmdlets: [],
        commands: ['Get-Cloud'],
        dscResources: [],
        roleCapabilities: [],
        workflows: [],
      },
      packageTypes: [],
      hasReadme: true,
      releaseNotes: 'All new',
      copyright: null,
      projectUrl: 'https://example.com/x',
      repositoryUrl: null,
      licenseUrl: null,
      licenseExpression: 'MIT',
      licenseFile: null,
      requireLicenseAcceptance: false,
      minClientVersion: null,
    });
    expect(JSON.stringify(page)).not.toContain('mei@example.com');
  });

  it('is there for each version, an unlisted one too, in every spelling of it', async () => {
    expect(await read('/Page.Whole/1.2')).toMatchObject({ version: '1.2.0', isListed: false });
    expect(await read('/Page.Whole/2.0.0-RC')).toMatchObject({ version: '2.0.0-rc', isPrerelease: true });
  });

  it('lists the listed versions from the highest on, page by page', async () => {
    const versions = await readAll('/page.whole/versions?limit=1');
    expect(versions.map(({ version }) => version)).toEqual(['2.0.0-rc', '1.1.0', '1.0.0']);
  });

  it('shows the highest version when all are unlisted', async () => {
    expect(await read('/find.hidden')).toMatchObject({
      version: '1.0.0',
      isListed: false,
      latestVersion: null,
      listedVersionCount: 0,
    });
    expect(await read('/find.hidden/versions')).toEqual({ items: [], nextCursor: null });
  });

  it('says why a version should not be used', async () => {
    await publish({ id: 'Page.Old', version: '1.0.0' });
    await harness.deps.packages.deprecate(gallery.memberCaller, 'page.old', {
      versions: ['1.0.0'],
      reasons: ['legacy'],
      message: 'Use the new one',
      alternatePackage: { id: 'page.base' },
    });
    const deprecation = {
      reasons: ['legacy'],
      message: 'Use the new one',
      alternatePackage: { id: 'Page.Base', version: null },
      deprecatedAt: expect.any(String),
    };
    expect(await read('/page.old')).toMatchObject({ deprecation });
    expect(await read('/page.old/versions')).toMatchObject({ items: [{ deprecation }] });
  });

  it.each(['/no.such', '/no.such/versions', '/page.whole/9.9.9', '/page.whole/not-a-version'])(
    'is not there for %s',
    async (path) => {
      expect(await read(path, 404)).toHaveProperty('code', 'request.not_found');
    },
  );
});

// Varied enough to be no padding.
const LONG = Array.from({ length: 180_000 }, (_, line) => line.toString(36))
  .join(' ')
  .repeat(2);

describe('the readme of a version', () => {
  it('is the text as it lies in the package, whatever it holds', async () => {
    expect(await read('/page.whole/1.0.0/readme')).toEqual({
      text: '# Read me\n\n<script>alert(1)</script>',
      isCut: false,
    });
  });

  it('is cut where a browser would have too much to draw, between two characters', async () => {
    const text = '鍵𝄞'.repeat(40_000);
    await publish({
      ...manifest('Readme.Huge', '1.0.0', '<readme>r.md</readme>'),
      files: { 'r.md': text },
    });
    const readme = await read<{ text: string; isCut: boolean }>('/readme.huge/1.0.0/readme');
    expect(readme.isCut).toBe(true);
    expect(readme.text.isWellFormed()).toBe(true);
    expect(readme.text).toHaveLength(100_000);
  });

  it.each([
    ['names none', '', {}],
    ['names one that is not there', '<readme>r.md</readme>', {}],
    ['names one of more than a mebibyte', '<readme>r.md</readme>', { 'r.md': LONG }],
    ['names a picture', '<readme>r.md</readme>', { 'r.md': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff) }],
    ['names a file outside', '<readme>../../etc/passwd</readme>', {}],
  ])('is not there when the manifest %s', async (what, fields, files) => {
    const id = `Readme.${what.replaceAll(' ', '')}`;
    await publish({ ...manifest(id, '1.0.0', fields), files });
    await read(`/${id}/1.0.0/readme`, 404);
  });
});
