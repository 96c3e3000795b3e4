import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { NupkgFault } from './fault.ts';
import { parseNuspec } from './nuspec.ts';
import { flattenDependencies } from './nuspec-dependencies.ts';
import { createPace } from './pace.ts';

const NAMESPACE = 'http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd';

interface Fields {
  [name: string]: string | undefined;
}

function nuspec(fields: Fields = {}, inner = '', attributes = ''): string {
  const all: Fields = {
    id: 'Acme.Tools',
    version: '1.2.3',
    authors: 'Ann',
    description: 'Tools.',
    ...fields,
  };
  const elements = Object.entries(all).map(([name, value]) =>
    value === undefined ? '' : `<${name}>${value}</${name}>`,
  );
  return `<package xmlns="${NAMESPACE}"><metadata${attributes}>${elements.join('')}${inner}</metadata></package>`;
}

function read(xml: string | Uint8Array) {
  return parseNuspec(typeof xml === 'string' ? Buffer.from(xml) : xml, createPace(5000));
}

async function faultOf(xml: string | Uint8Array): Promise<string> {
  const fault = await read(xml).catch((error: unknown) => error);
  if (!(fault instanceof NupkgFault)) throw new Error(`accepted, or failed otherwise: ${String(fault)}`);
  expectPublicMessage(fault);
  return fault.reason;
}

function expectPublicMessage({ message }: NupkgFault): void {
  expect(message).toMatch(/^[ -~]{20,512}$/);
  expect(message).not.toMatch(/40\d|Api|API/);
}

const deps = (inner: string) => nuspec({}, `<dependencies>${inner}</dependencies>`);
const dep = (id: string, version?: string) =>
  `<dependency id="${id}"${version === undefined ? '' : ` version="${version}"`}/>`;

