import { asciiLower } from '../../../lib/ascii.ts';
import {
  isSemVer2Range,
  MAX_VERSION_CHARS,
  type NuGetVersion,
  parseNuGetVersion,
} from '../version/nuget-version.ts';
import { NupkgFault } from './fault.ts';
import {
  MAX_FILE_NAME_CHARS,
  MAX_ID_AND_VERSION_CHARS,
  MAX_ID_CHARS,
  MAX_LANGUAGE_CHARS,
  MAX_LICENSE_CHARS,
  MAX_PACKAGE_TYPES,
  MAX_RELEASE_NOTES_CHARS,
  MAX_TEXT_CHARS,
  MAX_TITLE_CHARS,
} from './limits.ts';
import {
  type DependencyGroup,
  type FrameworkAssembly,
  readDependencyGroups,
  readFrameworkAssemblies,
} from './nuspec-dependencies.ts';
import {
  attributeOf,
  booleanOf,
  childOf,
  invalidField,
  requiredText,
  textOf,
  urlOf,
} from './nuspec-fields.ts';
import { parseNuspecXml, type XmlNode } from './nuspec-xml.ts';
import type { Pace } from './pace.ts';
import { isValidPackageId } from './package-id.ts';

const SYMBOLS = 'symbolspackage';

export interface PackageLicense {
  readonly kind: 'expression' | 'file';
  readonly value: string;
}

export interface PackageType {
  readonly name: string;
  readonly version: string | null;
}

export interface SourceRepository {
  readonly type: string | null;
  readonly url: string | null;
  readonly branch: string | null;
  readonly commit: string | null;
}

/** What a manifest says about its package. Texts are trimmed; a field that is absent or blank is `null`. */
export interface NuspecMetadata {
  readonly id: string;
  readonly version: NuGetVersion;
  /** The version as its author wrote it, which the V2 feed shows. */
  readonly versionText: string;
  /** Whether clients need SemVer 2 to read the version or one of the dependency ranges. */
  readonly isSemVer2: boolean;
  readonly authors: string;
  readonly owners: string | null;
  readonly description: string;
  readonly title: string | null;
  readonly summary: string | null;
  readonly tags: string | null;
  readonly iconUrl: string | null;
  readonly projectUrl: string | null;
  readonly licenseUrl: string | null;
  readonly license: PackageLicense | null;
  readonly releaseNotes: string | null;
  readonly copyright: string | null;
  readonly language: string | null;
  readonly requireLicenseAcceptance: boolean;
  readonly developmentDependency: boolean;
  readonly minClientVersion: string | null;
  /** Names of files inside the package. Whether they are there is not checked. */
  readonly readme: string | null;
  readonly icon: string | null;
  readonly repository: SourceRepository | null;
  readonly packageTypes: readonly PackageType[];
  readonly dependencyGroups: readonly DependencyGroup[];
  readonly frameworkAssemblies: readonly FrameworkAssembly[];
}

/** Reads and validates a manifest by the rules of nuget.org. Unknown elements and attributes are ignored. */
export async function parseNuspec(bytes: Uint8Array, pace: Pace): Promise<NuspecMetadata> {
  const root = await parseNuspecXml(bytes, pace);
  const metadata = root.name === 'package' ? childOf(root, 'metadata') : null;
  if (metadata === null) {
    throw new NupkgFault(
      'field_missing',
      'The manifest lacks the element "metadata" inside "package". Add it.',
    );
  }
  const id = readId(metadata);
  const versionText = requiredText(metadata, 'version', MAX_TITLE_CHARS);
  const version = readVersion(versionText);
  if (id.length + version.normalized.length > MAX_ID_AND_VERSION_CHARS) {
    throw new NupkgFault(
      'field_too_long',
      `The fields "id" and "version" are too long: together at most ${MAX_ID_AND_VERSION_CHARS} characters are allowed.`,
    );
  }
  // Before the texts: manifests of symbols leave some of them out.
  const packageTypes = readPackageTypes(metadata);
  const dependencyGroups = readDependencyGroups(metadata);
  const ranges = dependencyGroups.flatMap((group) => group.dependencies.map(({ range }) => range));
  return {
    id,
    version,
    versionText,
    isSemVer2: version.isSemVer2 || ranges.some(isSemVer2Range),
    ...readTexts(metadata),
    license: readLicense(metadata),
    requireLicenseAcceptance: booleanOf(metadata, 'requireLicenseAcceptance'),
    developmentDependency: booleanOf(metadata, 'developmentDependency'),
    minClientVersion: readMinClientVersion(metadata),
    repository: readRepository(metadata),
    packageTypes,
    dependencyGroups,
    frameworkAssemblies: readFrameworkAssemblies(metadata),
  };
}

/** Some authors put commas; the clients part tags by blanks and nothing else. */
function readTags(text: string | null): string | null {
  const tags = (text ?? '').split(/[\s,;]+/).filter((tag) => tag !== '');
  return tags.length === 0 ? null : tags.join(' ');
}

