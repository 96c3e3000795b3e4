import { sql } from 'kysely';
import type { Executor, Tx } from '../../../storage/index.ts';

/** What a package or an account holds in the gallery. */
export interface GalleryUsage {
  /** Versions of a package, packages of an account. */
  readonly count: number;
  /** Of all versions. */
  readonly bytes: number;
}

const NOTHING: GalleryUsage = { count: 0, bytes: 0 };

export async function findPackageUsage(exec: Executor, packageId: string): Promise<GalleryUsage> {
  const row = await exec
    .selectFrom('package_usage')
    .select(['versions as count', 'bytes'])
    .where('package_id', '=', packageId)
    .executeTakeFirst();
  return row ?? NOTHING;
}

export async function findAccountUsage(
  exec: Executor,
  workspaceId: string,
  accountId: string,
): Promise<GalleryUsage> {
  const row = await exec
    .selectFrom('account_usage')
    .select(['packages as count', 'bytes'])
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row ?? NOTHING;
}

/** One more version of a package, for the package and for each of its owners. */
export async function countVersion(
  tx: Tx,
  { workspaceId, packageId, bytes }: { workspaceId: string; packageId: string; bytes: number },
): Promise<void> {
  await tx
    .insertInto('package_usage')
    .values({ package_id: packageId, workspace_id: workspaceId, versions: 1, bytes })
    .onConflict((conflict) =>
      conflict.column('package_id').doUpdateSet({
        versions: sql`package_usage.versions + 1`,
        bytes: sql`package_usage.bytes + excluded.bytes`,
      }),
    )
    .execute();
  await tx
    .updateTable('account_usage')
    .set({ bytes: sql`bytes + ${bytes}` })
    .where('workspace_id', '=', workspaceId)
    .where('account_id', 'in', (eb) =>
      eb.selectFrom('package_owners').select('account_id').where('package_id', '=', packageId),
    )
    .execute();
}

/** An account has become an owner of a package (1) or is one no more (-1). */
export async function countOwnership(
  tx: Tx,
  { workspaceId, packageId, accountId }: { workspaceId: string; packageId: string; accountId: string },
  sign: 1 | -1,
): Promise<void> {
  const { bytes } = await findPackageUsage(tx, packageId);
  await tx
    .insertInto('account_usage')
    .values({ account_id: accountId, workspace_id: workspaceId, packages: sign, bytes: sign * bytes })
    .onConflict((conflict) =>
      conflict.column('account_id').doUpdateSet({
        packages: sql`account_usage.packages + excluded.packages`,
        bytes: sql`account_usage.bytes + excluded.bytes`,
      }),
    )
    .execute();
}

export async function forgetAccountUsage(tx: Tx, workspaceId: string, accountId: string): Promise<void> {
  await tx
    .deleteFrom('account_usage')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .execute();
}
