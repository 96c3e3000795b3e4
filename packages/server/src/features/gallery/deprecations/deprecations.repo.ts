import type { Executor, PackageDeprecationsTable, Tx } from '../../../storage/index.ts';

export const DEPRECATION_REASONS = ['legacy', 'criticalBugs', 'other'] as const;
export type DeprecationReason = (typeof DEPRECATION_REASONS)[number];

/** Why a version should not be used any more, and what to use instead. */
export interface Deprecation {
  readonly versionId: string;
  /** In the order of `DEPRECATION_REASONS`, at least one. */
  readonly reasons: readonly DeprecationReason[];
  readonly message: string | null;
  /** In the casing of that package; null when there is nothing to use instead. */
  readonly alternateId: string | null;
  /** Normalised; null for any version. */
  readonly alternateVersion: string | null;
  readonly deprecatedAt: number;
  readonly deprecatedBy: string;
}

const AT_ONCE = 200;

function toDeprecation(row: PackageDeprecationsTable): Deprecation {
  return {
    versionId: row.version_id,
    reasons: JSON.parse(row.reasons) as DeprecationReason[],
    message: row.message,
    alternateId: row.alternate_id,
    alternateVersion: row.alternate_version,
    deprecatedAt: row.deprecated_at,
    deprecatedBy: row.deprecated_by,
  };
}

/** The deprecations of these versions, by the id of the row of the version; most versions have none. */
export async function listDeprecations(
  exec: Executor,
  workspaceId: string,
  versionIds: readonly string[],
): Promise<Map<string, Deprecation>> {
  const found = new Map<string, Deprecation>();
  for (let start = 0; start < versionIds.length; start += AT_ONCE) {
    const ids = versionIds.slice(start, start + AT_ONCE);
    const rows = await exec
      .selectFrom('package_deprecations')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .where('version_id', 'in', ids)
      .limit(ids.length)
      .execute();
    for (const row of rows) found.set(row.version_id, toDeprecation(row));
  }
  return found;
}

export async function saveDeprecation(
  tx: Tx,
  place: { readonly workspaceId: string; readonly packageId: string },
  deprecation: Deprecation,
): Promise<void> {
  const values = {
    reasons: JSON.stringify(deprecation.reasons),
    message: deprecation.message,
    alternate_id: deprecation.alternateId,
    alternate_version: deprecation.alternateVersion,
    deprecated_at: deprecation.deprecatedAt,
    deprecated_by: deprecation.deprecatedBy,
  };
  await tx
    .insertInto('package_deprecations')
    .values({
      version_id: deprecation.versionId,
      workspace_id: place.workspaceId,
      package_id: place.packageId,
      ...values,
    })
    .onConflict((conflict) => conflict.column('version_id').doUpdateSet(values))
    .execute();
}

/** Returns whether there was one. */
export async function deleteDeprecation(tx: Tx, versionId: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('package_deprecations')
    .where('version_id', '=', versionId)
    .executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}
