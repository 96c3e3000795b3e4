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
import {
  findMergedEnd,
  type KeyLists,
  type KeySort,
  NEVER,
  STOPS_AT,
  selectKeysOfLists,
  valueOf,
} from './key-order.repo.ts';
import { COLUMNS, type KeyStretch, toApiKey, toIntactKeys } from './keys.repo.ts';

/** `working`: enabled and not expired. */
export type KeyStatusFilter = KeyStatus | 'working';

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
  const isByStop = sort === 'expiresAt' || path === 'lookup';
  // Of accounts a page always begins at a place, `startOf`.
  const begin = isByStop && isFirstPage && path !== 'accounts' ? STOPS_AT : aside;
  const end = isByStop ? STOPS_AT : aside;
  const state = path === 'accounts' ? sql<string>`state || ''` : sql<string>`state`;
  const conditions = {
    disabled: () => sql<boolean>`${state} = 'disabled'`,
    expired: () => sql<boolean>`(${state} = 'active' and ${end} <= ${now})`,
    expiring: () => sql<boolean>`(${state} = 'active' and ${begin} > ${now} and ${end} <= ${noticeEnd})`,
    active: () => sql<boolean>`(${state} = 'active' and ${begin} > ${noticeEnd})`,
    working: () => sql<boolean>`(${state} = 'active' and ${begin} > ${now})`,
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

function lastStopOf({ status, expiresBefore = Number.POSITIVE_INFINITY, now, noticeMs }: KeyFilter): number {
  const ends: Partial<Record<KeyStatusFilter, number>> = { expired: now, expiring: now + noticeMs };
  const last = (status === undefined ? undefined : ends[status]) ?? Number.POSITIVE_INFINITY;
  return Math.min(last, expiresBefore - 1);
}

/** Null: of all accounts. */
function accountsOf({ accountIds, accountId }: KeyFilter): readonly string[] | null {
  if (accountId === undefined) return accountIds;
  return accountIds === null || accountIds.includes(accountId) ? [accountId] : [];
}

/** The state of all keys that fit; null where both do. */
function storedStateOf({ status }: KeyFilter): KeyLists['state'] {
  if (status === undefined) return null;
  return status === 'disabled' ? 'disabled' : 'active';
}

/** Whether the lists of accounts hold keys that a page of this order does not. */
function isSiftedOfAccounts(filter: KeyFilter, sort: KeySort): boolean {
  const { q = '', lifetimeOverDays, hasActiveAccount, status, expiresBefore } = filter;
  if (q.trim() !== '' || lifetimeOverDays !== undefined || hasActiveAccount === true) return true;
  return sort === 'createdAt' && (status !== undefined || expiresBefore !== undefined);
}

/** True when no index finds the keys in this order: the rows of a whole workspace have to be sifted for them. */
function isSifted(filter: KeyFilter, sort: KeySort, path: KeyPath): boolean {
  if (path !== 'order') return false;
  const isRare = (filter.q?.trim() ?? '') !== '' || filter.lifetimeOverDays !== undefined;
  return isRare || (sort === 'createdAt' && stopsOf(filter) !== null);
}

// Sorting so many takes a millisecond or two.
const LOOKUP_KEYS_MAX = 500;

/** Which way to a page is the shorter one. Looks at some entries of an index at most. */
export async function choosePath(exec: Executor, filter: KeyFilter, sort: KeySort): Promise<KeyPath> {
  if (accountsOf(filter) !== null) return 'accounts';
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
function sortedBy(sort: KeySort, isOrdered: boolean): RawBuilder<number> {
  const { value } = valueOf(sort);
  return isOrdered ? value : sql<number>`+${value}`;
}

/** Where the next `rows` keys of the workspace end, whether they fit or not; null when there are not as many. */
async function findWorkspaceEnd(
  exec: Executor,
  workspaceId: string,
  sort: KeySort,
  after: CursorValues | null,
  rows: number,
): Promise<CursorValues | null> {
  const { value, direction } = valueOf(sort);
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

// Rows that are looked at between two turns of the event loop, when most of them may not fit.
const STRETCH_ROWS = 1_000;
// Of accounts, where all fit: some more than one page, since the lists seldom end at one place.
const STRETCH_PAGES = 4;

/** The last row that is looked at for `limit` keys behind `after`; null where nothing has to end before the list does. */
export async function findStretchEnd(
  exec: Executor,
  filter: KeyFilter,
  sort: KeySort,
  { path, after, limit }: Omit<KeyStretchPlace, 'upTo'>,
): Promise<CursorValues | null> {
  const { workspaceId } = filter;
  const accountIds = accountsOf(filter);
  if (accountIds === null)
    return isSifted(filter, sort, path)
      ? await findWorkspaceEnd(exec, workspaceId, sort, after, STRETCH_ROWS)
      : null;
  if (accountIds.length === 0) return null;
  const lists = { workspaceId, accountIds, sort, state: storedStateOf(filter) };
  const rows = isSiftedOfAccounts(filter, sort) ? STRETCH_ROWS : limit * STRETCH_PAGES;
  const end = await findMergedEnd(exec, lists, after, rows);
  // Behind the last expiry that fits, no list has anything left.
  return end !== null && sort === 'expiresAt' && Number(end[0]) > lastStopOf(filter) ? null : end;
}

/**
 * Where a list begins, at `cursor` or before its first page: those of accounts, which are gone through in stretches,
 * leave out what has stopped too early.
 */
export function startOf(filter: KeyFilter, sort: KeySort, cursor: CursorValues | null): CursorValues | null {
  const isWithBegin = ['active', 'expiring', 'working'].includes(filter.status ?? '');
  if (accountsOf(filter) === null || sort !== 'expiresAt' || !isWithBegin) return cursor;
  const begin = filter.status === 'active' ? filter.now + filter.noticeMs : filter.now;
  return cursor === null || Number(cursor[0]) <= begin ? [begin, BEHIND_BASE62] : cursor;
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
  const accountIds = accountsOf(filter);
  if (accountIds?.length === 0) return { keys: [], rowCount: 0, end: null };
  const { workspaceId, expiresBefore, lifetimeOverDays, status } = filter;
  const q = filter.q?.trim() ?? '';
  const lists = accountIds === null ? null : { workspaceId, accountIds, sort, state: storedStateOf(filter) };
  const all = exec.selectFrom('api_keys').where('workspace_id', '=', workspaceId);
  let query = (lists === null ? all : selectKeysOfLists(exec, lists)).select(COLUMNS);
  if (expiresBefore !== undefined) {
    const plus = sql.raw(sort === 'createdAt' && path !== 'lookup' ? '+' : '');
    query = query.where(sql<number>`${plus}${STOPS_AT}`, '<', expiresBefore);
  }
  if (lifetimeOverDays !== undefined) query = query.where('lifetime_days', '>', lifetimeOverDays);
  if (filter.hasActiveAccount === true) query = query.where(HAS_ACTIVE_ACCOUNT);
  if (status !== undefined) query = query.where(hasStatus(status, filter, sort, path, after === null));
  if (q !== '') query = query.where(matchesText(q, path));
  const { value, direction } = valueOf(sort);
  // By it a lookup would find the whole workspace.
  const bound = path === 'lookup' ? sortedBy(sort, false) : value;
  if (after !== null) query = query.where(isBehind(bound, after, direction));
  if (upTo !== null) query = query.where(isUpTo(bound, upTo, direction));
  const isOneList = accountIds?.length === 1 && (sort === 'createdAt' || status !== undefined);
  const rows = await query
    .orderBy(sortedBy(sort, path === 'order' || isOneList), direction)
    .orderBy('id', direction)
    .limit(limit)
    .execute();
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
