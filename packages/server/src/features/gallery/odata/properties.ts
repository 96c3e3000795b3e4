import { asciiLower } from '../../../lib/ascii.ts';

export type EdmType = 'String' | 'Boolean' | 'DateTime' | 'Int32' | 'Int64';

interface PropertyShape {
  readonly type: EdmType;
  readonly isNullable: boolean;
}

const text = { type: 'String', isNullable: true } as const;
const requiredText = { type: 'String', isNullable: false } as const;
const flag = { type: 'Boolean', isNullable: false } as const;
const time = { type: 'DateTime', isNullable: false } as const;
const count = { type: 'Int32', isNullable: false } as const;

/** The properties of a package in the V2 feed, in the order of nuget.org. */
export const FEED_PROPERTIES = {
  Id: requiredText,
  Version: requiredText,
  NormalizedVersion: requiredText,
  Authors: text,
  Copyright: text,
  Created: time,
  Dependencies: text,
  Description: text,
  DownloadCount: count,
  GalleryDetailsUrl: text,
  IconUrl: text,
  IsLatestVersion: flag,
  IsAbsoluteLatestVersion: flag,
  IsPrerelease: flag,
  Language: text,
  LastUpdated: time,
  Published: time,
  PackageHash: text,
  PackageHashAlgorithm: text,
  PackageSize: { type: 'Int64', isNullable: false },
  ProjectUrl: text,
  ReportAbuseUrl: text,
  ReleaseNotes: text,
  RequireLicenseAcceptance: flag,
  Summary: text,
  Tags: text,
  Title: text,
  VersionDownloadCount: count,
  MinClientVersion: text,
  LastEdited: { type: 'DateTime', isNullable: true },
  LicenseUrl: text,
  LicenseNames: text,
  LicenseReportUrl: text,
} as const satisfies Record<string, PropertyShape>;

export type PropertyName = keyof typeof FEED_PROPERTIES;

export const PROPERTY_NAMES = Object.keys(FEED_PROPERTIES) as readonly PropertyName[];

const byLowerName = new Map(PROPERTY_NAMES.map((name) => [asciiLower(name), name]));

/** Clients spell names as `$metadata` does; people who type addresses do not. */
export function findProperty(name: string): PropertyName | null {
  return byLowerName.get(asciiLower(name)) ?? null;
}

/** What the feed never tells: a version is not edited once it is pushed, and nobody is named for complaints. */
export const EMPTY_PROPERTIES: ReadonlySet<PropertyName> = new Set<PropertyName>([
  'LastEdited',
  'ReportAbuseUrl',
  'LicenseReportUrl',
]);

/** What of a package only its manifest says, beside what the feed keeps of each version to filter by. */
export const MANIFEST_PROPERTIES: ReadonlySet<PropertyName> = new Set<PropertyName>([
  'Description',
  'Summary',
  'Copyright',
  'ReleaseNotes',
  'Language',
  'IconUrl',
  'LicenseUrl',
  'ProjectUrl',
  'MinClientVersion',
  'PackageSize',
]);
