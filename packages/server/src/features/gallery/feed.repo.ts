import { type RawBuilder, sql } from 'kysely';
import { createTurns } from '../../lib/turns.ts';
import type { Executor, FeedEntriesTable, PackageVersionsTable } from '../../storage/index.ts';
import { type Deprecation, listDeprecations } from './deprecations/deprecations.repo.ts';
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
  readonly deprecation: Deprecation | null;
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
  /**
   * The conditions look into the texts of every entry, and on SQLite everybody would wait until they have: the entries
   * are looked at in stretches, if the order is that of ids.
   */
  readonly isSlow?: boolean;
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

function selectEntries(exec: Executor, { workspaceId, level, latest = null, where }: Conditions) {
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
  let atOnce = READ_AT_FIRST;
  for await (const rows of findRows(exec, query)) {
    const ids = rows.map((row) => row.id);
    const deprecations = await listDeprecations(exec, query.workspaceId, ids);
    for (let start = 0; start < rows.length; ) {
      await turns.step();
      const stretch = rows.slice(start, start + atOnce);
      const { versions, characters } = await readStretch(exec, query.workspaceId, stretch, deprecations);
      yield versions;
      start += stretch.length;
      const fitting = Math.floor((stretch.length * SHORT_MANIFESTS_CHARACTERS) / Math.max(1, characters));
      atOnce = Math.min(READ_MAX, Math.max(READ_AT_FIRST, fitting));
    }
  }
}

function findRows(exec: Executor, query: FeedQuery): AsyncIterable<FeedRow[]> {
  if (query.orderBy.length > 0) return sortRows(exec, query);
  return query.isSlow === true ? searchRows(exec, query) : streamRows(exec, query);
}

/** In an order of the client's own: found at once, because each part of it would sort everything anew. */
async function* sortRows(exec: Executor, query: FeedQuery): AsyncGenerator<FeedRow[]> {
  let entries = selectRows(exec, query);
  for (const order of query.orderBy) entries = entries.orderBy(order);
  yield await entries.offset(query.offset).limit(query.limit).execute();
}

/** In the order of an index: each part of the page goes on behind the part before. */
async function* streamRows(exec: Executor, query: FeedQuery): AsyncGenerator<FeedRow[]> {
  let last: FeedRow | undefined;
  for (let left = query.limit; left > 0; ) {
    let entries = selectRows(exec, query);
    for (const column of orderOf(query)) entries = entries.orderBy(column);
    if (last === undefined) entries = entries.offset(query.offset);
    else entries = entries.where(isBehind(query, last));
    const wanted = Math.min(left, ROWS_AT_ONCE);
    const rows: FeedRow[] = await entries.limit(wanted).execute();
    yield rows;
    last = rows.at(-1);
    if (last === undefined || rows.length < wanted) return;
    left -= rows.length;
  }
}

/** Of each package there is one latest version. */
function orderOf({ latest = null }: Pick<FeedQuery, 'latest'>) {
  return latest === null
    ? (['feed_entries.id_lower', 'feed_entries.sort_key', 'feed_entries.id'] as const)
    : (['feed_entries.id_lower', 'feed_entries.id'] as const);
}

function isBehind(query: Pick<FeedQuery, 'latest'>, row: Place): RawBuilder<boolean> {
  return comparePlace(query, sql`>`, row);
}

function comparePlace(
  { latest = null }: Pick<FeedQuery, 'latest'>,
  sign: RawBuilder<unknown>,
  { id_lower, sort_key, id }: Place,
): RawBuilder<boolean> {
  if (latest !== null) return sql<boolean>`feed_entries.id_lower ${sign} ${id_lower}`;
  return sql<boolean>`(feed_entries.id_lower, feed_entries.sort_key, feed_entries.id) ${sign} (${id_lower}, ${sort_key}, ${id})`;
}

type Place = Pick<FeedEntriesTable, 'id' | 'id_lower' | 'sort_key'>;
type Conditions = Omit<FeedQuery, 'orderBy' | 'offset' | 'limit'>;

