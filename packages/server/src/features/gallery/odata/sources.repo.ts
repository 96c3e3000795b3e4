import { type RawBuilder, sql } from 'kysely';
import { asciiLower } from '../../../lib/ascii.ts';
import { versionSortKey } from '../../../lib/version-sort-key.ts';
import type { SemVerLevel } from '../feed-entries.repo.ts';
import type { NuGetVersion, VersionRange } from '../version/nuget-version.ts';

/** All versions of a package. */
export function isOfPackage(id: string): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.id_lower = ${asciiLower(id)}`;
}

export function isVersion(version: NuGetVersion): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.sort_key = ${versionSortKey(version.normalized)}`;
}

export function isListed(): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.listed = 1`;
}

export function isRelease(): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.is_prerelease = 0`;
}

/** The highest listed release among those that the client can read. */
export function isLatestRelease(): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.is_latest = 1`;
}

export function isScript(): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.tags like '% psscript %'`;
}

export function isNothing(): RawBuilder<boolean> {
  return sql<boolean>`1 = 0`;
}

/** A package that somebody has, and what he would take instead. */
export interface InstalledPackage {
  readonly id: string;
  readonly version: NuGetVersion;
  /** Null when any newer version will do. */
  readonly allowed: VersionRange | null;
}

export interface UpdateWishes {
  readonly workspaceId: string;
  readonly level: SemVerLevel;
  readonly isPrereleaseWanted: boolean;
  /** Every newer version, or only the highest. */
  readonly isEveryWanted: boolean;
}

/** Listed versions that are newer than what somebody has. */
export function isUpdateOf(
  installed: readonly InstalledPackage[],
  wishes: UpdateWishes,
): RawBuilder<boolean> {
  if (installed.length === 0) return isNothing();
  const newer = installed.map((one) => {
    const found = sql`select newer.id from feed_entries as newer
      where newer.workspace_id = ${wishes.workspaceId} and newer.id_lower = ${asciiLower(one.id)} and newer.listed = 1
      ${wishes.isPrereleaseWanted ? sql`` : sql`and newer.is_prerelease = 0`}
      ${wishes.level === 'semver1' ? sql`and newer.is_semver2 = 0` : sql``}
      and ${isWithin(one)}`;
    return wishes.isEveryWanted
      ? sql`feed_entries.id in (${found})`
      : sql`feed_entries.id = (${found} order by newer.sort_key desc limit 1)`;
  });
  return sql<boolean>`(${sql.join(newer, sql` or `)})`;
}

function isWithin({ version, allowed }: InstalledPackage): RawBuilder<boolean> {
  const bounds = [sql`newer.sort_key > ${versionSortKey(version.normalized)}`];
  const { min = null, max = null, isMinInclusive = false, isMaxInclusive = false } = allowed ?? {};
  if (min !== null)
    bounds.push(
      sql`newer.sort_key ${sql.raw(isMinInclusive ? '>=' : '>')} ${versionSortKey(min.normalized)}`,
    );
  if (max !== null)
    bounds.push(
      sql`newer.sort_key ${sql.raw(isMaxInclusive ? '<=' : '<')} ${versionSortKey(max.normalized)}`,
    );
  return sql<boolean>`${sql.join(bounds, sql` and `)}`;
}
