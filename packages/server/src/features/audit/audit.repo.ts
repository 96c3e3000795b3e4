import type { CursorValues } from '../../lib/page.ts';
import type { Executor } from '../../storage/index.ts';

export interface AuditRow {
  readonly workspace_id: string;
  readonly at: number;
  readonly action: string;
  readonly actor_kind: string;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly actor_key_id: string | null;
  readonly target_kind: string;
  readonly target_id: string;
  readonly target_name: string | null;
  readonly account_id: string | null;
  readonly key_id: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly detail: string;
}

export type StoredAuditRow = AuditRow & { readonly seq: number };

export interface AuditFilter {
  readonly workspaceId: string;
  readonly accountId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly action?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

const COLUMNS = [
  'seq',
  'workspace_id',
  'at',
  'action',
  'actor_kind',
  'actor_id',
  'actor_name',
  'actor_key_id',
  'target_kind',
  'target_id',
  'target_name',
  'account_id',
  'key_id',
  'ip',
  'user_agent',
  'request_id',
  'detail',
] as const;

export async function insertAudit(exec: Executor, row: AuditRow): Promise<void> {
  await exec.insertInto('audit').values(row).execute();
}

/** Newest first. `after` is the sequence number of the last row of the page before. */
export async function listAudit(
  exec: Executor,
  filter: AuditFilter,
  after: CursorValues | null,
  limit: number,
): Promise<StoredAuditRow[]> {
  let query = exec.selectFrom('audit').select(COLUMNS).where('workspace_id', '=', filter.workspaceId);
  if (filter.accountId !== undefined) query = query.where('account_id', '=', filter.accountId);
  if (filter.keyId !== undefined) query = query.where('key_id', '=', filter.keyId);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<', filter.until);
  if (after !== null) query = query.where('seq', '<', Number(after[0]));
  return await query.orderBy('seq', 'desc').limit(limit).execute();
}

export interface RefusalCount {
  readonly workspaceId: string;
  readonly minute: number;
  readonly address: string;
  readonly reason: string;
  readonly count: number;
}

/** Adds to the counters of addresses and minutes; each counter is named at most once. */
export async function addRefusals(exec: Executor, refusals: readonly RefusalCount[]): Promise<void> {
  if (refusals.length === 0) return;
  await exec
    .insertInto('refusals')
    .values(
      refusals.map(({ workspaceId, minute, address, reason, count }) => ({
        workspace_id: workspaceId,
        minute,
        address,
        reason,
        count,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'minute', 'address', 'reason'])
        .doUpdateSet((eb) => ({ count: eb('refusals.count', '+', eb.ref('excluded.count')) })),
    )
    .execute();
}

/** The oldest minute that is counted, of all workspaces. */
export async function findOldestRefusal(exec: Executor): Promise<number | null> {
  const row = await exec
    .selectFrom('refusals')
    .select((eb) => eb.fn.min<number | null>('minute').as('minute'))
    .executeTakeFirst();
  return row?.minute ?? null;
}

/** Deletes the counters of all workspaces for minutes before this one. */
export async function deleteRefusals(exec: Executor, beforeMinute: number): Promise<void> {
  await exec.deleteFrom('refusals').where('minute', '<', beforeMinute).execute();
}

/** Adds to the hourly total of a reason, for the charts. Kept in the usage store, apart from durable data. */
export async function addRefusalHour(
  exec: Executor,
  total: { workspaceId: string; hour: number; reason: string; count: number },
): Promise<void> {
  await exec
    .insertInto('refusal_hours')
    .values({ workspace_id: total.workspaceId, hour: total.hour, reason: total.reason, count: total.count })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'hour', 'reason'])
        .doUpdateSet((eb) => ({ count: eb('refusal_hours.count', '+', total.count) })),
    )
    .execute();
}
