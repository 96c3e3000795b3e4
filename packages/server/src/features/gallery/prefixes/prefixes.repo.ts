import { asciiLower } from '../../../lib/ascii.ts';
import type { CursorValues } from '../../../lib/page.ts';
import type { Executor, PackagePrefixesTable, Tx } from '../../../storage/index.ts';

/** Ids that only some accounts may use for new packages. */
export interface PackagePrefix {
  readonly id: string;
  readonly workspaceId: string;
  /** A whole id, or the beginning of ids with a `*` behind it. */
  readonly pattern: string;
  /** The accounts that it is reserved for; empty for nobody. */
  readonly accountIds: readonly string[];
  readonly createdAt: number;
  readonly createdBy: string | null;
  readonly version: number;
}

export const PREFIX_ACCOUNTS_MAX = 100;
const COLUMNS = ['id', 'workspace_id', 'pattern', 'created_at', 'created_by', 'version'] as const;
type Row = Pick<PackagePrefixesTable, (typeof COLUMNS)[number]>;

function toPrefix(row: Row, accountIds: readonly string[]): PackagePrefix {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    pattern: row.pattern,
    accountIds,
    createdAt: row.created_at,
    createdBy: row.created_by,
    version: row.version,
  };
}

async function withAccounts(exec: Executor, rows: readonly Row[]): Promise<PackagePrefix[]> {
  if (rows.length === 0) return [];
  const accounts = await exec
    .selectFrom('package_prefix_accounts')
    .select(['prefix_id', 'account_id'])
    .where(
      'prefix_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('account_id')
    .limit(rows.length * PREFIX_ACCOUNTS_MAX)
    .execute();
  const byPrefix = Map.groupBy(accounts, (account) => account.prefix_id);
  return rows.map((row) =>
    toPrefix(
      row,
      (byPrefix.get(row.id) ?? []).map((account) => account.account_id),
    ),
  );
}

/** The reservation that decides about an id: the longest one that it falls under; null when it is free. */
export async function findPrefixOf(
  exec: Executor,
  workspaceId: string,
  packageId: string,
): Promise<PackagePrefix | null> {
  const id = asciiLower(packageId);
  const beginnings = Array.from({ length: id.length }, (_, index) => `${id.slice(0, index + 1)}*`);
  const rows = await exec
    .selectFrom('package_prefixes')
    .select([...COLUMNS, 'pattern_lower'])
    .where('workspace_id', '=', workspaceId)
    .where('pattern_lower', 'in', [id, ...beginnings])
    .limit(beginnings.length + 1)
    .execute();
  // The id itself is as long as all of it with a star behind, and says more.
  const weight = (pattern: string) => pattern.length * 2 - (pattern.endsWith('*') ? 3 : 0);
  const [longest] = rows.toSorted((a, b) => weight(b.pattern_lower) - weight(a.pattern_lower));
  const [found] = longest === undefined ? [] : await withAccounts(exec, [longest]);
  return found ?? null;
}

/** By pattern; `after` holds that of the last row of the page before. */
export async function listPrefixes(
  exec: Executor,
  workspaceId: string,
  after: CursorValues,
  limit: number,
): Promise<PackagePrefix[]> {
  const rows = await exec
    .selectFrom('package_prefixes')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('pattern_lower', '>', String(after[0]))
    .orderBy('pattern_lower')
    .limit(limit)
    .execute();
  return await withAccounts(exec, rows);
}

export async function findPrefix(
  exec: Executor,
  workspaceId: string,
  id: string,
): Promise<PackagePrefix | null> {
  const row = await exec
    .selectFrom('package_prefixes')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .executeTakeFirst();
  const [found] = row === undefined ? [] : await withAccounts(exec, [row]);
  return found ?? null;
}

export async function insertPrefix(tx: Tx, prefix: PackagePrefix): Promise<void> {
  await tx
    .insertInto('package_prefixes')
    .values({
      id: prefix.id,
      workspace_id: prefix.workspaceId,
      pattern: prefix.pattern,
      pattern_lower: asciiLower(prefix.pattern),
      created_at: prefix.createdAt,
      created_by: prefix.createdBy,
      version: prefix.version,
    })
    .execute();
  await insertAccounts(tx, prefix);
}

/** Saves the accounts that it is reserved for; everything else of a reservation is fixed. */
export async function savePrefixAccounts(tx: Tx, prefix: PackagePrefix): Promise<void> {
  await tx
    .updateTable('package_prefixes')
    .set({ version: prefix.version })
    .where('workspace_id', '=', prefix.workspaceId)
    .where('id', '=', prefix.id)
    .execute();
  await deleteAccounts(tx, prefix);
  await insertAccounts(tx, prefix);
}

export async function deletePrefix(tx: Tx, prefix: PackagePrefix): Promise<void> {
  await deleteAccounts(tx, prefix);
  await tx
    .deleteFrom('package_prefixes')
    .where('workspace_id', '=', prefix.workspaceId)
    .where('id', '=', prefix.id)
    .execute();
}

async function insertAccounts(tx: Tx, { id, workspaceId, accountIds }: PackagePrefix): Promise<void> {
  if (accountIds.length === 0) return;
  await tx
    .insertInto('package_prefix_accounts')
    .values(
      accountIds.map((accountId) => ({ workspace_id: workspaceId, prefix_id: id, account_id: accountId })),
    )
    .execute();
}

async function deleteAccounts(tx: Tx, { id, workspaceId }: PackagePrefix): Promise<void> {
  await tx
    .deleteFrom('package_prefix_accounts')
    .where('workspace_id', '=', workspaceId)
    .where('prefix_id', '=', id)
    .execute();
}

/** For the deletion of an account: what was reserved for it alone stays reserved, for nobody. */
export async function removeFromPrefixes(tx: Tx, workspaceId: string, accountId: string): Promise<void> {
  await tx
    .deleteFrom('package_prefix_accounts')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .execute();
}
