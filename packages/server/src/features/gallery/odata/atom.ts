import { Buffer } from 'node:buffer';
import { asciiLower } from '../../../lib/ascii.ts';
import { toIso } from '../../../lib/clock.ts';
import type { FeedVersion } from '../feed-page.repo.ts';
import type { StoredMetadata } from '../gallery.metadata.ts';
import { createV3Urls } from '../v3/v3.urls.ts';
import { legacyRangeText, parseVersionRange } from '../version/nuget-version.ts';
import { DATA_NAMESPACE, DECLARATION, METADATA_NAMESPACE } from './documents.ts';
import { FEED_PROPERTIES, PROPERTY_NAMES, type PropertyName } from './properties.ts';
import { escapeXml } from './xml.ts';

/** Where the links of a feed lead. */
export interface FeedPlace {
  /** `https://keys.example.com` */
  readonly workspaceUrl: string;
  /** `https://keys.example.com/api/v2` */
  readonly feedUrl: string;
}

export interface EntryOptions extends FeedPlace {
  /** The properties to show; null for all. */
  readonly selection: ReadonlySet<PropertyName> | null;
}

const NAMESPACES = `xmlns="http://www.w3.org/2005/Atom" xmlns:d="${DATA_NAMESPACE}" xmlns:m="${METADATA_NAMESPACE}"`;
const TERM = `<category term="NuGetGallery.OData.V2FeedPackage" scheme="${DATA_NAMESPACE}/scheme"/>`;
const INT32_MAX = 2_147_483_647;
// Clients take everything published before 1901 for unlisted.
const UNLISTED_AT = '1900-01-01T00:00:00';

export interface FeedHead extends FeedPlace {
  readonly source: string;
  /** Of all pages together. */
  readonly count: number;
  readonly updatedAt: number;
}

/** The feed up to its first entry. The prefixes are fixed: PSResourceGet looks for `m:count` and `d:Id` by name. */
export function writeFeedHead({ feedUrl, source, count, updatedAt }: FeedHead): string {
  const base = escapeXml(feedUrl);
  return (
    `${DECLARATION}<feed xml:base="${base}" ${NAMESPACES}><m:count>${count}</m:count>` +
    `<id>${base}/${source}</id><title type="text">${source}</title><updated>${toIso(updatedAt)}</updated>` +
    `<link rel="self" title="${source}" href="${base}/${source}"/>`
  );
}

export function writeFeedEnd(nextUrl: string | null): string {
  return `${nextUrl === null ? '' : `<link rel="next" href="${escapeXml(nextUrl)}"/>`}</feed>`;
}

/**
 * A package. There is no white space in it and its `content` closes itself: PSResourceGet takes every child for a
 * property, and NuGet before version 3 asks whether the element is empty.
 *
 * @param isAlone it is the whole document, and declares what the feed would
 */
export function writeEntry(version: FeedVersion, options: EntryOptions, isAlone = false): string {
  const { metadata } = version;
  const { workspaceUrl, feedUrl, selection } = options;
  const address = escapeXml(`${feedUrl}/Packages(Id='${metadata.id}',Version='${version.version}')`);
  const file = escapeXml(`${workspaceUrl}/api/v2/package/${metadata.id}/${version.version}`);
  const facts = { ...version, pushedText: toEdmTime(version.pushedAt) };
  let properties = '';
  for (const { name, tags } of PROPERTIES) {
    if (selection === null || selection.has(name))
      properties += writeProperty(tags, READERS[name](facts, options));
  }
  const declared = isAlone ? ` xml:base="${escapeXml(feedUrl)}" ${NAMESPACES}` : '';
  return (
    `${isAlone ? DECLARATION : ''}<entry${declared}><id>${address}</id>${TERM}` +
    `<link rel="edit" href="${address}"/><link rel="self" href="${address}"/>` +
    `<title type="text">${escapeXml(metadata.id)}</title><updated>${facts.pushedText}Z</updated>` +
    `<author><name>${escapeXml(metadata.authors)}</name></author>` +
    `<content type="application/zip" src="${file}"/>` +
    `<m:properties>${properties}</m:properties></entry>`
  );
}

/** One property as a document of its own. */
export function writePropertyDocument(version: FeedVersion, name: PropertyName, place: FeedPlace): string {
  const namespaces = ` xmlns:d="${DATA_NAMESPACE}" xmlns:m="${METADATA_NAMESPACE}"`;
  const facts = { ...version, pushedText: toEdmTime(version.pushedAt) };
  return `${DECLARATION}${writeProperty(writeTags(name, namespaces), READERS[name](facts, place))}`;
}

interface PropertyTags {
  readonly open: string;
  readonly close: string;
  readonly isNull: string;
}

function writeTags(name: PropertyName, namespaces = ''): PropertyTags {
  const { type } = FEED_PROPERTIES[name];
  const start = `<d:${name}${namespaces}${type === 'String' ? '' : ` m:type="Edm.${type}"`}`;
  return { open: `${start}>`, close: `</d:${name}>`, isNull: `${start} m:null="true"/>` };
}

