import { type SelectQueryBuilder, sql } from 'kysely';
import { DAY_MS } from '../../lib/clock.ts';
import type { CursorValues } from '../../lib/page.ts';
import {
  type ApiKeysTable,
  type Database,
  type Executor,
  isBehind,
  isOfWorkspace,
  isUpTo,
} from '../../storage/index.ts';
import { findMergedEnd, selectKeysOfLists } from './key-order.repo.ts';

/** Keys of a workspace; `accountIds` null: all of them, otherwise only those of these accounts. */
export interface KeyCircle {
  readonly workspaceId: string;
  readonly accountIds: readonly string[] | null;
}

export interface KeyAge {
  readonly id: string;
  readonly createdAt: number;
  readonly isEnabled: boolean;
  readonly expiresAt: number | null;
}

export interface OutcomeHour {
  readonly hour: number;
  readonly outcome: string;
  readonly count: number;
}

export interface StateMoments {
  readonly now: number;
  readonly noticeEnd: number;
  /** Only up to here is it of interest on which day a key stops. */
  readonly horizon: number;
}

/** Working keys that stop before the horizon are told by the day, in days since 1970. */
export interface KeyGroup {
  readonly group: 'disabled' | 'expired' | 'later' | number;
  readonly count: number;
  /** Of them, those that are about to expire. */
  readonly expiring: number;
}

const GROUPS = { [-1]: 'disabled', [-2]: 'expired', [-3]: 'later' } as const;

/** Counts a stretch of the keys of a workspace, in the order of their ids, and says where it ends (null: at the end). */
export async function countStretch(
  exec: Executor,
  workspaceId: string,
  moments: StateMoments,
  afterId: string,
  limit: number,
): Promise<{ readonly groups: readonly KeyGroup[]; readonly lastId: string | null }> {
  const stretch = exec
    .selectFrom('api_keys')
    .select(['id', 'state', 'expires_at'])
    .where('workspace_id', '=', workspaceId)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit);
  const rows = await countGroups(exec, stretch, moments);
  const isFull = rows.reduce((sum, row) => sum + row.count, 0) === limit;
  const lastId = rows.reduce((last, row) => (row.last_id > last ? row.last_id : last), '');
  return { groups: rows.map(toGroup), lastId: isFull ? lastId : null };
}

/** Counts the keys of some accounts, at most `limit` of them: an account may have millions. */
export async function countStates(
  exec: Executor,
  workspaceId: string,
  accountIds: readonly string[],
  moments: StateMoments,
  limit: number,
): Promise<KeyGroup[]> {
  const keys = exec
    .selectFrom('api_keys')
    .select(['id', 'state', 'expires_at'])
    .where('workspace_id', '=', workspaceId)
    .where('account_id', 'in', accountIds)
    .limit(limit);
  return (await countGroups(exec, keys, moments)).map(toGroup);
}

type Stretch = SelectQueryBuilder<Database, 'api_keys', Pick<ApiKeysTable, 'id' | 'state' | 'expires_at'>>;

async function countGroups(exec: Executor, stretch: Stretch, { now, noticeEnd, horizon }: StateMoments) {
  // The engine divides whole numbers only when both are whole: a bound value would arrive as a fraction.
  const group = sql<number>`case when state <> 'active' then -1 when expires_at <= ${now} then -2
    when expires_at < ${horizon} then expires_at / ${sql.lit(DAY_MS)} else -3 end`;
  return await exec
    .selectFrom(stretch.as('stretch'))
    .select((eb) => [
      group.as('group'),
      eb.fn.countAll<number>().as('count'),
      eb.fn
        .countAll<number>()
        .filterWhere('state', '=', 'active')
        .filterWhere('expires_at', '>', now)
        .filterWhere('expires_at', '<=', noticeEnd)
        .as('expiring'),
      eb.fn.max('id').as('last_id'),
    ])
    .groupBy(sql`1`)
    .execute();
}

function toGroup(row: { group: number; count: number; expiring: number }): KeyGroup {
  const { group, count, expiring } = row;
  return { group: GROUPS[group as keyof typeof GROUPS] ?? group, count, expiring };
}

/** The newest first: enough to say which of them nobody uses. Both places are a `[createdAt, id]`. */
export async function listKeyAges(
  exec: Executor,
  { workspaceId, accountIds }: KeyCircle,
  { after, limit }: { readonly after: CursorValues | null; readonly limit: number },
): Promise<{ readonly ages: readonly KeyAge[]; readonly end: CursorValues | null }> {
  const lists =
    accountIds === null ? null : { workspaceId, accountIds, sort: 'createdAt' as const, state: null };
  const upTo = lists === null ? null : await findMergedEnd(exec, lists, after, limit);
  let query =
    lists === null
      ? exec.selectFrom('api_keys').where('workspace_id', '=', workspaceId)
      : selectKeysOfLists(exec, lists);
  const createdAt = sql.ref('created_at');
  if (after !== null) query = query.where(isBehind(createdAt, after, 'desc'));
  if (upTo !== null) query = query.where(isUpTo(createdAt, upTo, 'desc'));
  const rows = await query
    .select(['id', 'created_at', 'state', 'expires_at'])
    // The keys of several accounts are sorted, so that SQLite does not look for them in all of the workspace.
    .orderBy(lists === null || accountIds?.length === 1 ? createdAt : sql`+created_at`, 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const last = rows.at(-1);
  const isFull = rows.length === limit && last !== undefined;
  return {
    ages: rows.map((row) => ({
      id: row.id,
      createdAt: row.created_at,
      isEnabled: row.state === 'active',
      expiresAt: row.expires_at,
    })),
    end: isFull ? [last.created_at, last.id] : upTo,
  };
}

/** How many of these keys are enabled, expired, and in the circle. */
export async function countExpired(
  exec: Executor,
  circle: KeyCircle,
  ids: readonly string[],
  now: number,
): Promise<number> {
  if (ids.length === 0) return 0;
  let query = exec.selectFrom('api_keys').where(isOfWorkspace(circle.workspaceId)).where('id', 'in', ids);
  if (circle.accountIds !== null) query = query.where(sql<string>`account_id || ''`, 'in', circle.accountIds);
  const row = await query
    .select((eb) => eb.fn.countAll<number>().as('count'))
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