/** Stretches of all entries in their order, each as the condition to be in it. */
async function* stretchesOf(exec: Executor, query: Conditions): AsyncGenerator<RawBuilder<boolean>[]> {
  const turns = createTurns();
  let after: Place | undefined;
  for (;;) {
    const isIn = after === undefined ? [] : [isBehind(query, after)];
    let entries = selectEntries(exec, { ...query, where: isIn });
    for (const column of orderOf(query)) entries = entries.orderBy(column);
    const end = await entries
      .select(['feed_entries.id', 'feed_entries.id_lower', 'feed_entries.sort_key'])
      .offset(STRETCH - 1)
      .limit(1)
      .executeTakeFirst();
    yield end === undefined ? isIn : [...isIn, comparePlace(query, sql`<=`, end)];
    if (end === undefined) return;
    after = end;
    await turns.step();
  }
}

async function* searchRows(exec: Executor, query: FeedQuery): AsyncGenerator<FeedRow[]> {
  let { offset, limit } = query;
  for await (const isIn of stretchesOf(exec, query)) {
    let entries = selectRows(exec, { ...query, where: [...isIn, ...query.where] });
    for (const column of orderOf(query)) entries = entries.orderBy(column);
    const rows: FeedRow[] = await entries.limit(Math.min(STRETCH, offset + limit)).execute();
    const shown = rows.slice(offset, offset + limit);
    yield shown;
    offset = Math.max(0, offset - rows.length);
    limit -= shown.length;
    if (limit === 0) return;
  }
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

export async function countFeed(exec: Executor, query: Conditions): Promise<number> {
  if (query.isSlow !== true) return await countOnce(exec, query);
  let count = 0;
  for await (const isIn of stretchesOf(exec, query))
    count += await countOnce(exec, { ...query, where: [...isIn, ...query.where] });
  return count;
}

async function countOnce(exec: Executor, query: Conditions): Promise<number> {
  const { count } = await selectCount(exec, query).executeTakeFirstOrThrow();
  return count;
}

function selectCount(exec: Executor, query: Conditions) {
  return selectEntries(exec, query).select((eb) => eb.fn.countAll<number>().as('count'));
}

/** What is counted, as a text: two questions that may have different answers have different texts. */
export function countKey(exec: Executor, query: Conditions): string {
  const { sql: text, parameters } = selectCount(exec, query).compile();
  return JSON.stringify([text, parameters]);
}

/** Does the gallery have so many versions that counting them takes a while? */
export async function isLargeFeed(exec: Executor, workspaceId: string): Promise<boolean> {
  const beyond = await exec
    .selectFrom('feed_entries')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .orderBy('id_lower')
    .orderBy('sort_key')
    .offset(LARGE_FROM)
    .limit(1)
    .executeTakeFirst();
  return beyond !== undefined;
}

const LARGE_FROM = 1_000;

/** Of entries that are looked into at once. */
const STRETCH = 200;
const ROWS_AT_ONCE = 200;
// So few that reading them is a small step with the longest manifests as well; more, once they turned out to be short.
const READ_AT_FIRST = 20;
const READ_MAX = 100;
const SHORT_MANIFESTS_CHARACTERS = 100_000;

async function readStretch(
  exec: Executor,
  workspaceId: string,
  rows: readonly FeedRow[],
  deprecations: ReadonlyMap<string, Deprecation>,
): Promise<{ versions: FeedVersion[]; characters: number }> {
  const stored = await exec
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
    .where(
      'package_versions.id',
      'in',
      rows.map((row) => row.id),
    )
    .limit(rows.length)
    .execute();
  const byId = new Map(stored.map((version) => [version.id, version]));
  let characters = 0;
  const versions = rows.flatMap((row) => {
    const version = byId.get(row.id);
    if (version === undefined) return [];
    characters += version.metadata.length;
    return [toFeedVersion(row, version, deprecations.get(row.id) ?? null)];
  });
  return { versions, characters };
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

function toFeedVersion(entry: FeedRow, version: VersionRow, deprecation: Deprecation | null): FeedVersion {
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
    deprecation,
  };
}
