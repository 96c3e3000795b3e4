import { sql } from 'kysely';
import { asciiLower } from '../../lib/ascii.ts';
import type { CursorValues } from '../../lib/page.ts';
import { containsText, type Executor, isBehind, type PackagesTable, type Tx } from '../../storage/index.ts';
import { countOwnership, forgetAccountUsage } from './quotas/gallery-usage.repo.ts';

export interface Package {
  readonly id: string;
  readonly workspaceId: string;
  readonly idLower: string;
  /** The id in the casing of the first push. */
  readonly displayId: string;
  readonly createdAt: number;
  /** Of the version that was pushed last, listed or not; so are `description` and `tags`. */
  readonly lastPushedAt: number;
  readonly description: string | null;
  readonly tags: string | null;
}

const PACKAGE_COLUMNS = [
  'id',
  'workspace_id',
  'id_lower',
  'display_id',
  'created_at',
  'last_pushed_at',
  'description',
  'tags',
] as const;
const OWNERS_MAX = 1_000;

function toPackage(row: Pick<PackagesTable, (typeof PACKAGE_COLUMNS)[number]>): Package {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    idLower: row.id_lower,
    displayId: row.display_id,
    createdAt: row.created_at,
    lastPushedAt: row.last_pushed_at,
    description: row.description,
    tags: row.tags,
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

/** By the id of the row. */
export async function findPackageByRow(
  exec: Executor,
  workspaceId: string,
  packageId: string,
): Promise<Package | null> {
  const [found] = await findPackagesByRow(exec, workspaceId, [packageId]);
  return found ?? null;
}

export async function findPackagesByRow(
  exec: Executor,
  workspaceId: string,
  packageIds: readonly string[],
): Promise<Package[]> {
  if (packageIds.length === 0) return [];
  const rows = await exec
    .selectFrom('packages')
    .select(PACKAGE_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', packageIds)
    .limit(packageIds.length)
    .execute();
  return rows.map(toPackage);
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
      last_pushed_at: row.lastPushedAt,
      description: row.description,
      tags: row.tags,
    })
    .execute();
}

/** What the newest version says of the package. */
export async function saveNewest(exec: Executor, row: Package): Promise<void> {
  await exec
    .updateTable('packages')
    .set({ last_pushed_at: row.lastPushedAt, description: row.description, tags: row.tags })
    .where('workspace_id', '=', row.workspaceId)
    .where('id', '=', row.id)
    .execute();
}

export interface PackageFilter {
  readonly workspaceId: string;
  /** Searched in ids, without minding ASCII case. */
  readonly q?: string | undefined;
  /** Only packages that one of these accounts owns. */
  readonly ownerIds?: readonly string[] | undefined;
}

function selectPackages(exec: Executor, { workspaceId, q, ownerIds }: PackageFilter) {
  let query = exec.selectFrom('packages').where('workspace_id', '=', workspaceId);
  if (q !== undefined && q.trim() !== '') query = query.where(containsText('id_lower', q.trim()));
  if (ownerIds === undefined) return query;
  return query.where((eb) =>
    eb(
      'id',
      'in',
      eb
        .selectFrom('package_owners')
        .select('package_id')
        .where('workspace_id', '=', workspaceId)
        .where('account_id', 'in', ownerIds),
    ),
  );
}

export type PackageOrder = 'name' | 'pushedAt';

/**
 * Where a page of this order ends, as the next one takes it. It may end at a package that its reader may not see, so
 * it tells no name.
 */
export function cursorOf(row: Package, order: PackageOrder): CursorValues {
  return order === 'name' ? [row.id] : [row.lastPushedAt, row.id];
}

/** By id, or last pushed first; `after` is the cursor of the last row of the page before. */
export async function listPackages(
  exec: Executor,
  filter: PackageFilter,
  order: PackageOrder,
  after: CursorValues | null,
  limit: number,
): Promise<Package[]> {
  let query = selectPackages(exec, filter).select(PACKAGE_COLUMNS);
  if (order === 'name') {
    if (after !== null) {
      query = query.where('id_lower', '>', (eb) =>
        eb
          .selectFrom('packages as last')
          .select('last.id_lower')
          .where('last.workspace_id', '=', filter.workspaceId)
          .where('last.id', '=', String(after[0])),
      );
    }
    query = query.orderBy('id_lower');
  } else {
    if (after !== null) query = query.where(isBehind(sql.ref('last_pushed_at'), after, 'desc'));
    query = query.orderBy('last_pushed_at', 'desc').orderBy('id', 'desc');
  }
  const rows = await query.limit(limit).execute();
  return rows.map(toPackage);
}

export async function countPackages(exec: Executor, filter: PackageFilter): Promise<number> {
  if (filter.ownerIds?.length === 0) return 0;
  const row = await selectPackages(exec, filter)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirst();
  return row?.count ?? 0;
}

/** A name to match patterns with. */
export interface PackageName {
  readonly id: string;
  readonly idLower: string;
  readonly displayId: string;
}

/** Packages of an owner in no meaningful order; `after` is the id of the last row of the stretch before. */
export async function listOwnedNames(
  exec: Executor,
  workspaceId: string,
  ownerId: string,
  after: string,
  limit: number,
): Promise<PackageName[]> {
  const rows = await exec
    .selectFrom('package_owners')
    .innerJoin('packages', 'packages.id', 'package_owners.package_id')
    .select(['packages.id', 'packages.id_lower', 'packages.display_id'])
    .where('package_owners.workspace_id', '=', workspaceId)
    .where('package_owners.account_id', '=', ownerId)
    .where('package_owners.package_id', '>', after)
    .orderBy('package_owners.package_id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ id: row.id, idLower: row.id_lower, displayId: row.display_id }));
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

/**
 * Adds an owner who was none when the caller looked. On PostgreSQL somebody may have added him meanwhile: with the
 * clause that is a conflict of transactions, which is tried again, and no fault.
 */
export async function insertOwner(
  tx: Tx,
  workspaceId: string,
  packageId: string,
  accountId: string,
): Promise<void> {
  await tx
    .insertInto('package_owners')
    .values({ workspace_id: workspaceId, package_id: packageId, account_id: accountId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await countOwnership(tx, { workspaceId, packageId, accountId }, 1);
}

/** Takes an existing owner from a package. */
export async function deleteOwner(
  tx: Tx,
  workspaceId: string,
  packageId: string,
  accountId: string,
): Promise<void> {
  await countOwnership(tx, { workspaceId, packageId, accountId }, -1);
  await tx
    .deleteFrom('package_owners')
    .where('workspace_id', '=', workspaceId)
    .where('package_id', '=', packageId)
    .where('account_id', '=', accountId)
    .execute();
}

export async function deleteOwnerEverywhere(tx: Tx, workspaceId: string, accountId: string): Promise<number> {
  await forgetAccountUsage(tx, workspaceId, accountId);
  const result = await tx
    .deleteFrom('package_owners')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Packages that the account owns, by the ids that people see; only those without another owner if so wished. */
export async function listOwnedDisplayIds(
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