describe('parseNuspec', () => {
  it('returns every field of a full manifest', async () => {
    const xml = nuspec(
      {
        version: '1.2.3.0-beta.1+build',
        title: 'Acme tools',
        owners: 'Acme',
        summary: 'Short',
        tags: 'a b',
        iconUrl: 'https://acme.example/i.png',
        projectUrl: 'http://acme.example',
        licenseUrl: 'https://acme.example/l',
        releaseNotes: 'New',
        copyright: '(c)',
        language: 'en-US',
        requireLicenseAcceptance: 'true',
        developmentDependency: 'false',
        readme: 'docs/README.md',
        icon: 'icon.png',
      },
      '<license type="expression">MIT</license>' +
        '<repository type="git" url="https://acme.example/r.git" commit="abc"/>' +
        '<packageTypes><packageType name="DotnetTool" version="1.0"/><packageType name="Template"/></packageTypes>' +
        `<dependencies><group targetFramework="net8.0">${dep('Other', '[1.0,2.0)')}${dep('Any')}</group><group/></dependencies>` +
        '<frameworkAssemblies><frameworkAssembly assemblyName="System.Web" targetFramework="net45, net46"/></frameworkAssemblies>' +
        '<references><reference file="a.dll"/></references><unknown><deep/></unknown>',
      ' minClientVersion="2.12"',
    );
    const metadata = await read(xml);
    expect(metadata).toMatchObject({
      id: 'Acme.Tools',
      versionText: '1.2.3.0-beta.1+build',
      isSemVer2: true,
      authors: 'Ann',
      owners: 'Acme',
      description: 'Tools.',
      title: 'Acme tools',
      summary: 'Short',
      tags: 'a b',
      iconUrl: 'https://acme.example/i.png',
      projectUrl: 'http://acme.example',
      licenseUrl: 'https://acme.example/l',
      license: { kind: 'expression', value: 'MIT' },
      releaseNotes: 'New',
      copyright: '(c)',
      language: 'en-US',
      requireLicenseAcceptance: true,
      developmentDependency: false,
      minClientVersion: '2.12',
      readme: 'docs/README.md',
      icon: 'icon.png',
      repository: { type: 'git', url: 'https://acme.example/r.git', branch: null, commit: 'abc' },
      packageTypes: [
        { name: 'DotnetTool', version: '1.0' },
        { name: 'Template', version: null },
      ],
      frameworkAssemblies: [{ assemblyName: 'System.Web', targetFramework: 'net45, net46' }],
    });
    expect(metadata.version.full).toBe('1.2.3-beta.1+build');
    expect(metadata.dependencyGroups.map((group) => group.targetFramework)).toEqual(['net8.0', null]);
    expect(flattenDependencies(metadata.dependencyGroups)).toBe('Other:[1.0.0, 2.0.0):net8.0|Any::net8.0|::');
  });

  it.each([
    ['2.12', '2.12'],
    ['2.8.50101.126', '2.8.50101.126'],
    // OneGet reads it with System.Version, which takes no single number.
    ['3', '3.0'],
  ])('gives the oldest client %s as %s', async (text, shown) => {
    const { minClientVersion } = await read(nuspec({}, '', ` minClientVersion="${text}"`));
    expect(minClientVersion).toBe(shown);
  });

  it.each([
    ['PSModule PSEdition_Core', 'PSModule PSEdition_Core'],
    ['PSScript,Keys; azure\n\t cloud', 'PSScript Keys azure cloud'],
    [' , ; ', null],
  ])('parts the tags %j by blanks, as clients read them', async (text, tags) => {
    expect((await read(nuspec({ tags: text }))).tags).toBe(tags);
  });

  it('leaves out what a small manifest leaves out', async () => {
    expect(await read(nuspec({ title: '  ', iconUrl: '' }))).toMatchObject({
      title: null,
      iconUrl: null,
      license: null,
      repository: null,
      minClientVersion: null,
      packageTypes: [],
      dependencyGroups: [],
      frameworkAssemblies: [],
      requireLicenseAcceptance: false,
      isSemVer2: false,
    });
  });

  it('trims texts, joins CDATA and text, and resolves character references', async () => {
    const { description } = await read(nuspec({ description: '\n a &amp; <![CDATA[<b>]]> &#233; &lt;\n' }));
    expect(description).toBe('a & <b> \u00E9 <');
  });

  it('needs no namespace, and ignores elements of foreign ones', async () => {
    const plain = nuspec().replace(` xmlns="${NAMESPACE}"`, '');
    expect((await read(plain)).id).toBe('Acme.Tools');
    const foreign = nuspec({}, '<x:id xmlns:x="urn:x">Evil</x:id><x:a xmlns:x="urn:x"><id>Evil</id></x:a>');
    expect((await read(foreign)).id).toBe('Acme.Tools');
    const prefixed = `<n:package xmlns:n="${NAMESPACE}"><n:metadata><n:id>P</n:id><n:version>1</n:version><n:authors>A</n:authors><n:description>D</n:description></n:metadata></n:package>`;
    expect((await read(prefixed)).id).toBe('P');
    expect(await faultOf(nuspec().replace(NAMESPACE, 'urn:other'))).toBe('nuspec_namespace');
  });

  it.each(['2010/07', '2011/08', '2011/10', '2012/06', '2013/01', '2013/05'])(
    'knows the namespace of %s',
    async (month) => {
      expect((await read(nuspec().replace('2013/05', month))).id).toBe('Acme.Tools');
    },
  );
});