// There are thousands of properties in a feed, and their tags are always the same.
const PROPERTIES = PROPERTY_NAMES.map((name) => ({ name, tags: writeTags(name) }));

function writeProperty({ open, close, isNull }: PropertyTags, value: string | null): string {
  return value === null ? isNull : `${open}${escapeXml(value)}${close}`;
}

/** A version with its time as text, which three properties show. */
type EntryFacts = FeedVersion & { readonly pushedText: string };
type Read = (version: EntryFacts, place: FeedPlace) => string | null;

const READERS: Readonly<Record<PropertyName, Read>> = {
  Id: ({ metadata }) => metadata.id,
  Version: readVersionText,
  NormalizedVersion: ({ version }) => version,
  Authors: ({ metadata }) => metadata.authors,
  Copyright: ({ metadata }) => metadata.copyright,
  Created: ({ pushedText }) => pushedText,
  Dependencies: ({ metadata }) => writeDependencies(metadata.dependencyGroups),
  Description: ({ metadata }) => metadata.description,
  DownloadCount: ({ packageDownloads }) => toInt32(packageDownloads),
  GalleryDetailsUrl: ({ metadata, version }, { workspaceUrl }) =>
    `${workspaceUrl}/packages/${metadata.id}/${version}`,
  IconUrl: (version, place) =>
    version.metadata.icon === null ? version.metadata.iconUrl : toFileUrl(version, place, 'icon'),
  IsLatestVersion: ({ isLatest }) => String(isLatest),
  IsAbsoluteLatestVersion: ({ isAbsoluteLatest }) => String(isAbsoluteLatest),
  IsPrerelease: ({ isPrerelease }) => String(isPrerelease),
  Language: ({ metadata }) => metadata.language,
  LastUpdated: ({ pushedText }) => pushedText,
  Published: ({ pushedText, isListed }) => (isListed ? pushedText : UNLISTED_AT),
  PackageHash: ({ sha512 }) => Buffer.from(sha512, 'hex').toString('base64'),
  PackageHashAlgorithm: () => 'SHA512',
  PackageSize: ({ sizeBytes }) => String(sizeBytes),
  ProjectUrl: ({ metadata }) => metadata.projectUrl,
  ReportAbuseUrl: () => null,
  ReleaseNotes: ({ metadata }) => metadata.releaseNotes,
  RequireLicenseAcceptance: ({ metadata }) => String(metadata.requireLicenseAcceptance),
  Summary: ({ metadata }) => metadata.summary,
  Tags: ({ metadata }) => metadata.tags,
  Title: ({ metadata }) => metadata.title ?? metadata.id,
  VersionDownloadCount: ({ downloads }) => toInt32(downloads),
  MinClientVersion: ({ metadata }) => metadata.minClientVersion,
  LastEdited: () => null,
  LicenseUrl: (version, place) =>
    version.metadata.license?.kind === 'file'
      ? toFileUrl(version, place, 'license')
      : version.metadata.licenseUrl,
  LicenseNames: ({ metadata }) => (metadata.license?.kind === 'expression' ? metadata.license.value : null),
  LicenseReportUrl: () => null,
};

/** Files within the package have addresses in the V3 protocol; they come before addresses elsewhere. */
function toFileUrl(version: FeedVersion, { workspaceUrl }: FeedPlace, kind: 'icon' | 'license'): string {
  return createV3Urls(workspaceUrl).file(asciiLower(version.metadata.id), version.versionLower, kind);
}

/** As it was pushed, unless with blanks, which only a lenient reader understands. */
function readVersionText({ metadata, versionFull }: FeedVersion): string {
  return /\s/.test(metadata.versionText) ? versionFull : metadata.versionText;
}

/** Without a zone, as on nuget.org; it is UTC. */
function toEdmTime(ms: number): string {
  return toIso(ms).slice(0, -1);
}

function toInt32(count: number): string {
  return String(Math.min(count, INT32_MAX));
}

/** `id:range:framework`, parted by `|`; a framework without dependencies is `::framework`. */
export function writeDependencies(groups: StoredMetadata['dependencyGroups']): string {
  return groups
    .flatMap(({ targetFramework, dependencies }) => {
      const framework = (targetFramework ?? '').replace(/[:|]/g, '');
      if (dependencies.length === 0) return framework === '' ? [] : [`::${framework}`];
      return dependencies.map(({ id, range }) => `${id}:${toLegacyRange(range)}:${framework}`);
    })
    .join('|');
}

function toLegacyRange(range: string): string {
  // Nearly all ranges are of this form, and there are thousands in a feed.
  const [, lowest] = FROM_ON.exec(range) ?? [];
  if (lowest !== undefined) return lowest;
  const parsed = parseVersionRange(range);
  return parsed === null ? range : legacyRangeText(parsed);
}

/** In the normalised form in which ranges are stored. */
const FROM_ON = /^\[([0-9A-Za-z.-]+), \)$/;
