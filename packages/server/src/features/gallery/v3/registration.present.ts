import { asciiLower } from '../../../lib/ascii.ts';
import { toIso } from '../../../lib/clock.ts';
import type { Deprecation } from '../deprecations/deprecations.repo.ts';
import type { SemVerLevel } from '../feed-entries.repo.ts';
import type { FeedVersion } from '../feed-page.repo.ts';
import type { StoredMetadata } from '../gallery.metadata.ts';
import type { V3Urls } from './v3.urls.ts';

/** The date by which clients of every age know an unlisted version. */
const UNLISTED = '1900-01-01T00:00:00.000Z';

/** A version within a registration page. */
export function presentLeaf(version: FeedVersion, level: SemVerLevel, urls: V3Urls) {
  const { idLower, versionLower } = version;
  return {
    '@id': urls.leaf(level, idLower, versionLower),
    '@type': 'Package',
    packageContent: urls.nupkg(idLower, version.version),
    registration: urls.registration(level, idLower),
    catalogEntry: presentEntry(version, level, urls),
  };
}

/**
 * A version as a document of its own. Some clients follow `catalogEntry` from here and read the metadata there
 * (PSResourceGet before 1.0): it leads back here, where they stand as well.
 */
export function presentLeafDocument(version: FeedVersion, level: SemVerLevel, urls: V3Urls) {
  const { idLower, versionLower } = version;
  return {
    ...presentEntry(version, level, urls),
    '@id': urls.leaf(level, idLower, versionLower),
    '@type': ['Package', 'http://schema.nuget.org/catalog#Permalink'],
    catalogEntry: urls.leaf(level, idLower, versionLower),
    registration: urls.registration(level, idLower),
  };
}

function presentEntry(version: FeedVersion, level: SemVerLevel, urls: V3Urls) {
  const { metadata, idLower, versionLower } = version;
  return {
    '@id': urls.leaf(level, idLower, versionLower),
    '@type': 'PackageDetails',
    id: metadata.id,
    version: version.versionFull,
    listed: version.isListed,
    published: version.isListed ? toIso(version.pushedAt) : UNLISTED,
    packageContent: urls.nupkg(idLower, version.version),
    ...presentTexts(metadata),
    ...presentLinks(version, urls),
    requireLicenseAcceptance: metadata.requireLicenseAcceptance,
    ...(version.deprecation === null ? {} : { deprecation: presentDeprecation(version.deprecation) }),
    ...(metadata.minClientVersion === null ? {} : { minClientVersion: metadata.minClientVersion }),
    dependencyGroups: metadata.dependencyGroups.map(({ targetFramework, dependencies }) => ({
      '@type': 'PackageDependencyGroup',
      ...(targetFramework === null ? {} : { targetFramework }),
      dependencies: dependencies.map(({ id, range }) => ({
        '@type': 'PackageDependency',
        id,
        range,
        registration: urls.registration(level, asciiLower(id)),
      })),
    })),
  };
}

/** The reasons in the spelling of nuget.org, which some clients compare as it is. */
const REASONS = { legacy: 'Legacy', criticalBugs: 'CriticalBugs', other: 'Other' } as const;

function presentDeprecation({ reasons, message, alternateId, alternateVersion }: Deprecation) {
  return {
    reasons: reasons.map((reason) => REASONS[reason]),
    ...(message === null ? {} : { message }),
    ...(alternateId === null
      ? {}
      : {
          alternatePackage: {
            id: alternateId,
            range: alternateVersion === null ? '*' : `[${alternateVersion}, )`,
          },
        }),
  };
}

function presentTexts(metadata: StoredMetadata) {
  return {
    authors: metadata.authors,
    description: metadata.description,
    summary: metadata.summary ?? '',
    title: metadata.title ?? '',
    language: metadata.language ?? '',
    tags: listTags(metadata.tags),
    ...(metadata.license?.kind === 'expression' ? { licenseExpression: metadata.license.value } : {}),
  };
}

/** Files within the package have addresses here; they come before addresses elsewhere. */
export function presentLinks(version: FeedVersion, urls: V3Urls) {
  const { metadata, idLower, versionLower } = version;
  const own = (kind: 'readme' | 'icon' | 'license', isThere: boolean): string | null =>
    isThere ? urls.file(idLower, versionLower, kind) : null;
  const readmeUrl = own('readme', metadata.readme !== null);
  return {
    iconUrl: own('icon', metadata.icon !== null) ?? metadata.iconUrl ?? '',
    licenseUrl: own('license', metadata.license?.kind === 'file') ?? metadata.licenseUrl ?? '',
    projectUrl: metadata.projectUrl ?? '',
    ...(readmeUrl === null ? {} : { readmeUrl }),
  };
}

/** Tags in their own casing. */
export function listTags(tags: string | null): string[] {
  return (tags ?? '').split(/[\s,;]+/).filter((tag) => tag !== '');
}