function readId(metadata: XmlNode): string {
  const id = requiredText(metadata, 'id', MAX_TITLE_CHARS);
  if (!isValidPackageId(id)) {
    throw new NupkgFault(
      'id_invalid',
      `The field "id" of the manifest is not valid. Use at most ${MAX_ID_CHARS} ASCII letters, digits and "_", ` +
        'joined by single "." or "-".',
    );
  }
  return id;
}

function readVersion(text: string): NuGetVersion {
  const version = parseNuGetVersion(text);
  if (version === null) {
    throw new NupkgFault(
      'version_invalid',
      `The field "version" of the manifest is not valid. Use a version such as 1.2.3 or 1.2.3-beta of at most ` +
        `${MAX_VERSION_CHARS} characters.`,
    );
  }
  // Clients of NuGet 2.x read such a version only when its label begins with a letter; SemVer 2 they never see.
  const [label] = version.labels;
  if (!version.isSemVer2 && label !== undefined && !/^[A-Za-z]/.test(label)) {
    throw new NupkgFault(
      'version_invalid',
      'The field "version" of the manifest is not valid: begin the prerelease label with a letter, as in 1.2.3-beta.',
    );
  }
  return version;
}

function readTexts(metadata: XmlNode) {
  const text = (name: string, maxChars: number = MAX_TEXT_CHARS) => textOf(metadata, name, maxChars);
  return {
    authors: requiredText(metadata, 'authors', MAX_TEXT_CHARS),
    owners: text('owners'),
    description: requiredText(metadata, 'description', MAX_TEXT_CHARS),
    title: text('title', MAX_TITLE_CHARS),
    summary: text('summary'),
    tags: readTags(text('tags')),
    iconUrl: urlOf(metadata, 'iconUrl', MAX_TEXT_CHARS),
    projectUrl: urlOf(metadata, 'projectUrl', MAX_TEXT_CHARS),
    licenseUrl: urlOf(metadata, 'licenseUrl', MAX_TEXT_CHARS),
    releaseNotes: text('releaseNotes', MAX_RELEASE_NOTES_CHARS),
    copyright: text('copyright'),
    language: text('language', MAX_LANGUAGE_CHARS),
    readme: text('readme', MAX_FILE_NAME_CHARS),
    icon: text('icon', MAX_FILE_NAME_CHARS),
  };
}

function readLicense(metadata: XmlNode): PackageLicense | null {
  const value = textOf(metadata, 'license', MAX_LICENSE_CHARS);
  if (value === null) return null;
  const kind = childOf(metadata, 'license')?.attributes.get('type') ?? '';
  if (kind !== 'expression' && kind !== 'file') {
    throw invalidField('license', 'Give it the attribute type="expression" or type="file".');
  }
  return { kind, value };
}

function readMinClientVersion(metadata: XmlNode): string | null {
  const text = attributeOf(metadata, 'minClientVersion', MAX_VERSION_CHARS);
  if (text === null) return null;
  const version = parseNuGetVersion(text);
  // Clients read this field as four numbers and nothing else.
  if (version === null || version.full.includes('-') || version.metadata !== '') {
    throw invalidField('minClientVersion', 'Use a version such as 2.8.');
  }
  // Some readers take no single number for a version (System.Version).
  return text.includes('.') ? text : `${text}.0`;
}

function readRepository(metadata: XmlNode): SourceRepository | null {
  const node = childOf(metadata, 'repository');
  if (node === null) return null;
  return {
    type: attributeOf(node, 'type', MAX_TITLE_CHARS),
    url: attributeOf(node, 'url', MAX_TEXT_CHARS),
    branch: attributeOf(node, 'branch', MAX_TITLE_CHARS),
    commit: attributeOf(node, 'commit', MAX_TITLE_CHARS),
  };
}

function readPackageTypes(metadata: XmlNode): PackageType[] {
  const element = childOf(metadata, 'packageTypes');
  const nodes = element?.children.filter((child) => child.name === 'packageType') ?? [];
  if (nodes.length > MAX_PACKAGE_TYPES) {
    throw invalidField('packageTypes', `At most ${MAX_PACKAGE_TYPES} package types are allowed.`);
  }
  return nodes.map((node) => {
    const name = attributeOf(node, 'name', MAX_ID_CHARS);
    const version = attributeOf(node, 'version', MAX_VERSION_CHARS);
    const isVersionValid = version === null || parseNuGetVersion(version) !== null;
    if (name === null || !isValidPackageId(name) || !isVersionValid) {
      throw invalidField(
        'packageTypes',
        'Each package type needs a name such as Template, and at most one version.',
      );
    }
    if (asciiLower(name) === SYMBOLS)
      throw invalidField('packageTypes', 'It is a package of symbols, which are not taken here.');
    return { name, version };
  });
}
