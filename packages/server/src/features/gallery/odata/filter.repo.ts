import { type RawBuilder, sql } from 'kysely';
import { asciiLower } from '../../../lib/ascii.ts';
import { versionSortKey } from '../../../lib/version-sort-key.ts';
import type { Storage } from '../../../storage/index.ts';
import { latestFlag, type SemVerLevel } from '../feed-entries.repo.ts';
import { parseNuGetVersion } from '../version/nuget-version.ts';
import type { FeedOrder } from './feed-options.ts';
import type { Condition, Operator, Position, TextValue } from './filter-types.ts';
import { odataErrors } from './odata.errors.ts';
import type { PropertyName } from './properties.ts';

/** What the translation depends on beside the filter. */
export interface FilterPlace {
  readonly engine: Storage['engine'];
  readonly level: SemVerLevel;
}

const SIGNS: Readonly<Record<Operator, string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
};
/** 1900-01-01, when everything unlisted was published. */
const UNLISTED_AT = -2_208_988_800_000;
// No character of an id sorts behind it.
const HIGHEST_CHARACTER = '\u{10ffff}';
// Only what a manifest alone says; it is read from the wide rows of the versions.
const MANIFEST_FIELDS: Partial<Record<PropertyName, string>> = {
  Description: 'description',
  Summary: 'summary',
  Copyright: 'copyright',
  ReleaseNotes: 'releaseNotes',
  Language: 'language',
  IconUrl: 'iconUrl',
  LicenseUrl: 'licenseUrl',
  ProjectUrl: 'projectUrl',
  MinClientVersion: 'minClientVersion',
};

