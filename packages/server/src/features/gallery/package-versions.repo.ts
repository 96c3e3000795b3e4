import { sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import {
  type Executor,
  isBehind,
  type PackageVersionsTable,
  type Storage,
  type Tx,
} from '../../storage/index.ts';

export interface PackageVersion {
  readonly id: string;
  readonly workspaceId: string;
  readonly packageId: string;
  /** Normalised, in the casing of its push. */
  readonly version: string;
  readonly isPrerelease: boolean;
  readonly isListed: boolean;
  readonly sizeBytes: number;
  /** Lower-case hex, the name of the blob. */
  readonly sha512: string;
  readonly pushedAt: number;
  readonly pushedBy: string;
  readonly pushedKeyId: string | null;
}

const VERSION_COLUMNS = [
  'id',
  'workspace_id',
  'package_id',
  'version',
  'is_prerelease',
  'listed',
  'size_bytes',
  'sha512',
  'pushed_at',
  'pushed_by',
  'pushed_key_id',
] as const;

function toVersion(row: Pick<PackageVersionsTable, (typeof VERSION_COLUMNS)[number]>): PackageVersion {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    packageId: row.package_id,
    version: row.version,
    isPrerelease: row.is_prerelease === 1,
    isListed: row.listed === 1,
    sizeBytes: row.size_bytes,
    sha512: row.sha512,
    pushedAt: row.pushed_at,
    pushedBy: row.pushed_by,
    pushedKeyId: row.pushed_key_id,
  };
}

export async function findVersion(
  exec: Executor,
  workspaceId: string,
  packageId: string,
  versionLower: string,
): Promise<PackageVersion | null> {
  const row = await exec
    .selectFrom('package_versions')
    .select(VERSION_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('package_id', '=', packageId)
    .where('version_lower', '=', versionLower)
    .executeTakeFirst();
  return row === undefined ? null : toVersion(row);
}

export async function insertVersions(exec: Executor, rows: readonly PackageVersionsTable[]): Promise<void> {
  await exec.insertInto('package_versions').values(rows).execute();
}

export async function saveListed(exec: Executor, version: PackageVersion, isListed: boolean): Promise<void> {
  await exec
    .updateTable('package_versions')
    .set({ listed: isListed ? 1 : 0 })
    .where('workspace_id', '=', version.workspaceId)
    .where('id', '=', version.id)
    .execute();
}

/** Last pushed first; `after` holds time and id of the last row of the page before. */
export async function listVersions(
  exec: Executor,
  workspaceId: string,
  packageId: string,
  after: CursorValues | null,
  limit: number,
): Promise<PackageVersion[]> {
  let query = exec
    .selectFrom('package_versions')
    .select(VERSION_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('package_id', '=', packageId);
  if (after !== null) query = query.where(isBehind(sql.ref('pushed_at'), after, 'desc'));
  const rows = await query.orderBy('pushed_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toVersion);
}

export interface VersionCounts {
  readonly versions: number;
  readonly listed: number;
}

export async function countVersions(
  exec: Executor,
  workspaceId: string,
  packageIds: readonly string[],
): Promise<Map<string, VersionCounts>> {
  if (packageIds.length === 0) return new Map();
  const rows = await exec
    .selectFrom('package_versions')
    .select((eb) => [
      'package_id',
      eb.fn.countAll<number>().as('versions'),
      eb.fn.sum<number | string>('listed').as('listed'),
    ])
    .where('workspace_id', '=', workspaceId)
    .where('package_id', 'in', packageIds)
    .groupBy('package_id')
    .limit(packageIds.length)
    .execute();
  return new Map(rows.map((row) => [row.package_id, { versions: row.versions, listed: Number(row.listed) }]));
}

/** The highest listed release of each package, and its highest listed version of all. */
export async function listLatestVersions(
  exec: Executor,
  engine: Storage['engine'],
  workspaceId: string,
  packageIds: readonly string[],
): Promise<{ packageId: string; version: string; hasIcon: boolean; isRelease: boolean }[]> {
  if (packageIds.length === 0) return [];
  // Manifests may be long, so the database looks into them.
  const icon = engine === 'sqlite' ? sql`json_extract(metadata, '$.icon')` : sql`metadata::json ->> 'icon'`;
  const rows = await exec
    .selectFrom('feed_entries')
    .innerJoin('package_versions', 'package_versions.id', 'feed_entries.id')
    .select(['feed_entries.package_id', 'version', 'is_latest', sql<string | null>`${icon}`.as('icon')])
    .where('feed_entries.workspace_id', '=', workspaceId)
    .where('feed_entries.package_id', 'in', packageIds)
    .where((eb) => eb.or([eb('is_latest', '=', 1), eb('is_absolute_latest', '=', 1)]))
    .limit(2 * packageIds.length)
    .execute();
  return rows.map((row) => ({
    packageId: row.package_id,
    version: row.version,
    hasIcon: row.icon !== null,
    isRelease: row.is_latest === 1,
  }));
}

/** Which of the blobs a version names. Asks in all workspaces: equal bytes are stored once for all of them. */
export async function findUsedBlobs(exec: Executor, sha512s: readonly string[]): Promise<Set<string>> {
  if (sha512s.length === 0) return new Set();
  const rows = await exec
    .selectFrom('package_versions')
    .select('sha512')
    .distinct()
    .where('sha512', 'in', sha512s)
    .limit(sha512s.length)
    .execute();
  return new Set(rows.map((row) => row.sha512));
}

/**
 * Holds off everybody else who would name or remove this blob, until the transaction ends. On SQLite a write
 * transaction is alone anyway.
 */
export async function lockBlob(tx: Tx, engine: Storage['engine'], sha512: string): Promise<void> {
  if (engine === 'postgres')
    await sql`select pg_advisory_xact_lock(hashtextextended(${sha512}, 0))`.execute(tx);
}

/** How often each of these versions was downloaded, by the id of its row; those that nobody has fetched are left out. */
export async function countDownloads(
  exec: Executor,
  versionIds: readonly string[],
): Promise<Map<string, number>> {
  if (versionIds.length === 0) return new Map();
  const rows = await exec
    .selectFrom('package_downloads')
    .select(['id', 'downloads'])
    .where('id', 'in', versionIds)
    .limit(versionIds.length)
    .execute();
  return new Map(rows.map(({ id, downloads }) => [id, downloads]));
}
