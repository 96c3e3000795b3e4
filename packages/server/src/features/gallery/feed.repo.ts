import { type RawBuilder, sql } from 'kysely';
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
  /**
   * Only the latest version of each package: release, or of all. It is listed, and readable at the level; a condition
   * that says so again would keep the database from the index over those few entries.
   */
  readonly latest?: { readonly withPrereleases: boolean } | null;
  readonly where: readonly RawBuilder<boolean>[];
  /** Empty: by id, and the versions of each package from the lowest to the highest. */
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
  { workspaceId, level, latest = null, where }: Omit<FeedQuery, 'orderBy' | 'offset' | 'limit'>,
) {
  let query = exec.selectFrom('feed_entries').where('feed_entries.workspace_id', '=', workspaceId);
  // With its value in the statement: the index over the entries that have the flag is used for no other spelling.
  if (latest !== null) query = query.where(sql<boolean>`${sql.ref(latestFlag(level, latest))} = 1`);
  else if (level === 'semver1') query = query.where('feed_entries.is_semver2', '=', 0);
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
  const turns = createTurns();
  for await (const rows of query.orderBy.length === 0 ? streamRows(exec, query) : [sortRows(exec, query)]) {
    for (let start = 0; start < rows.length; start += READ_AT_ONCE) {
      await turns.step();
      yield await readStretch(exec, query.workspaceId, rows.slice(start, start + READ_AT_ONCE));
    }
  }
}

/** In an order of the client's own: found at once, because each part of it would sort everything anew. */
async function sortRows(exec: Executor, query: FeedQuery): Promise<FeedRow[]> {
  let entries = selectRows(exec, query);
  for (const order of query.orderBy) entries = entries.orderBy(order);
  return await entries.offset(query.offset).limit(query.limit).execute();
}

/** In the order of an index: each part of the page goes on behind the part before. */
async function* streamRows(exec: Executor, query: FeedQuery): AsyncGenerator<FeedRow[]> {
  const isLatest = query.latest != null;
  let last: FeedRow | undefined;
  for (let left = query.limit; left > 0; ) {
    let entries = selectRows(exec, query).orderBy('feed_entries.id_lower');
    // Of each package there is one latest version.
    if (!isLatest) entries = entries.orderBy('feed_entries.sort_key');
    entries = entries.orderBy('feed_entries.id');
    if (last === undefined) entries = entries.offset(query.offset);
    else entries = entries.where(isLatest ? isBehindPackage(last) : isBehindVersion(last));
    const wanted = Math.min(left, ROWS_AT_ONCE);
    const rows: FeedRow[] = await entries.limit(wanted).execute();
    yield rows;
    last = rows.at(-1);
    if (last === undefined || rows.length < wanted) return;
    left -= rows.length;
  }
}

function isBehindPackage({ id_lower }: FeedRow): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.id_lower > ${id_lower}`;
}

function isBehindVersion({ id_lower, sort_key, id }: FeedRow): RawBuilder<boolean> {
  return sql<boolean>`(feed_entries.id_lower, feed_entries.sort_key, feed_entries.id) > (${id_lower}, ${sort_key}, ${id})`;
}

function selectRows(exec: Executor, query: FeedQuery) {
  return selectEntries(exec, query).select([
    'feed_entries.id',
    'feed_entries.id_lower',
    'feed_entries.sort_key',
    `feed_entries.${latestFlag(query.level, { withPrereleases: false })} as latest`,
    `feed_entries.${latestFlag(query.level, { withPrereleases: true })} as absolute_latest`,
  ]);
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

const ROWS_AT_ONCE = 200;
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
