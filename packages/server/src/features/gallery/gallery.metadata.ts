import type { NupkgContents } from './nupkg/read-nupkg.ts';

/**
 * The column `metadata` of a version: what the feeds show of its manifest, as JSON. Ranges are texts in the
 * normalised form that `parseVersionRange` reads; everything else is as the manifest says it.
 */
export interface StoredMetadata {
  /** The id in the casing of this version; the feed shows each version in its own. */
  readonly id: string;
  readonly versionText: string;
  readonly authors: string;
  readonly owners: string | null;
  readonly description: string;
  readonly title: string | null;
  readonly summary: string | null;
  readonly tags: string | null;
  readonly iconUrl: string | null;
  readonly projectUrl: string | null;
  readonly licenseUrl: string | null;
  readonly license: NupkgContents['license'];
  readonly releaseNotes: string | null;
  readonly copyright: string | null;
  readonly language: string | null;
  readonly requireLicenseAcceptance: boolean;
  readonly developmentDependency: boolean;
  readonly minClientVersion: string | null;
  readonly readme: string | null;
  readonly icon: string | null;
  readonly repository: NupkgContents['repository'];
  readonly packageTypes: NupkgContents['packageTypes'];
  readonly dependencyGroups: readonly {
    readonly targetFramework: string | null;
    readonly dependencies: readonly { readonly id: string; readonly range: string }[];
  }[];
  readonly frameworkAssemblies: NupkgContents['frameworkAssemblies'];
  readonly isSigned: boolean;
}

/** Field by field, so that a field that the reader gains later is stored only on purpose. */
export function toStoredMetadata(contents: NupkgContents): StoredMetadata {
  return {
    id: contents.id,
    versionText: contents.versionText,
    authors: contents.authors,
    owners: contents.owners,
    description: contents.description,
    title: contents.title,
    summary: contents.summary,
    tags: contents.tags,
    iconUrl: contents.iconUrl,
    projectUrl: contents.projectUrl,
    licenseUrl: contents.licenseUrl,
    license: contents.license,
    releaseNotes: contents.releaseNotes,
    copyright: contents.copyright,
    language: contents.language,
    requireLicenseAcceptance: contents.requireLicenseAcceptance,
    developmentDependency: contents.developmentDependency,
    minClientVersion: contents.minClientVersion,
    readme: contents.readme,
    icon: contents.icon,
    repository: contents.repository,
    packageTypes: contents.packageTypes,
    dependencyGroups: contents.dependencyGroups.map((group) => ({
      targetFramework: group.targetFramework,
      dependencies: group.dependencies.map(({ id, range }) => ({ id, range: range.normalized })),
    })),
    frameworkAssemblies: contents.frameworkAssemblies,
    isSigned: contents.isSigned,
  };
}
