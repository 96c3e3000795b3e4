import { type RawBuilder, sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import {
  containsText,
  type Executor,
  isBehind,
  isUpTo,
  type Keyring,
  startsWithText,
} from '../../storage/index.ts';
import { HAS_ACTIVE_ACCOUNT } from './account-keys.repo.ts';
import type { ApiKey, KeyStatus } from './api-key.ts';
import { COLUMNS, type KeyStretch, toApiKey, toIntactKeys } from './keys.repo.ts';

/** `working`: enabled and not expired. */
export type KeyStatusFilter = KeyStatus | 'working';

/** By creation the newest come first, by expiry the next to stop; those that never do are the last. */
export type KeySort = 'createdAt' | 'expiresAt';

const NEVER = 9_007_199_254_740_991;
// Letter by letter as in the index of the migration.
const STOPS_AT = sql<number>`coalesce(expires_at, ${sql.lit(NEVER)})`;

export interface KeyFilter {
  readonly workspaceId: string;
  /** Null: all; otherwise keys of these accounts only. */
  readonly accountIds: readonly string[] | null;
  readonly accountId?: string | undefined;
  readonly status?: KeyStatusFilter | undefined;
  readonly expiresBefore?: number | undefined;
  /** Keys that were given a longer life than so many days. */
  readonly lifetimeOverDays?: number | undefined;
  readonly hasActiveAccount?: boolean | undefined;
  readonly q?: string | undefined;
  readonly now: number;
  /** How far before expiry a key counts as expiring. */
  readonly noticeMs: number;
}

/**
 * How a page is found: in the order of the list, or among the keys that a condition looks up and that are sorted then.
 * The second is right only where they are few; by its accounts, everything else only sifts what they have.
 */
export type KeyPath = 'order' | 'lookup' | 'accounts';

/**
 * On SQLite a plus keeps a condition from choosing the index. Where most keys fulfil it, the order of the list is the
 * better guide; and where a page begins later than the condition, the place where it begins is.
 */
function hasStatus(
  status: KeyStatusFilter,
  { now, noticeMs }: KeyFilter,
  sort: KeySort,
  path: KeyPath,
  isFirstPage: boolean,
): RawBuilder<boolean> {
  const noticeEnd = now + noticeMs;
  const aside = sql<number>`+${STOPS_AT}`;
  const isByStop = path !== 'accounts' && (sort === 'expiresAt' || path === 'lookup');
  const begin = isByStop && isFirstPage ? STOPS_AT : aside;
  const end = isByStop ? STOPS_AT : aside;
  const conditions = {
    disabled: () =>
      path === 'accounts' ? sql<boolean>`state || '' = 'disabled'` : sql<boolean>`state = 'disabled'`,
    expired: () => sql<boolean>`(state = 'active' and ${end} <= ${now})`,
    expiring: () => sql<boolean>`(state = 'active' and ${begin} > ${now} and ${end} <= ${noticeEnd})`,
    active: () => sql<boolean>`(state = 'active' and ${begin} > ${noticeEnd})`,
    working: () => sql<boolean>`(state = 'active' and ${begin} > ${now})`,
  };
  return conditions[status]();
}

/** So much of an API key that few keys begin with it: it is looked up, and no comment is searched for it. */
const API_KEY_BEGIN = /^[a-z]{2,8}_[0-9A-Za-z]{4,16}$/;
const BEHIND_BASE62 = '{';

function isApiKeyBegin(q: string): boolean {
  return API_KEY_BEGIN.test(q);
}

function matchesText(q: string, path: KeyPath): RawBuilder<boolean> {
  return isApiKeyBegin(q) && path === 'lookup'
    ? sql<boolean>`(id >= ${q} and id < ${q + BEHIND_BASE62})`
    : sql<boolean>`(${containsText('comment_lower', q)} or ${startsWithText('id', q)})`;
}

/** The expiries that a filter leaves, where it leaves some only: behind `after`, up to `upTo`. */
function stopsOf({
  status,
  expiresBefore,
  now,
  noticeMs,
}: KeyFilter): { after: number; upTo: number } | null {
  if (status === 'expiring') return { after: now, upTo: now + noticeMs };
  if (status === 'expired') return { after: -1, upTo: now };
  return expiresBefore === undefined ? null : { after: -1, upTo: expiresBefore - 1 };
}

function isOfAccounts({ accountIds, accountId }: KeyFilter): boolean {
  return accountIds !== null || accountId !== undefined;
}

/** Then the index of accounts has the keys in the order of their creation, so that none has to be sorted. */
function isOfOneAccount({ accountIds, accountId }: KeyFilter): boolean {
  return accountId !== undefined || accountIds?.length === 1;
}

/** True when no index finds the keys in this order: the rows of a whole workspace have to be sifted for them. */
export function isSifted(filter: KeyFilter, sort: KeySort, path: KeyPath): boolean {
  if (path !== 'order' || isOfAccounts(filter)) return false;
  const isRare = (filter.q?.trim() ?? '') !== '' || filter.lifetimeOverDays !== undefined;
  return isRare || (sort === 'createdAt' && stopsOf(filter) !== null);
}

// Sorting so many takes a millisecond or two.
const LOOKUP_KEYS_MAX = 500;

/** Which way to a page is the shorter one. Looks at some entries of an index at most. */
export async function choosePath(exec: Executor, filter: KeyFilter, sort: KeySort): Promise<KeyPath> {
  if (isOfAccounts(filter)) return 'accounts';
  if (isApiKeyBegin(filter.q?.trim() ?? '')) return 'lookup';
  const stops = stopsOf(filter);
  if (sort === 'expiresAt' || stops === null) return 'order';
  const few = exec
    .selectFrom('api_keys')
    .select('id')
    .where('workspace_id', '=', filter.workspaceId)
    .where(STOPS_AT, '>', stops.after)
    .where(STOPS_AT, '<=', stops.upTo)
    .limit(LOOKUP_KEYS_MAX + 1);
  const row = await exec
    .selectFrom(few.as('few'))
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirst();
  return (row?.count ?? 0) > LOOKUP_KEYS_MAX ? 'order' : 'lookup';
}

/**
 * What a list is sorted by. With a plus no index has this order: where another condition leaves few rows, going through
 * all others in their order would take longest.
 */
function orderOf(sort: KeySort, path: KeyPath) {
  const plus = sql.raw(path === 'order' ? '' : '+');
  return sort === 'createdAt'
    ? { value: sql<number>`${plus}created_at`, direction: 'desc' as const }
    : { value: sql<number>`${plus}${STOPS_AT}`, direction: 'asc' as const };
}

/** Where the next `rows` keys of the workspace end, whether they fit or not; null when there are not as many. */
export async function findStretchEnd(
  exec: Executor,
  workspaceId: string,
  sort: KeySort,
  after: CursorValues | null,
  rows: number,
): Promise<CursorValues | null> {
  const { value, direction } = orderOf(sort, 'order');
  let query = exec.selectFrom('api_keys').where('workspace_id', '=', workspaceId);
  if (after !== null) query = query.where(isBehind(value, after, direction));
  const row = await query
    .select([value.as('value'), 'id'])
    .orderBy(value, direction)
    .orderBy('id', direction)
    .offset(rows - 1)
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : [row.value, row.id];
}

export interface KeyStretchPlace {
  readonly path: KeyPath;
  readonly after: CursorValues | null;
  readonly upTo: CursorValues | null;
  readonly limit: number;
}

/** `after` holds the `end` of the stretch before, in the same order; `upTo` the last row that is looked at. */
export async function listKeys(
  exec: Executor,
  keyring: Keyring,
  filter: KeyFilter,
  sort: KeySort,
  { path, after, upTo, limit }: KeyStretchPlace,
): Promise<KeyStretch> {
  if (filter.accountIds?.length === 0) return { keys: [], rowCount: 0, end: null };
  const { accountIds, accountId, expiresBefore, lifetimeOverDays, status } = filter;
  const q = filter.q?.trim() ?? '';
  let query = exec.selectFrom('api_keys').select(COLUMNS).where('workspace_id', '=', filter.workspaceId);
  if (accountIds !== null) query = query.where('account_id', 'in', accountIds);
  if (accountId !== undefined) query = query.where('account_id', '=', accountId);
  if (expiresBefore !== undefined) {
    const plus = sql.raw(path === 'accounts' || (sort === 'createdAt' && path === 'order') ? '+' : '');
    query = query.where(sql<number>`${plus}${STOPS_AT}`, '<', expiresBefore);
  }
  if (lifetimeOverDays !== undefined) query = query.where('lifetime_days', '>', lifetimeOverDays);
  if (filter.hasActiveAccount === true) query = query.where(HAS_ACTIVE_ACCOUNT);
  if (status !== undefined) query = query.where(hasStatus(status, filter, sort, path, after === null));
  if (q !== '') query = query.where(matchesText(q, path));
  const isOrdered = sort === 'createdAt' && isOfOneAccount(filter);
  const { value, direction } = orderOf(sort, isOrdered ? 'order' : path);
  if (after !== null) query = query.where(isBehind(value, after, direction));
  if (upTo !== null) query = query.where(isUpTo(value, upTo, direction));
  const rows = await query.orderBy(value, direction).orderBy('id', direction).limit(limit).execute();
  const last = rows.at(-1);
  return {
    keys: toIntactKeys(keyring, rows),
    rowCount: rows.length,
    end: last === undefined ? null : placeOf(toApiKey(last), sort),
  };
}

/** Where a key stands in an order: the value that it is sorted by, then the id. */
export function placeOf(key: ApiKey, sort: KeySort): CursorValues {
  return [sort === 'createdAt' ? key.createdAt : (key.current.expiresAt ?? NEVER), key.id];
}
