import { sql } from 'kysely';
import type { CursorValues } from '../../../lib/page.ts';
import { type Executor, isBehind, type PackageOwnerRequestsTable, type Tx } from '../../../storage/index.ts';

/** An account has been asked to become an owner of a package, beside the others or in the place of one. */
export interface OwnerRequest {
  readonly id: string;
  readonly workspaceId: string;
  readonly packageId: string;
  readonly accountId: string;
  /** The owner whose ownership it takes over; null when it becomes one more. */
  readonly fromId: string | null;
  readonly requestedBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface RequestFilter {
  readonly workspaceId: string;
  readonly now: number;
  readonly packageId?: string;
  /** Asked of one of these accounts. */
  readonly accountIds?: readonly string[];
  readonly requestedBy?: string;
}

const COLUMNS = [
  'id',
  'workspace_id',
  'package_id',
  'account_id',
  'from_id',
  'requested_by',
  'created_at',
  'expires_at',
] as const;

function toRequest(row: PackageOwnerRequestsTable): OwnerRequest {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    packageId: row.package_id,
    accountId: row.account_id,
    fromId: row.from_id,
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}

function selectOpen(exec: Executor, filter: RequestFilter) {
  let query = exec
    .selectFrom('package_owner_requests')
    .where('workspace_id', '=', filter.workspaceId)
    .where('expires_at', '>', filter.now);
  if (filter.packageId !== undefined) query = query.where('package_id', '=', filter.packageId);
  if (filter.accountIds !== undefined) query = query.where('account_id', 'in', filter.accountIds);
  if (filter.requestedBy !== undefined) query = query.where('requested_by', '=', filter.requestedBy);
  return query;
}

/** Open requests, newest first; `after` holds time and id of the last row of the page before. */
export async function listRequests(
  exec: Executor,
  filter: RequestFilter,
  after: CursorValues | null,
  limit: number,
): Promise<OwnerRequest[]> {
  if (filter.accountIds?.length === 0) return [];
  let query = selectOpen(exec, filter).select(COLUMNS);
  if (after !== null) query = query.where(isBehind(sql.ref('created_at'), after, 'desc'));
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toRequest);
}

export async function findRequest(
  exec: Executor,
  workspaceId: string,
  id: string,
  now: number,
): Promise<OwnerRequest | null> {
  const row = await selectOpen(exec, { workspaceId, now })
    .select(COLUMNS)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : toRequest(row);
}

/**
 * Makes a request, in the place of one to the same account for the same package. On PostgreSQL another may come at
 * the same time: with the clause that is a conflict of transactions, which is tried again, and no fault.
 */
export async function insertRequest(tx: Tx, request: OwnerRequest): Promise<void> {
  await deleteRequestsOf(tx, request.packageId, request.accountId);
  await tx
    .insertInto('package_owner_requests')
    .values({
      id: request.id,
      workspace_id: request.workspaceId,
      package_id: request.packageId,
      account_id: request.accountId,
      from_id: request.fromId,
      requested_by: request.requestedBy,
      created_at: request.createdAt,
      expires_at: request.expiresAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteRequestsOf(tx: Tx, packageId: string, accountId: string): Promise<void> {
  await tx
    .deleteFrom('package_owner_requests')
    .where('package_id', '=', packageId)
    .where('account_id', '=', accountId)
    .execute();
}

/** Requests to hand over what an account does not own any more. */
export async function deleteHandOvers(tx: Tx, packageId: string, fromId: string): Promise<void> {
  await tx
    .deleteFrom('package_owner_requests')
    .where('package_id', '=', packageId)
    .where('from_id', '=', fromId)
    .execute();
}

/** Requests that have run out mean nothing any more. Returns how many of all workspaces are gone. */
export async function deleteExpiredRequests(tx: Tx, now: number, limit: number): Promise<number> {
  const result = await tx
    .deleteFrom('package_owner_requests')
    .where('id', 'in', (eb) =>
      eb.selectFrom('package_owner_requests').select('id').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** For the deletion of an account: whatever it was asked, hands over or has asked. */
export async function deleteRequestsAbout(tx: Tx, workspaceId: string, accountId: string): Promise<void> {
  await tx
    .deleteFrom('package_owner_requests')
    .where('workspace_id', '=', workspaceId)
    .where((eb) =>
      eb.or([
        eb('account_id', '=', accountId),
        eb('from_id', '=', accountId),
        eb('requested_by', '=', accountId),
      ]),
    )
    .execute();
}
