import { type RawBuilder, sql } from 'kysely';
import { asciiLower } from '../../lib/ascii.ts';
import type { CursorValues } from '../../lib/page.ts';
import type { Executor, PackagesTable, PackageVersionsTable, Storage, Tx } from '../../storage/index.ts';

export interface Package {
  readonly id: string;
  readonly workspaceId: string;
  readonly idLower: string;
  /** The id in the casing of the first push. */
  readonly displayId: string;
  readonly createdAt: number;
}

export interface PackageVersion {
  readonly id: string;
  readonly workspaceId: string;
  readonly packageId: string;
  /** Normalised, in the casing of its push. */
  readonly version: string;
  readonly isListed: boolean;
  readonly sizeBytes: number;
  /** Lower-case hex, the name of the blob. */
  readonly sha512: string;
  readonly pushedAt: number;
  readonly pushedBy: string;
}

const PACKAGE_COLUMNS = ['id', 'workspace_id', 'id_lower', 'display_id', 'created_at'] as const;
const VERSION_COLUMNS = [
  'id',
  'workspace_id',
  'package_id',
  'version',
  'listed',
  'size_bytes',
  'sha512',
  'pushed_at',
  'pushed_by',
] as const;
const OWNERS_MAX = 1_000;
const VERSIONS_MAX = 10_000;

function toPackage(row: Pick<PackagesTable, (typeof PACKAGE_COLUMNS)[number]>): Package {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    idLower: row.id_lower,
    displayId: row.display_id,
    createdAt: row.created_at,
  };
}

function toVersion(row: Pick<PackageVersionsTable, (typeof VERSION_COLUMNS)[number]>): PackageVersion {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    packageId: row.package_id,
    version: row.version,
    isListed: row.listed === 1,
    sizeBytes: row.size_bytes,
    sha512: row.sha512,
    pushedAt: row.pushed_at,
    pushedBy: row.pushed_by,
  };
}

