import { sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import { type Executor, isBehind, isUpTo } from '../../storage/index.ts';
import type { AccountCondition, KeyCounts } from '../accounts/index.ts';
import { findMergedEnd, selectKeysOfLists } from './key-order.repo.ts';

/** When keys count as expired and as expiring: both instants in milliseconds. */
export interface ExpiryMoments {
  readonly now: number;
  readonly noticeEnd: number;
}

/** A condition on keys; as a question about each row, so that a list goes on in its own order. */
export const HAS_ACTIVE_ACCOUNT = sql<boolean>`exists (
  select 1 from accounts where accounts.id = api_keys.account_id and accounts.state = 'active')`;

/** Whose keys are whose, the newest first, behind the place `after`; `end` is null when these were the last ones. */
export async function listKeyAccounts(
  exec: Executor,
  workspaceId: string,
  accountIds: readonly string[],
  { after, limit }: { readonly after: CursorValues | null; readonly limit: number },
): Promise<{
  readonly keys: readonly { id: string; accountId: string }[];
  readonly end: CursorValues | null;
}> {
  if (accountIds.length === 0) return { keys: [], end: null };
  const lists = { workspaceId, accountIds, sort: 'createdAt', state: null } as const;
  const upTo = await findMergedEnd(exec, lists, after, limit);
  const createdAt = sql.ref('created_at');
  let query = selectKeysOfLists(exec, lists).select(['id', 'account_id', 'created_at']);
  if (after !== null) query = query.where(isBehind(createdAt, after, 'desc'));
  if (upTo !== null) query = query.where(isUpTo(createdAt, upTo, 'desc'));
  const rows = await query.orderBy(sql`+created_at`, 'desc').orderBy('id', 'desc').limit(limit).execute();
  const last = rows.at(-1);
  const isFull = rows.length === limit && last !== undefined;
  return {
    keys: rows.map((row) => ({ id: row.id, accountId: row.account_id })),
    end: isFull ? [last.created_at, last.id] : upTo,
  };
}

/** Numbers of the keys of each account that has any, out of one index. */
export async function countKeysByAccount(
  exec: Executor,
  workspaceId: string,
  accountIds: readonly string[],
  { now, noticeEnd }: ExpiryMoments,
): Promise<(Omit<KeyCounts, 'lastUsedAt'> & { readonly accountId: string })[]> {
  if (accountIds.length === 0) return [];
  const rows = await exec
    .selectFrom('api_keys')
    .select((eb) => {
      const isEnabled = eb('state', '=', 'active');
      const isWorking = eb.and([isEnabled, eb('expires_at', '>', now)]);
      return [
        'account_id',
        eb.fn.countAll<number>().as('total'),
        eb.fn
          .countAll<number>()
          .filterWhere(eb.and([isEnabled, eb('expires_at', '<=', now)]))
          .as('expired'),
        eb.fn
          .countAll<number>()
          .filterWhere(eb.and([isWorking, eb('expires_at', '<=', noticeEnd)]))
          .as('expiring'),
        eb.fn.min<number | null>('expires_at').filterWhere(isWorking).as('next_expires_at'),
      ];
    })
    .where('workspace_id', '=', workspaceId)
    .where('account_id', 'in', accountIds)
    .groupBy('account_id')
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    total: row.total,
    expiring: row.expiring,
    expired: row.expired,
    nextExpiresAt: row.next_expires_at,
  }));
}

/** Of a row of `accounts`: one of its enabled keys has expired or is about to. `accountIds` null: of any account. */
export function hasKeyInNeed(
  { noticeEnd }: ExpiryMoments,
  accountIds: readonly string[] | null,
): AccountCondition {
  if (accountIds?.length === 0) return sql<boolean>`1 = 0`;
  const isOneOf = accountIds === null ? sql`` : sql`accounts.id in (${sql.join(accountIds)}) and`;
  return sql<boolean>`${isOneOf} exists (select 1 from api_keys where api_keys.workspace_id = accounts.workspace_id
    and api_keys.account_id = accounts.id and api_keys.state = 'active' and api_keys.expires_at <= ${noticeEnd})`;
}
