import { createTurns } from '../../lib/turns.ts';
import type { Executor } from '../../storage/index.ts';
import { type Deprecation, listDeprecations } from './deprecations/deprecations.repo.ts';
import { type FeedQuery, type FeedRow, findRows } from './feed.repo.ts';
import type { StoredVersion, StoredVersions } from './stored-versions.repo.ts';

/** A version as the feeds show it. */
export interface FeedVersion extends StoredVersion {
  readonly idLower: string;
  readonly sortKey: string;
  readonly isListed: boolean;
  /** The highest listed release, and the highest listed version of all, among those that the client can read. */
  readonly isLatest: boolean;
  readonly isAbsoluteLatest: boolean;
  readonly downloads: number;
  /** Of all versions of the package. */
  readonly packageDownloads: number;
  readonly deprecation: Deprecation | null;
}

/** Where pages are read from. */
export interface FeedStore {
  readonly read: Executor;
  readonly storedVersions: StoredVersions;
}

/** One page of a feed: the entries are found in their narrow table, and only those of the page are read whole. */
export async function listFeed(store: FeedStore, query: FeedQuery): Promise<FeedVersion[]> {
  const found: FeedVersion[] = [];
  for await (const stretch of streamFeed(store, query)) found.push(...stretch);
  return found;
}

// So few that reading them is a small step with the longest manifests as well; more, once they turned out to be short.
const READ_AT_FIRST = 20;
const READ_MAX = 100;
const SHORT_MANIFESTS_CHARACTERS = 100_000;

/**
 * One page of a feed, some versions at a time: a page may hold thousands, whose manifests together are too much for
 * the memory and for one turn of the event loop.
 */
export async function* streamFeed(
  { read, storedVersions }: FeedStore,
  query: FeedQuery,
): AsyncGenerator<FeedVersion[]> {
  const turns = createTurns();
  let atOnce = READ_AT_FIRST;
  for await (const rows of findRows(read, query)) {
    const facts = await readFacts(read, query.workspaceId, rows);
    for (let start = 0; start < rows.length; ) {
      await turns.step();
      const stretch = rows.slice(start, start + atOnce);
      const { versions, characters } = await storedVersions.find(
        read,
        query.workspaceId,
        stretch.map((row) => row.id),
      );
      yield stretch.flatMap((row) => toFeedVersion(row, versions.get(row.id), facts));
      start += stretch.length;
      const fitting = Math.floor((stretch.length * SHORT_MANIFESTS_CHARACTERS) / Math.max(1, characters));
      atOnce = Math.min(READ_MAX, Math.max(READ_AT_FIRST, fitting));
    }
  }
}

/** What of versions changes all the time, beside their entries. */
interface ChangingFacts {
  /** By the ids of versions and of packages. */
  readonly downloads: ReadonlyMap<string, number>;
  readonly deprecations: ReadonlyMap<string, Deprecation>;
}

async function readFacts(
  exec: Executor,
  workspaceId: string,
  rows: readonly FeedRow[],
): Promise<ChangingFacts> {
  const ids = rows.map((row) => row.id);
  if (ids.length === 0) return { downloads: new Map(), deprecations: new Map() };
  const counted = await exec
    .selectFrom('package_downloads')
    .select(['id', 'downloads'])
    .where('id', 'in', [...ids, ...new Set(rows.map((row) => row.package_id))])
    .limit(2 * ids.length)
    .execute();
  return {
    downloads: new Map(counted.map((row) => [row.id, row.downloads])),
    deprecations: await listDeprecations(exec, workspaceId, ids),
  };
}

function toFeedVersion(
  row: FeedRow,
  stored: StoredVersion | undefined,
  { downloads, deprecations }: ChangingFacts,
): FeedVersion[] {
  // It was deleted since its entry was read.
  if (stored === undefined) return [];
  return [
    {
      ...stored,
      idLower: row.id_lower,
      sortKey: row.sort_key,
      isListed: row.listed === 1,
      isLatest: row.latest === 1,
      isAbsoluteLatest: row.absolute_latest === 1,
      downloads: downloads.get(row.id) ?? 0,
      packageDownloads: downloads.get(row.package_id) ?? 0,
      deprecation: deprecations.get(row.id) ?? null,
    },
  ];
}