export async function findPackage(exec: Executor, workspaceId: string, id: string): Promise<Package | null> {
  const row = await exec
    .selectFrom('packages')
    .select(PACKAGE_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('id_lower', '=', asciiLower(id))
    .executeTakeFirst();
  return row === undefined ? null : toPackage(row);
}

export async function insertPackage(exec: Executor, row: Package): Promise<void> {
  await exec
    .insertInto('packages')
    .values({
      id: row.id,
      workspace_id: row.workspaceId,
      id_lower: row.idLower,
      display_id: row.displayId,
      created_at: row.createdAt,
    })
    .execute();
}

export interface PackageFilter {
  readonly workspaceId: string;
  readonly q?: string | undefined;
  /** Only packages that this account owns. */
  readonly ownerId?: string | undefined;
}

// A search text is a text: the wildcards of LIKE have no meaning in it.
function matchesText(q: string): RawBuilder<boolean> {
  const pattern = `%${asciiLower(q).replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
  return sql<boolean>`id_lower like ${pattern} escape '\\'`;
}

/** By id, ascending; `after` holds the id of the last row of the page before. */
export async function listPackages(
  exec: Executor,
  filter: PackageFilter,
  after: CursorValues | null,
  limit: number,
): Promise<Package[]> {
  const { workspaceId, q, ownerId } = filter;
  let query = exec.selectFrom('packages').select(PACKAGE_COLUMNS).where('workspace_id', '=', workspaceId);
  if (q !== undefined && q.trim() !== '') query = query.where(matchesText(q.trim()));
  if (ownerId !== undefined) {
    query = query.where((eb) =>
      eb(
        'id',
        'in',
        eb
          .selectFrom('package_owners')
          .select('package_id')
          .where('workspace_id', '=', workspaceId)
          .where('account_id', '=', ownerId),
      ),
    );
  }
  if (after !== null) query = query.where('id_lower', '>', String(after[0]));
  const rows = await query.orderBy('id_lower').limit(limit).execute();
  return rows.map(toPackage);
}

export async function listOwnerIds(
  exec: Executor,
  workspaceId: string,
  packageId: string,
): Promise<string[]> {
  const rows = await listOwners(exec, workspaceId, [packageId]);
  return rows.map((row) => row.accountId);
}

export async function listOwners(
  exec: Executor,
  workspaceId: string,
  packageIds: readonly string[],
): Promise<{ packageId: string; accountId: string }[]> {
  if (packageIds.length === 0) return [];
  const rows = await exec
    .selectFrom('package_owners')
    .select(['package_id', 'account_id'])
    .where('workspace_id', '=', workspaceId)
    .where('package_id', 'in', packageIds)
    .orderBy('package_id')
    .orderBy('account_id')
    .limit(OWNERS_MAX * packageIds.length)
    .execute();
  return rows.map((row) => ({ packageId: row.package_id, accountId: row.account_id }));
}

export async function insertOwner(
  exec: Executor,
  workspaceId: string,
  packageId: string,
  accountId: string,
): Promise<void> {
  await exec
    .insertInto('package_owners')
    .values({ workspace_id: workspaceId, package_id: packageId, account_id: accountId })
    .execute();
}

export async function deleteOwner(
  exec: Executor,
  workspaceId: string,
  packageId: string,
  accountId: string,
): Promise<void> {
  await exec
    .deleteFrom('package_owners')
    .where('workspace_id', '=', workspaceId)
    .where('package_id', '=', packageId)
    .where('account_id', '=', accountId)
    .execute();
}

export async function deleteOwnerEverywhere(
  exec: Executor,
  workspaceId: string,
  accountId: string,
): Promise<number> {
  const result = await exec
    .deleteFrom('package_owners')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Ids of packages that the account owns, only those without another owner if so wished. */
export async function listOwnedIds(
  exec: Executor,
  workspaceId: string,
  accountId: string,
  options: { isSoleOwner: boolean; limit: number },
): Promise<string[]> {
  let query = exec
    .selectFrom('package_owners as mine')
    .innerJoin('packages', 'packages.id', 'mine.package_id')
    .select('packages.display_id')
    .where('mine.workspace_id', '=', workspaceId)
    .where('mine.account_id', '=', accountId);
  if (options.isSoleOwner) {
    query = query.where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('package_owners as other')
            .select('other.account_id')
            .where('other.workspace_id', '=', workspaceId)
            .whereRef('other.package_id', '=', 'mine.package_id')
            .where('other.account_id', '!=', accountId),
        ),
      ),
    );
  }
  const rows = await query.orderBy('packages.id_lower').limit(options.limit).execute();
  return rows.map((row) => row.display_id);
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

export async function insertVersion(exec: Executor, row: PackageVersionsTable): Promise<void> {
  await exec.insertInto('package_versions').values(row).execute();
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
  if (after !== null) {
    const [pushedAt, id] = [Number(after[0]), String(after[1])];
    query = query.where((eb) =>
      eb.or([eb('pushed_at', '<', pushedAt), eb.and([eb('pushed_at', '=', pushedAt), eb('id', '<', id)])]),
    );
  }
  const rows = await query.orderBy('pushed_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toVersion);
}

/** Every listed version of a package as text. Which is the latest only the rules of NuGet can say, not SQL. */
export async function listListedVersions(
  exec: Executor,
  workspaceId: string,
  packageId: string,
): Promise<string[]> {
  const rows = await exec
    .selectFrom('package_versions')
    .select('version')
    .where('workspace_id', '=', workspaceId)
    .where('package_id', '=', packageId)
    .where('listed', '=', 1)
    .orderBy('pushed_at', 'desc')
    .limit(VERSIONS_MAX)
    .execute();
  return rows.map((row) => row.version);
}

export async function countVersions(exec: Executor, workspaceId: string, packageId: string): Promise<number> {
  const row = await exec
    .selectFrom('package_versions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where('package_id', '=', packageId)
    .executeTakeFirst();
  return row?.count ?? 0;
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
