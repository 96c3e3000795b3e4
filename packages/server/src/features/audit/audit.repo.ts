import { type RawBuilder, sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import { containsText, type Executor } from '../../storage/index.ts';
import { REFUSED_ACTIONS } from './audit-actions.ts';

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
  /** Whom it is about. */
  readonly accountId?: string | undefined;
  readonly keyId?: string | undefined;
  /** Who did it. */
  readonly actorId?: string | undefined;
  /** A whole name, or the start of names up to a dot: `key.`. */
  readonly action?: string | undefined;
  readonly outcome?: 'done' | 'refused' | undefined;
  /** Searched in the names of actor and target and in the ids of target and key, without minding ASCII case. */
  readonly q?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export const AUDIT_COLUMNS = [
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

type Indexed = 'key_id' | 'account_id' | 'actor_id' | 'action';

/** The filters in the order of what they leave: the first one that is set is looked up, the others sift its rows. */
function equalitiesOf(filter: AuditFilter): [Indexed, string][] {
  const { keyId, accountId, actorId, action } = filter;
  const name = action?.endsWith('.') === true ? undefined : action;
  const candidates: [Indexed, string | undefined][] = [
    ['key_id', keyId],
    ['account_id', accountId],
    ['actor_id', actorId],
    ['action', name],
  ];
  return candidates.flatMap(([column, value]) => (value === undefined ? [] : [[column, value]]));
}

/** Rows read off one index, newest first, behind `after`. */
function selectIndexed(exec: Executor, filter: AuditFilter, after: CursorValues | null) {
  const [looked] = equalitiesOf(filter);
  let query = exec.selectFrom('audit').where('workspace_id', '=', filter.workspaceId);
  if (looked !== undefined) query = query.where(looked[0], '=', looked[1]);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<', filter.until);
  if (after !== null) query = query.where(sql<boolean>`(at, seq) < (${placeOf(after)})`);
  return query.orderBy('at', 'desc').orderBy('seq', 'desc');
}

function placeOf([at, seq]: CursorValues): RawBuilder<unknown> {
  return sql.join([Number(at), Number(seq)]);
}

/** What the index does not answer, as conditions on its rows. */
function siftsOf(filter: AuditFilter): RawBuilder<boolean>[] {
  const { action, outcome, q } = filter;
  const text = q?.trim() ?? '';
  const refused = sql.join(REFUSED_ACTIONS);
  return [
    ...equalitiesOf(filter)
      .slice(1)
      .map(([column, value]) => sql<boolean>`${sql.ref(column)} = ${value}`),
    ...(action?.endsWith('.') === true
      ? [sql<boolean>`(action >= ${action} and action < ${`${action.slice(0, -1)}/`})`]
      : []),
    ...(outcome === 'refused' ? [sql<boolean>`action in (${refused})`] : []),
    ...(outcome === 'done' ? [sql<boolean>`action not in (${refused})`] : []),
    ...(text === '' ? [] : [matchesText(text)]),
  ];
}

function matchesText(q: string): RawBuilder<boolean> {
  const columns = ['actor_name', 'target_name', 'target_id', 'key_id'];
  const matches = columns.map((column) => containsText(column, q));
  return sql<boolean>`(${sql.join(matches, sql` or `)})`;
}

/** True when rows have to be sifted, so that a page may take more of them than it shows. */
export function isSifted(filter: AuditFilter): boolean {
  return siftsOf(filter).length > 0;
}

/** Newest first. `after` and `end` hold time and number of the row before the first, and of the last to be looked at. */
export async function listAudit(
  exec: Executor,
  filter: AuditFilter,
  after: CursorValues | null,
  end: CursorValues | null,
  limit: number,
): Promise<StoredAuditRow[]> {
  let query = selectIndexed(exec, filter, after).select(AUDIT_COLUMNS);
  if (end !== null) query = query.where(sql<boolean>`(at, seq) >= (${placeOf(end)})`);
  for (const sift of siftsOf(filter)) query = query.where(sift);
  return await query.limit(limit).execute();
}

/** Where the next `stretch` rows of the index end, or null when there are not as many. */
export async function findStretchEnd(
  exec: Executor,
  filter: AuditFilter,
  after: CursorValues | null,
  stretch: number,
): Promise<CursorValues | null> {
  const row = await selectIndexed(exec, filter, after)
    .select(['at', 'seq'])
    .offset(stretch - 1)
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : [row.at, row.seq];
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
