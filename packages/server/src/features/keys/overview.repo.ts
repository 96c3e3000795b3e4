import { sql } from 'kysely';
import { DAY_MS } from '../../lib/clock.ts';
import { type Executor, isBehind } from '../../storage/index.ts';
import { STOPS_AT } from './keys.repo.ts';

/** Keys of a workspace; `accountIds` null: all of them, otherwise only those of these accounts. */
export interface KeyCircle {
  readonly workspaceId: string;
  readonly accountIds: readonly string[] | null;
}

export interface OutcomeHour {
  readonly hour: number;
  readonly outcome: string;
  readonly count: number;
}

function keysOf(exec: Executor, { workspaceId, accountIds }: KeyCircle) {
  const query = exec.selectFrom('api_keys').where('workspace_id', '=', workspaceId);
  return accountIds === null ? query : query.where('account_id', 'in', accountIds);
}

/** A place in the order by the time at which keys stop, and then by id. */
export type StopPlace = readonly [stopsAt: number, id: string];

/** The place of the key that is `count` keys further on, or null when there are fewer. */
export async function findPlaceAfter(
  exec: Executor,
  circle: KeyCircle,
  after: StopPlace | null,
  count: number,
): Promise<StopPlace | null> {
  let query = keysOf(exec, circle).select([STOPS_AT.as('stops_at'), 'id']);
  if (after !== null) query = query.where(isBehind(STOPS_AT, after, 'asc'));
  const row = await query
    .orderBy(STOPS_AT)
    .orderBy('id')
    .limit(1)
    .offset(count - 1)
    .executeTakeFirst();
  return row === undefined ? null : [row.stops_at, row.id];
}

export interface StopMoments {
  readonly now: number;
  readonly noticeEnd: number;
  /** Only up to here is it of interest on which day a key stops. */
  readonly horizon: number;
}

/** `day` (days since 1970) only for keys that are enabled and stop before the horizon. */
export interface KeyGroup {
  readonly isEnabled: boolean;
  readonly isExpired: boolean;
  readonly isExpiring: boolean;
  readonly day: number | null;
  readonly count: number;
}

/** Counts the keys behind one place, up to and with another (null: to the end). */
export async function countStates(
  exec: Executor,
  circle: KeyCircle,
  after: StopPlace | null,
  upTo: StopPlace | null,
  { now, noticeEnd, horizon }: StopMoments,
): Promise<KeyGroup[]> {
  // The engine divides whole numbers only when both are whole: a bound value would arrive as a fraction.
  const day = sql<
    number | null
  >`case when state = 'active' and ${STOPS_AT} > ${now} and ${STOPS_AT} < ${horizon}
    then ${STOPS_AT} / ${sql.lit(DAY_MS)} end`;
  let query = keysOf(exec, circle).select([
    sql<number>`case when state = 'active' then 1 else 0 end`.as('enabled'),
    sql<number>`case when ${STOPS_AT} <= ${now} then 1 else 0 end`.as('expired'),
    sql<number>`case when ${STOPS_AT} > ${now} and ${STOPS_AT} <= ${noticeEnd} then 1 else 0 end`.as(
      'expiring',
    ),
    day.as('day'),
  ]);
  if (after !== null) query = query.where(isBehind(STOPS_AT, after, 'asc'));
  if (upTo !== null) {
    const [stopsAt, id] = upTo;
    query = query.where(
      sql<boolean>`(${STOPS_AT} <= ${stopsAt} and (${STOPS_AT} < ${stopsAt} or id <= ${id}))`,
    );
  }
  const rows = await exec
    .selectFrom(query.as('stretch'))
    .select(({ fn }) => ['enabled', 'expired', 'expiring', 'day', fn.countAll<number>().as('count')])
    .groupBy(['enabled', 'expired', 'expiring', 'day'])
    .execute();
  return rows.map((row) => ({
    isEnabled: row.enabled === 1,
    isExpired: row.expired === 1,
    isExpiring: row.expiring === 1,
    day: row.day,
    count: row.count,
  }));
}

/** The newest first: enough to say which of them nobody uses. `after` is a `[createdAt, id]`. */
export async function listKeyAges(
  exec: Executor,
  circle: KeyCircle,
  after: readonly [number, string] | null,
  limit: number,
): Promise<{ id: string; createdAt: number; isEnabled: boolean; expiresAt: number | null }[]> {
  const createdAt = sql.ref('created_at');
  let query = keysOf(exec, circle).select(['id', 'created_at', 'state', 'expires_at']);
  if (after !== null) query = query.where(isBehind(createdAt, after, 'desc'));
  const rows = await query.orderBy(createdAt, 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    isEnabled: row.state === 'active',
    expiresAt: row.expires_at,
  }));
}

/** How many of these keys are enabled, expired, and in the circle. */
export async function countExpired(
  exec: Executor,
  circle: KeyCircle,
  ids: readonly string[],
  now: number,
): Promise<number> {
  if (ids.length === 0) return 0;
  const row = await keysOf(exec, circle)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('id', 'in', ids)
    .where('state', '=', 'active')
    .where('expires_at', '<=', now)
    .executeTakeFirst();
  return row?.count ?? 0;
}

/** Keys whose last refusal had this reason, the latest first. In the usage store. */
export async function listRefusedKeyIds(
  exec: Executor,
  workspaceId: string,
  reason: string,
  since: number,
  limit: number,
): Promise<string[]> {
  const rows = await exec
    .selectFrom('key_last_refusals')
    .select('key_id')
    .where('workspace_id', '=', workspaceId)
    .where('reason', '=', reason)
    .where('at', '>=', since)
    .orderBy('at', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => row.key_id);
}

/** What all verifications of a workspace came to. In the usage store. */
export async function listWorkspaceHours(
  exec: Executor,
  workspaceId: string,
  sinceHour: number,
): Promise<OutcomeHour[]> {
  return await exec
    .selectFrom('workspace_hours')
    .select(['hour', 'outcome', 'count'])
    .where('workspace_id', '=', workspaceId)
    .where('hour', '>=', sinceHour)
    .orderBy('hour')
    .limit(10_000)
    .execute();
}

/** The same for some keys only. In the usage store. */
export async function sumKeyHours(
  exec: Executor,
  workspaceId: string,
  keyIds: readonly string[],
  sinceHour: number,
): Promise<OutcomeHour[]> {
  if (keyIds.length === 0) return [];
  const rows = await exec
    .selectFrom('key_hours')
    .select((eb) => ['hour', 'outcome', eb.fn.sum<number | string>('count').as('count')])
    .where('workspace_id', '=', workspaceId)
    .where('key_id', 'in', keyIds)
    .where('hour', '>=', sinceHour)
    .groupBy(['hour', 'outcome'])
    .limit(10_000)
    .execute();
  // PostgreSQL adds int8 up to numeric, which arrives as text.
  return rows.map(({ hour, outcome, count }) => ({ hour, outcome, count: Number(count) }));
}