/** A condition of a filter as one on `feed_entries`. @throws odata.filter_unsupported */
export function toSqlCondition(condition: Condition, place: FilterPlace): RawBuilder<boolean> {
  switch (condition.kind) {
    case 'constant':
      return condition.value ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`;
    case 'flag':
      return toFlag(condition.property, place.level);
    case 'not':
      return sql<boolean>`not ${toSqlCondition(condition.part, place)}`;
    case 'all':
    case 'any':
      return sql<boolean>`(${sql.join(
        condition.parts.map((part) => toSqlCondition(part, place)),
        condition.kind === 'all' ? sql` and ` : sql` or `,
      )})`;
    case 'text':
      return compareTexts(condition.operator, condition.left.property, condition.right, place);
    case 'number': {
      const { left, right } = condition;
      return compareSql(condition.operator, toNumber(left, place), toNumber(right, place));
    }
    case 'time': {
      const { left, right } = condition;
      return compareSql(
        condition.operator,
        toTime(left.property),
        'literal' in right ? toNumber(right, place) : toTime(right.property),
      );
    }
    default:
      return findText(condition.kind, condition.property, asciiLower(condition.text), place);
  }
}

function compareSql(
  operator: Operator,
  left: RawBuilder<unknown>,
  right: RawBuilder<unknown>,
): RawBuilder<boolean> {
  return sql<boolean>`(${left} ${sql.raw(SIGNS[operator])} ${right})`;
}

/** With its value in the statement: an index over the entries that have a flag is used for no other spelling. */
function toFlag(property: PropertyName, level: SemVerLevel): RawBuilder<boolean> {
  switch (property) {
    case 'IsLatestVersion':
      return sql<boolean>`${sql.ref(`feed_entries.${latestFlag(level, { withPrereleases: false })}`)} = 1`;
    case 'IsAbsoluteLatestVersion':
      return sql<boolean>`${sql.ref(`feed_entries.${latestFlag(level, { withPrereleases: true })}`)} = 1`;
    case 'IsPrerelease':
      return sql<boolean>`feed_entries.is_prerelease = 1`;
    default:
      throw unsupported(property);
  }
}

/** Versions compare as NuGet does where the text is one, in the order of their characters where it is none. */
function compareTexts(
  operator: Operator,
  left: PropertyName,
  right: TextValue,
  place: FilterPlace,
): RawBuilder<boolean> {
  if ('property' in right) return compareSql(operator, toText(left, place), toText(right.property, place));
  const version = isVersion(left) ? parseNuGetVersion(right.literal) : null;
  return version === null
    ? compareSql(operator, toText(left, place), sql`${asciiLower(right.literal)}`)
    : compareSql(operator, sql`feed_entries.sort_key`, sql`${versionSortKey(version.normalized)}`);
}

function isVersion(property: PropertyName): boolean {
  return property === 'Version' || property === 'NormalizedVersion';
}

/** In lower case; where there is nothing, an empty text. */
function toText(property: PropertyName, place: FilterPlace): RawBuilder<string> {
  if (isVersion(property)) return sql<string>`feed_entries.version_lower`;
  switch (property) {
    case 'Id':
      return sql<string>`feed_entries.id_lower`;
    case 'Title':
      return sql<string>`coalesce(lower(feed_entries.title), feed_entries.id_lower)`;
    case 'Tags':
      return sql<string>`trim(feed_entries.tags)`;
    case 'Authors':
      return sql<string>`lower(feed_entries.authors)`;
    default:
      return toManifestText(property, place);
  }
}

function toManifestText(property: PropertyName, { engine }: FilterPlace): RawBuilder<string> {
  const field = MANIFEST_FIELDS[property];
  if (field === undefined) throw unsupported(property);
  const value =
    engine === 'sqlite'
      ? sql`json_extract(manifests.metadata, ${sql.lit(`$.${field}`)})`
      : sql`(manifests.metadata::json ->> ${sql.lit(field)}) collate "C"`;
  return sql<string>`coalesce((select lower(${value}) from package_versions as manifests
    where manifests.id = feed_entries.id), '')`;
}

function findText(
  kind: 'contains' | 'starts' | 'ends',
  property: PropertyName,
  text: string,
  place: FilterPlace,
): RawBuilder<boolean> {
  if (property === 'Id' && kind === 'starts')
    return sql<boolean>`(feed_entries.id_lower >= ${text} and feed_entries.id_lower < ${`${text}${HIGHEST_CHARACTER}`})`;
  const literal = text.replace(/[\\%_]/g, (character) => `\\${character}`);
  const pattern = { contains: `%${literal}%`, starts: `${literal}%`, ends: `%${literal}` }[kind];
  // Old clients look for ` word ` among the tags, which have a blank around each.
  const where = property === 'Tags' && kind === 'contains' ? sql`feed_entries.tags` : toText(property, place);
  return sql<boolean>`(${where} like ${pattern} escape '\\')`;
}

function toNumber(
  value: { literal: number } | { property: PropertyName } | Position,
  place: FilterPlace,
): RawBuilder<number> {
  // A whole column compares with a broken number only as one.
  if ('literal' in value) return sql<number>`cast(${value.literal} as double precision)`;
  if ('of' in value) {
    const where = toText(value.in.property, place);
    const text = asciiLower(value.of);
    return place.engine === 'sqlite'
      ? sql<number>`(instr(${where}, ${text}) - 1)`
      : sql<number>`(strpos(${where}, ${text}) - 1)`;
  }
  return toCount(value.property);
}

function toCount(property: PropertyName): RawBuilder<number> {
  switch (property) {
    case 'DownloadCount':
      return sql<number>`coalesce((select downloads from package_downloads as counts
        where counts.id = feed_entries.package_id), 0)`;
    case 'VersionDownloadCount':
      return sql<number>`coalesce((select downloads from package_downloads as counts
        where counts.id = feed_entries.id), 0)`;
    case 'PackageSize':
      return sql<number>`(select size_bytes from package_versions as files where files.id = feed_entries.id)`;
    default:
      throw unsupported(property);
  }
}

function toTime(property: PropertyName): RawBuilder<number> {
  return property === 'Published'
    ? sql<number>`(case when feed_entries.listed = 1 then feed_entries.pushed_at else ${sql.lit(UNLISTED_AT)} end)`
    : sql<number>`feed_entries.pushed_at`;
}

function unsupported(property: PropertyName) {
  return odataErrors.filter_unsupported({ detail: `The feed does not filter or sort by ${property}.` });
}

/**
 * The order that a client wants, and at its end that of ids and versions, so that pages never overlap; empty when
 * that is all.
 */
export function toSqlOrders(orders: readonly FeedOrder[]): RawBuilder<unknown>[] {
  const [first] = orders;
  if (first === undefined || (orders.length === 1 && first.property === 'Id' && !first.isDescending))
    return [];
  const named = new Set(orders.map(({ property }) => property));
  return [
    ...orders.map(({ property, isDescending }) =>
      isDescending ? sql`${toSortable(property)} desc` : toSortable(property),
    ),
    // A column twice in an order keeps SQLite from its indexes.
    ...(named.has('Id') ? [] : [sql`feed_entries.id_lower`]),
    ...(named.has('Version') || named.has('NormalizedVersion') ? [] : [sql`feed_entries.sort_key`]),
    sql`feed_entries.id`,
  ];
}

function toSortable(property: PropertyName): RawBuilder<unknown> {
  switch (property) {
    case 'Id':
      return sql`feed_entries.id_lower`;
    case 'Version':
    case 'NormalizedVersion':
      return sql`feed_entries.sort_key`;
    case 'Title':
      return sql`coalesce(lower(feed_entries.title), feed_entries.id_lower)`;
    case 'Authors':
      return sql`lower(feed_entries.authors)`;
    case 'Created':
    case 'LastUpdated':
    case 'LastEdited':
    case 'Published':
      return toTime(property);
    case 'DownloadCount':
    case 'VersionDownloadCount':
    case 'PackageSize':
      return toCount(property);
    default:
      throw unsupported(property);
  }
}
