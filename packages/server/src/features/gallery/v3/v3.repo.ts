import { type RawBuilder, sql } from 'kysely';
import { latestFlag, type SemVerLevel } from '../feed-entries.repo.ts';

/** Conditions and orders of the V3 protocol over `feed_entries`. */
type Condition = RawBuilder<boolean>;

// Ids are ASCII, so this stands behind all that may follow a prefix.
const BEHIND = '\u007f';

export function isPackage(idLower: string): Condition {
  return sql<boolean>`feed_entries.id_lower = ${idLower}`;
}

export function isVersion(versionLower: string): Condition {
  return sql<boolean>`feed_entries.version_lower = ${versionLower}`;
}

export function isBetween(lowerKey: string, upperKey: string): Condition {
  return sql<boolean>`(feed_entries.sort_key >= ${lowerKey} and feed_entries.sort_key <= ${upperKey})`;
}

/** The one version of each package that a search shows. */
export function isShown(level: SemVerLevel, withPrereleases: boolean): Condition {
  return sql<boolean>`${sql.ref(`feed_entries.${latestFlag(level, { withPrereleases })}`)} = 1`;
}

export function idBeginsWith(prefixLower: string): Condition {
  return sql<boolean>`(feed_entries.id_lower >= ${prefixLower} and feed_entries.id_lower < ${prefixLower + BEHIND})`;
}

export function idBeginsOtherwise(prefixLower: string): Condition {
  return sql<boolean>`(feed_entries.id_lower < ${prefixLower} or feed_entries.id_lower >= ${prefixLower + BEHIND})`;
}

/** The text stands somewhere in the id; nothing in it is a wildcard. */
export function idContains(textLower: string): Condition {
  return sql<boolean>`replace(feed_entries.id_lower, ${textLower}, '') <> feed_entries.id_lower`;
}

/** Packages of a type; those whose manifest names none are dependencies. */
export function hasType(typeLower: string): Condition {
  if (typeLower === 'dependency')
    return sql<boolean>`(feed_entries.package_types = '' or feed_entries.package_types like '% dependency %')`;
  const pattern = `% ${typeLower.replace(/[\\%_]/g, (character) => `\\${character}`)} %`;
  return sql<boolean>`(feed_entries.package_types <> '' and feed_entries.package_types like ${pattern} escape '\\')`;
}

export const byVersion: RawBuilder<unknown> = sql`feed_entries.sort_key`;
export const byVersionDescending: RawBuilder<unknown> = sql`feed_entries.sort_key desc`;
export const byId: RawBuilder<unknown> = sql`feed_entries.id_lower`;
