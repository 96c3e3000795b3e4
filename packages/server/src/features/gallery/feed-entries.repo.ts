import { toTagWords } from '../../lib/tag-words.ts';
import { versionSortKey } from '../../lib/version-sort-key.ts';
import type { FeedEntriesTable, PackageVersionsTable, Tx } from '../../storage/index.ts';
import type { StoredMetadata } from './gallery.metadata.ts';
import { saveSearchWords } from './package-search.repo.ts';
import type { Package } from './packages.repo.ts';

/** Which versions a client can read: those before NuGet 4.3 know no SemVer 2, and ask without `semVerLevel`. */
export type SemVerLevel = 'semver1' | 'semver2';

export type LatestFlag =
  | 'is_latest'
  | 'is_absolute_latest'
  | 'is_latest_semver1'
  | 'is_absolute_latest_semver1';

export function latestFlag(level: SemVerLevel, options: { withPrereleases: boolean }): LatestFlag {
  const flag = options.withPrereleases ? 'is_absolute_latest' : 'is_latest';
  return level === 'semver2' ? flag : `${flag}_semver1`;
}

/** Makes a version known to the feeds, in the transaction of its push. */
export async function insertFeedEntry(
  tx: Tx,
  target: Package,
  version: PackageVersionsTable,
  metadata: StoredMetadata,
): Promise<void> {
  await insertFeedEntries(tx, target, [{ version, metadata }]);
}

/** The same for several versions of one package at once. */
export async function insertFeedEntries(
  tx: Tx,
  target: Package,
  versions: readonly { readonly version: PackageVersionsTable; readonly metadata: StoredMetadata }[],
): Promise<void> {
  const entries = versions.map(({ version, metadata }) => toEntry(target, version, metadata));
  await tx.insertInto('feed_entries').values(entries).execute();
  await refreshPackage(tx, target.workspaceId, target.id);
}

function toEntry(target: Package, version: PackageVersionsTable, metadata: StoredMetadata): FeedEntriesTable {
  return {
    id: version.id,
    workspace_id: version.workspace_id,
    package_id: version.package_id,
    id_lower: target.idLower,
    version_lower: version.version_lower,
    version_full: version.version_full,
    sort_key: versionSortKey(version.version),
    listed: version.listed,
    is_prerelease: version.is_prerelease,
    is_semver2: version.is_semver2,
    is_latest: 0,
    is_absolute_latest: 0,
    is_latest_semver1: 0,
    is_absolute_latest_semver1: 0,
    pushed_at: version.pushed_at,
    title: metadata.title,
    tags: toTagWords(metadata.tags),
    package_types: toTagWords(metadata.packageTypes.map(({ name }) => name).join(' ')),
    authors: metadata.authors,
  };
}

/** Hides a version from the feeds or shows it again, in the transaction that changes the version. */
export async function saveEntryListed(
  tx: Tx,
  version: { workspaceId: string; packageId: string; id: string },
  isListed: boolean,
): Promise<void> {
  await tx
    .updateTable('feed_entries')
    .set({ listed: isListed ? 1 : 0 })
    .where('workspace_id', '=', version.workspaceId)
    .where('id', '=', version.id)
    .execute();
  await refreshPackage(tx, version.workspaceId, version.packageId);
}

async function refreshPackage(tx: Tx, workspaceId: string, packageId: string): Promise<void> {
  const shownIds = await markLatest(tx, workspaceId, packageId);
  await saveSearchWords(tx, { workspaceId, packageId }, shownIds);
}

const FLAGS: readonly LatestFlag[] = [
  'is_latest',
  'is_absolute_latest',
  'is_latest_semver1',
  'is_absolute_latest_semver1',
];

/** Returns the rows that have a flag now. */
async function markLatest(tx: Tx, workspaceId: string, packageId: string): Promise<string[]> {
  const latestIds = new Set<string>();
  for (const flag of FLAGS) {
    let query = tx
      .selectFrom('feed_entries')
      .select('id')
      .where('workspace_id', '=', workspaceId)
      .where('package_id', '=', packageId)
      .where('listed', '=', 1);
    if (!flag.includes('absolute')) query = query.where('is_prerelease', '=', 0);
    if (flag.endsWith('semver1')) query = query.where('is_semver2', '=', 0);
    const latest = await query.orderBy('sort_key', 'desc').limit(1).executeTakeFirst();
    // The package is one of this workspace; with a condition that says so, SQLite reads all entries of the workspace.
    await tx
      .updateTable('feed_entries')
      .set({ [flag]: 0 })
      .where('package_id', '=', packageId)
      .where(flag, '=', 1)
      .where('id', '!=', latest?.id ?? '')
      .execute();
    if (latest === undefined) continue;
    latestIds.add(latest.id);
    await tx
      .updateTable('feed_entries')
      .set({ [flag]: 1 })
      .where('id', '=', latest.id)
      .where(flag, '=', 0)
      .execute();
  }
  return [...latestIds];
}
