import type { Static } from 'typebox';
import { asciiLower } from '../../../lib/ascii.ts';
import { toIso } from '../../../lib/clock.ts';
import type { Deprecation } from '../deprecations/deprecations.repo.ts';
import type { FeedVersion } from '../feed-page.repo.ts';
import { presentDeprecation } from '../packages.present.ts';
import type {
  GalleryPackageSchema,
  GalleryVersionLineSchema,
  GalleryVersionSchema,
} from './browse.schema.ts';
import type { BrowsedVersion, VersionLine } from './browse.service.ts';
import { readTags } from './item-types.ts';

export function presentGalleryPackage(version: FeedVersion): Static<typeof GalleryPackageSchema> {
  const { metadata } = version;
  const { tags, itemTypes } = readTags(metadata.tags);
  return {
    id: metadata.id,
    version: version.version,
    title: metadata.title,
    description: metadata.description,
    authors: metadata.authors,
    kind: itemTypes?.kind ?? 'package',
    tags: [...tags],
    isPrerelease: version.isPrerelease,
    publishedAt: toIso(version.pushedAt),
    totalDownloads: version.packageDownloads,
    hasIcon: metadata.icon !== null,
  };
}

function presentDeprecationOrNull(deprecation: Deprecation | null) {
  return deprecation === null ? null : presentDeprecation(deprecation);
}

export function presentGalleryVersion(browsed: BrowsedVersion): Static<typeof GalleryVersionSchema> {
  const { version, owners, deprecation, latestVersion, listedVersionCount } = browsed;
  const { metadata } = version;
  return {
    ...presentGalleryPackage(version),
    latestVersion,
    listedVersionCount,
    isListed: version.isListed,
    downloads: version.downloads,
    sizeBytes: version.sizeBytes,
    sha512: version.sha512,
    owners: owners.map(({ displayName, kind }) => ({ displayName, kind })),
    deprecation: presentDeprecationOrNull(deprecation),
    ...presentContents(browsed),
    packageTypes: metadata.packageTypes.map(({ name }) => name),
    hasReadme: metadata.readme !== null,
    releaseNotes: metadata.releaseNotes,
    copyright: metadata.copyright,
    projectUrl: webAddressOrNull(metadata.projectUrl),
    repositoryUrl: webAddressOrNull(metadata.repository?.url ?? null),
    licenseUrl: webAddressOrNull(metadata.licenseUrl),
    licenseExpression: metadata.license?.kind === 'expression' ? metadata.license.value : null,
    licenseFile: metadata.license?.kind === 'file' ? metadata.license.value : null,
    requireLicenseAcceptance: metadata.requireLicenseAcceptance,
    minClientVersion: metadata.minClientVersion,
  };
}

function presentContents({ version: { metadata }, knownIds }: BrowsedVersion) {
  const { itemTypes } = readTags(metadata.tags);
  return {
    dependencyGroups: metadata.dependencyGroups.map(({ targetFramework, dependencies }) => ({
      targetFramework,
      dependencies: dependencies.map(({ id, range }) => ({
        id,
        range,
        isHere: knownIds.has(asciiLower(id)),
      })),
    })),
    itemTypes:
      itemTypes === null
        ? null
        : {
            editions: [...itemTypes.editions],
            functions: [...itemTypes.functions],
            cmdlets: [...itemTypes.cmdlets],
            commands: [...itemTypes.commands],
            dscResources: [...itemTypes.dscResources],
            roleCapabilities: [...itemTypes.roleCapabilities],
            workflows: [...itemTypes.workflows],
          },
  };
}

export function presentVersionLine({
  version,
  deprecation,
}: VersionLine): Static<typeof GalleryVersionLineSchema> {
  return {
    version: version.version,
    isPrerelease: version.isPrerelease,
    publishedAt: toIso(version.pushedAt),
    sizeBytes: version.sizeBytes,
    downloads: version.downloads,
    deprecation: presentDeprecationOrNull(deprecation),
  };
}

/** Addresses of a manifest become links: those of repositories may be of any scheme, and these pages follow two. */
function webAddressOrNull(text: string | null): string | null {
  const url = text === null ? null : URL.parse(text);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? text : null;
}
