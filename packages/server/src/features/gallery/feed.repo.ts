import type { RawBuilder } from 'kysely';
import { createTurns } from '../../lib/turns.ts';
import type { Executor, FeedEntriesTable, PackageVersionsTable } from '../../storage/index.ts';
import { latestFlag, type SemVerLevel } from './feed-entries.repo.ts';
import type { StoredMetadata } from './gallery.metadata.ts';

/** A version as the feeds show it. */
export interface FeedVersion {
  /** Of the row. */
  readonly id: string;
  readonly packageId: string;
  readonly idLower: string;
  /** Normalised, in the casing of its push. */
  readonly version: string;
  readonly versionLower: string;
  /** With its metadata, if it has any. */
  readonly versionFull: string;
  readonly sortKey: string;
  readonly isPrerelease: boolean;
  readonly isSemVer2: boolean;
  readonly isListed: boolean;
  /** The highest listed release, and the highest listed version of all, among those that the client can read. */
  readonly isLatest: boolean;
  readonly isAbsoluteLatest: boolean;
  readonly sizeBytes: number;
  /** Lower-case hex, of the bytes as they were pushed. */
  readonly sha512: string;
  readonly pushedAt: number;
  readonly metadata: StoredMetadata;
  readonly downloads: number;
  /** Of all versions of the package. */
  readonly packageDownloads: number;
}

/** What of the feed is asked for. Conditions and orders name columns of `feed_entries`. */
export interface FeedQuery {
  readonly workspaceId: string;
  readonly level: SemVerLevel;
  readonly where: readonly RawBuilder<boolean>[];
  readonly orderBy: readonly RawBuilder<unknown>[];
  readonly offset: number;
  readonly limit: number;
}

type FeedRow = Pick<FeedEntriesTable, 'id' | 'id_lower' | 'sort_key'> & {
  latest: number;
  absolute_latest: number;
};

function selectEntries(
  exec: Executor,
  { workspaceId, level, where }: Omit<FeedQuery, 'orderBy' | 'offset' | 'limit'>,
) {
  let query = exec.selectFrom('feed_entries').where('feed_entries.workspace_id', '=', workspaceId);
  if (level === 'semver1') query = query.where('feed_entries.is_semver2', '=', 0);
  for (const condition of where) query = query.where(condition);
  return query;
}

/** One page of a feed: the entries are found in their narrow table, and only those of the page are read whole. */
export async function listFeed(exec: Executor, query: FeedQuery): Promise<FeedVersion[]> {
  const found: FeedVersion[] = [];
  for await (const stretch of streamFeed(exec, query)) found.push(...stretch);
  return found;
}

/**
 * One page of a feed, some versions at a time: a page may hold thousands, whose manifests together are too much for
 * the memory and for one turn of the event loop.
 */
export async function* streamFeed(exec: Executor, query: FeedQuery): AsyncGenerator<FeedVersion[]> {
  const { level } = query;
  let entries = selectEntries(exec, query).select([
    'feed_entries.id',
    'feed_entries.id_lower',
    'feed_entries.sort_key',
    `feed_entries.${latestFlag(level, { withPrereleases: false })} as latest`,
    `feed_entries.${latestFlag(level, { withPrereleases: true })} as absolute_latest`,
  ]);
  for (const order of query.orderBy) entries = entries.orderBy(order);
  const rows: FeedRow[] = await entries.offset(query.offset).limit(query.limit).execute();
  const turns = createTurns();
  for (let start = 0; start < rows.length; start += READ_AT_ONCE) {
    await turns.step();
    yield await readStretch(exec, query.workspaceId, rows.slice(start, start + READ_AT_ONCE));
  }
}

export async function countFeed(
  exec: Executor,
  query: Omit<FeedQuery, 'orderBy' | 'offset' | 'limit'>,
): Promise<number> {
  const { count } = await selectEntries(exec, query)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

// Few enough that reading them is a small step, with the longest manifests as well.
const READ_AT_ONCE = 20;

async function readStretch(
  exec: Executor,
  workspaceId: string,
  rows: readonly FeedRow[],
): Promise<FeedVersion[]> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const versions = await exec
    .selectFrom('package_versions')
    .leftJoin('package_downloads as own', 'own.id', 'package_versions.id')
    .leftJoin('package_downloads as total', 'total.id', 'package_versions.package_id')
    .select([
      'package_versions.id',
      'package_versions.package_id',
      'version',
      'version_lower',
      'version_full',
      'is_prerelease',
      'is_semver2',
      'listed',
      'size_bytes',
      'sha512',
      'pushed_at',
      'metadata',
      'own.downloads as downloads',
      'total.downloads as package_downloads',
    ])
    .where('package_versions.workspace_id', '=', workspaceId)
    .where('package_versions.id', 'in', [...byId.keys()])
    .limit(rows.length)
    .execute();
  const found = new Map<string, FeedVersion>();
  for (const version of versions) {
    const entry = byId.get(version.id);
    if (entry !== undefined) found.set(version.id, toFeedVersion(entry, version));
  }
  return rows.flatMap((row) => found.get(row.id) ?? []);
}

type VersionRow = Pick<
  PackageVersionsTable,
  | 'id'
  | 'package_id'
  | 'version'
  | 'version_lower'
  | 'version_full'
  | 'is_prerelease'
  | 'is_semver2'
  | 'listed'
  | 'size_bytes'
  | 'sha512'
  | 'pushed_at'
  | 'metadata'
> & { downloads: number | null; package_downloads: number | null };

function toFeedVersion(entry: FeedRow, version: VersionRow): FeedVersion {
  return {
    id: version.id,
    packageId: version.package_id,
    idLower: entry.id_lower,
    version: version.version,
    versionLower: version.version_lower,
    versionFull: version.version_full,
    sortKey: entry.sort_key,
    isPrerelease: version.is_prerelease === 1,
    isSemVer2: version.is_semver2 === 1,
    isListed: version.listed === 1,
    isLatest: entry.latest === 1,
    isAbsoluteLatest: entry.absolute_latest === 1,
    sizeBytes: version.size_bytes,
    sha512: version.sha512,
    pushedAt: version.pushed_at,
    metadata: JSON.parse(version.metadata) as StoredMetadata,
    downloads: version.downloads ?? 0,
    packageDownloads: version.package_downloads ?? 0,
  };
}
