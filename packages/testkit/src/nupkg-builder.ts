import { Buffer } from 'node:buffer';
import { Zip, ZipDeflate, type ZipOptions, ZipPassThrough, type Zippable, zipSync } from 'fflate';

export interface DependencySpec {
  id: string;
  /** A range as the manifest writes it; left out, any version will do. */
  version?: string;
  targetFramework?: string;
}

export interface NuspecSpec {
  id: string;
  version: string;
  authors?: string;
  description?: string;
  tags?: string;
  dependencies?: readonly DependencySpec[];
}

export interface NupkgSpec extends NuspecSpec {
  /** Files by their path in the package. */
  files?: Readonly<Record<string, string | Uint8Array>>;
  /** The manifest as it is, instead of the one made from the other fields. */
  nuspecXml?: string | Uint8Array;
  /** Further entries, each with the options of the zip writer (date, mode, compression) where they matter. */
  extraEntries?: readonly { name: string; data?: string | Uint8Array; options?: ZipOptions }[];
}

/** Without a zone the date means the same clock time everywhere, so the bytes are the same in every zone. */
const FIXED_DATE = '2020-01-01T12:00:00';

const CONTENT_TYPES =
  '<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
  '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
  '<Default Extension="nuspec" ContentType="application/octet"/></Types>';

/** Makes a package like `nuget pack` does. The same specification always makes the same bytes. */
export function buildNupkg(spec: NupkgSpec): Uint8Array {
  const rels =
    '<?xml version="1.0" encoding="utf-8"?>' +
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
    `<Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/${escapeXml(spec.id)}.nuspec" Id="R1"/>` +
    '</Relationships>';
  const entries: Zippable = {
    '_rels/.rels': toBytes(rels),
    [`${spec.id}.nuspec`]: toBytes(spec.nuspecXml ?? buildNuspec(spec)),
    '[Content_Types].xml': toBytes(CONTENT_TYPES),
  };
  for (const [name, data] of Object.entries(spec.files ?? {})) entries[name] = toBytes(data);
  for (const { name, data, options } of spec.extraEntries ?? []) {
    entries[name] = [toBytes(data ?? ''), options ?? {}];
  }
  return zipSync(entries, { mtime: FIXED_DATE });
}

/** The same files written as a stream, so that the sizes follow the data: even files deflated, odd ones stored. */
export function buildStreamedNupkg(spec: NuspecSpec & Pick<NupkgSpec, 'files'>): Uint8Array {
  const chunks: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    chunks.push(chunk);
  });
  const files = Object.entries({ [`${spec.id}.nuspec`]: buildNuspec(spec), ...spec.files });
  for (const [index, [name, data]] of files.entries()) {
    const file = index % 2 === 0 ? new ZipDeflate(name) : new ZipPassThrough(name);
    file.mtime = FIXED_DATE;
    zip.add(file);
    file.push(toBytes(data), true);
  }
  zip.end();
  return Buffer.concat(chunks);
}

/** The manifest of a package; dependencies with a framework are put into groups. */
export function buildNuspec(spec: NuspecSpec): string {
  const field = (name: string, value: string) => `    <${name}>${escapeXml(value)}</${name}>\n`;
  return (
    '<?xml version="1.0" encoding="utf-8"?>\n' +
    '<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">\n  <metadata>\n' +
    field('id', spec.id) +
    field('version', spec.version) +
    field('authors', spec.authors ?? 'Test Author') +
    '    <requireLicenseAcceptance>false</requireLicenseAcceptance>\n' +
    field('description', spec.description ?? `The package ${spec.id}.`) +
    (spec.tags === undefined ? '' : field('tags', spec.tags)) +
    buildDependencies(spec.dependencies ?? []) +
    '  </metadata>\n</package>\n'
  );
}

function buildDependencies(dependencies: readonly DependencySpec[]): string {
  if (dependencies.length === 0) return '';
  const groups = Map.groupBy(dependencies, (dependency) => dependency.targetFramework ?? '');
  const isFlat = groups.size === 1 && groups.has('');
  const parts = [...groups].map(([framework, members]) => {
    const lines = members.map(({ id, version }) => {
      const range = version === undefined ? '' : ` version="${escapeXml(version)}"`;
      return `      <dependency id="${escapeXml(id)}"${range} />\n`;
    });
    if (isFlat) return lines.join('');
    const target = framework === '' ? '' : ` targetFramework="${escapeXml(framework)}"`;
    return `      <group${target}>\n${lines.join('')}      </group>\n`;
  });
  return `    <dependencies>\n${parts.join('')}    </dependencies>\n`;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}