describe('parseNuspec: encodings', () => {
  const xml = (encoding: string) =>
    `<?xml version="1.0" encoding="${encoding}"?>${nuspec({ title: 'd\u00E9j\u00E0 \u{1F600}' })}`;
  const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');

  it.each([
    ['UTF-8', Buffer.from(xml('utf-8'))],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${xml('UTF-8')}`)],
    ['UTF-16 little endian', utf16(xml('utf-16'))],
    ['UTF-16 big endian', utf16(xml('utf-16')).swap16()],
    ['UTF-16 that calls itself UTF-8, as PowerShell writes it', utf16(xml('utf-8'))],
  ])('reads %s', async (_name, bytes) => {
    expect((await read(bytes)).title).toBe('d\u00E9j\u00E0 \u{1F600}');
  });

  it.each([
    ['Latin-1', Buffer.from(xml('iso-8859-1'), 'latin1'), 'nuspec_encoding'],
    ['a declared encoding that is not the real one', Buffer.from(xml('utf-16')), 'nuspec_encoding'],
    ['UTF-7', Buffer.from(xml('utf-7')), 'nuspec_encoding'],
    ['broken UTF-8', Buffer.concat([Buffer.from(nuspec()), Buffer.from([0xff])]), 'nuspec_encoding'],
    ['half a UTF-16 character', utf16(nuspec()).subarray(0, -1), 'nuspec_encoding'],
    ['UTF-16 without a byte order mark', utf16(nuspec()).subarray(2), 'nuspec_xml'],
    ['UTF-32', Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0]), Buffer.from(nuspec())]), 'nuspec_encoding'],
    ['EBCDIC', Buffer.from([0x4c, 0x6f, 0xa7, 0x94, 0x93]), 'nuspec_encoding'],
  ])('refuses %s', async (_name, bytes, reason) => {
    expect(await faultOf(bytes)).toBe(reason);
  });
});

describe('parseNuspec: hostile XML', () => {
  it.each([
    ['nothing', '', 'nuspec_xml'],
    ['a text', 'hello', 'nuspec_xml'],
    ['an unclosed element', nuspec().replace('</package>', ''), 'nuspec_xml'],
    ['a wrong end tag', nuspec().replace('</id>', '</ID>'), 'nuspec_xml'],
    ['two roots', nuspec() + nuspec(), 'nuspec_xml'],
    ['an attribute given twice', '<package a="1" a="2"/>', 'nuspec_xml'],
    ['an undeclared prefix', '<x:package/>', 'nuspec_xml'],
    ['XML 1.1', `<?xml version="1.1"?>${nuspec()}`, 'nuspec_xml'],
    ['a NUL', nuspec({ title: '\u0000' }), 'nuspec_xml'],
    ['a NUL by reference', nuspec({ title: '&#0;' }), 'nuspec_xml'],
    ['a DOCTYPE', `<!DOCTYPE package>${nuspec()}`, 'doctype'],
    ['a DOCTYPE in lower case', `<!doctype package>${nuspec()}`, 'nuspec_xml'],
    [
      'billion laughs',
      `<!DOCTYPE a [<!ENTITY x "${'&y;'.repeat(50)}">]>${nuspec({ title: '&x;' })}`,
      'doctype',
    ],
    ['33 levels', nuspec({}, '<a>'.repeat(31) + '</a>'.repeat(31)), 'nuspec_too_complex'],
    [
      '65 attributes',
      nuspec({}, `<a ${Array.from({ length: 65 }, (_, i) => `b${i}="c"`).join(' ')}/>`),
      'nuspec_too_complex',
    ],
    ['20,001 elements', nuspec({}, '<a/>'.repeat(20_001)), 'nuspec_too_complex'],
    ['more than 1 MiB', nuspec({ title: 'a'.repeat(1_048_577) }), 'nuspec_too_large'],
  ])('refuses %s', async (_name, xml, reason) => {
    expect(await faultOf(xml)).toBe(reason);
  });

  it('accepts 30 levels, 64 attributes and names of object members', async () => {
    const attributes = Array.from({ length: 64 }, (_, i) => `b${i}="c"`).join(' ');
    const inner = `${'<a>'.repeat(28)}${'</a>'.repeat(28)}<a ${attributes}/><__proto__ constructor="x">y</__proto__>`;
    expect((await read(nuspec({}, inner))).id).toBe('Acme.Tools');
  });

  it('gives way to other work while it reads a manifest of 1 MiB', async () => {
    const xml = nuspec({}, '<a>bcdefgh</a>'.repeat(9_000) + '<!-- '.padEnd(900_000, 'x') + ' -->');
    let turns = 0;
    let isDone = false;
    const spin = () => {
      turns += 1;
      if (!isDone) setImmediate(spin);
    };
    setImmediate(spin);
    await read(xml);
    isDone = true;
    expect(turns).toBeGreaterThan(1);
  });
});

describe('parseNuspec: fields', () => {
  it.each(['id', 'version', 'authors', 'description'])('requires %s', async (name) => {
    expect(await faultOf(nuspec({ [name]: undefined }))).toBe('field_missing');
    expect(await faultOf(nuspec({ [name]: '  ' }))).toBe('field_missing');
  });

  it('requires metadata inside package', async () => {
    expect(await faultOf('<package/>')).toBe('field_missing');
    expect(await faultOf('<metadata><id>A</id></metadata>')).toBe('field_missing');
  });

  it('refuses a field that is there twice, for readers differ in which one counts', async () => {
    expect(await faultOf(nuspec({}, '<id>Other</id>'))).toBe('element_duplicate');
    expect(await faultOf(nuspec().replace('</package>', '<metadata/></package>'))).toBe('element_duplicate');
    expect(await faultOf(nuspec({}, '<dependencies/><dependencies/>'))).toBe('element_duplicate');
  });

  it.each([
    '-Start',
    'End.',
    'I_.Like.-Separators',
    'Continuous..Separators',
    '$id$',
    'p\u00E1ckage',
    '\u212Aelvin',
    'a'.repeat(101),
  ])('refuses the id %j', async (id) => {
    expect(await faultOf(nuspec({ id }))).toBe('id_invalid');
  });

  it.each([
    '1.0.0-10',
    '1.0.0--',
    '1.0.0-0beta',
    'x',
    '1.2.3.4.5',
    '$version$',
    '1.*',
    `1.0.0-${'a'.repeat(59)}`,
  ])('refuses the version %j', async (version) => {
    expect(await faultOf(nuspec({ version }))).toBe('version_invalid');
  });

  it.each(['1.0.0-a10', '1.0.0-10.a', '1.0.0-10+meta', '1.0.0.0'])(
    'accepts the version %j',
    async (version) => {
      expect((await read(nuspec({ version }))).versionText).toBe(version);
    },
  );

  it('limits id and version together to 160 characters', async () => {
    const id = 'a'.repeat(100);
    expect((await read(nuspec({ id, version: `1.0.0-${'b'.repeat(54)}` }))).id).toBe(id);
    expect(await faultOf(nuspec({ id, version: `1.0.0-${'b'.repeat(55)}` }))).toBe('field_too_long');
  });

  it.each([
    ['authors', 4000],
    ['description', 4000],
    ['summary', 4000],
    ['copyright', 4000],
    ['tags', 4000],
    ['title', 256],
    ['language', 20],
    ['releaseNotes', 35_000],
  ] as const)('accepts %s of %i characters and refuses one more', async (name, max) => {
    expect((await read(nuspec({ [name]: ` ${'a'.repeat(max)} ` })))[name]).toHaveLength(max);
    expect(await faultOf(nuspec({ [name]: 'a'.repeat(max + 1) }))).toBe('field_too_long');
  });

  it.each([
    'javascript:alert(1)',
    'java\nscript:alert(1)',
    'ht\ntp://x',
    '/relative',
    'acme.example',
    'ftp://x',
    'http:x',
    'http:\\\\x',
    'https://',
    'data:text/html,x',
    'http://a b/',
  ])('refuses the address %j', async (url) => {
    for (const name of ['iconUrl', 'projectUrl', 'licenseUrl']) {
      expect(await faultOf(nuspec({ [name]: url }))).toBe('field_invalid');
    }
  });

  it.each([
    [nuspec({ requireLicenseAcceptance: 'maybe' })],
    [nuspec({ title: 'a<b/>c' })],
    [nuspec({}, '<license>MIT</license>')],
    [nuspec({}, '<license type="url">MIT</license>')],
    [nuspec({}, '', ' minClientVersion="new"')],
    [nuspec({}, '', ' minClientVersion="2.8-beta"')],
    [nuspec({}, '<packageTypes><packageType/></packageTypes>')],
    [nuspec({}, '<packageTypes><packageType name="a b"/></packageTypes>')],
    [nuspec({}, `<packageTypes>${'<packageType name="A"/>'.repeat(33)}</packageTypes>`)],
  ])('refuses the field in %s', async (xml) => {
    expect(await faultOf(xml)).toBe('field_invalid');
  });
});

describe('parseNuspec: symbols', () => {
  it.each(['SymbolsPackage', 'symbolspackage'])(
    'refuses a package of type %s as what it is: it would take the place of the package itself',
    async (name) => {
      // As `nuget pack -SymbolPackageFormat snupkg` writes it, without authors.
      const xml = `<package><metadata><id>Acme.Tools</id><version>1.0.0</version><description>x</description>
        <packageTypes><packageType name="${name}"/></packageTypes></metadata></package>`;
      await expect(read(xml)).rejects.toMatchObject({
        reason: 'field_invalid',
        message: expect.stringContaining('symbols') as string,
      });
    },
  );
});

describe('parseNuspec: dependencies', () => {
  it('reads dependencies without groups as one group for every framework', async () => {
    const { dependencyGroups } = await read(deps(dep('A', '1.0') + dep('B', '[2.0]')));
    expect(flattenDependencies(dependencyGroups)).toBe('A:1.0.0:|B:[2.0.0]:');
  });

  it('keeps empty groups, and the same dependency in two groups', async () => {
    const { dependencyGroups } = await read(
      deps(
        `<group targetFramework="net45"/><group targetFramework=".NETFramework,Version=v4.0,Profile=Client">${dep('A', '1')}</group><group>${dep('a', '2')}</group>`,
      ),
    );
    expect(flattenDependencies(dependencyGroups)).toBe(
      '::net45|A:1.0.0:.NETFramework,Version=v4.0,Profile=Client|a:2.0.0:',
    );
  });

  it.each([
    '*',
    '1.*',
    '1.0.0-beta*',
    '$version$',
    '(2.0.0, 1.0.0(',
    '1.0.0+meta',
    '[15.106.0.preview]',
    '0.0.0-~4',
    '[2.0,1.0]',
  ])('refuses the range %j', async (range) => {
    expect(await faultOf(deps(dep('A', range)))).toBe('dependency_invalid');
  });

  it.each(['', 'a b', 'a..b', '$id$', 'a|b', 'a'.repeat(129)])('refuses the dependency id %j', async (id) => {
    expect(await faultOf(deps(dep(id, '1.0')))).toBe('dependency_invalid');
  });

  it('refuses a dependency twice in one group, in any case', async () => {
    expect(await faultOf(deps(dep('Acme', '1') + dep('ACME', '2')))).toBe('dependency_duplicate');
    expect(await faultOf(deps(`<group>${dep('A')}${dep('a')}</group>`))).toBe('dependency_duplicate');
  });

  it('refuses dependencies beside groups', async () => {
    expect(await faultOf(deps(`${dep('A')}<group>${dep('B')}</group>`))).toBe('dependency_invalid');
  });

  it('limits all dependencies in one text to 32,767 characters', async () => {
    const many = (count: number) =>
      deps(Array.from({ length: count }, (_, i) => dep(`${'a'.repeat(90)}${i}`, '1.0')).join(''));
    expect((await read(many(320))).dependencyGroups[0]?.dependencies).toHaveLength(320);
    expect(await faultOf(many(330))).toBe('dependency_invalid');
  });

  it.each(['net45|x', 'a:b', '-', '!', 'n'.repeat(129)])('refuses the framework %j', async (framework) => {
    expect(await faultOf(deps(`<group targetFramework="${framework}"/>`))).toMatch(
      /framework_invalid|field_too_long/,
    );
  });

  it('a package is SemVer 2 when a bound of a range is', async () => {
    expect((await read(deps(dep('A', '[1.0.0-a.b, 2.0)')))).isSemVer2).toBe(true);
    expect((await read(deps(dep('A', '[1.0.0-a, 2.0)')))).isSemVer2).toBe(false);
  });
});
