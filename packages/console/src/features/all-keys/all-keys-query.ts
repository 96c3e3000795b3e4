import type { Key } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { readRows } from '../../ui/pager.tsx';

export const KEY_FILTERS = [
  'all',
  'valid',
  'expiring',
  'expired',
  'disabled',
  'neverUsed',
  'unused',
] as const;
export type KeyFilter = (typeof KEY_FILTERS)[number];
export type KeySort = 'createdAt' | 'expiresAt';

export const UNUSED_DAYS = 90;
const DAY_MS = 86_400_000;

/** What the address of the page asks for. */
export interface KeyListState {
  readonly q: string;
  readonly filter: KeyFilter;
  readonly sort: KeySort;
  readonly rows: number;
  /** Keys of one account only. */
  readonly account: string | null;
  /** Keys with a longer lifetime than so many days only. */
  readonly overDays: number | null;
}

export function readKeyList(search: ListSearch): KeyListState {
  return {
    q: search.q ?? '',
    filter: KEY_FILTERS.find((filter) => filter === search.filter) ?? 'all',
    sort: search.sort === 'expiresAt' ? 'expiresAt' : 'createdAt',
    rows: readRows(search.rows),
    account: search.account ?? null,
    overDays: search.over ?? null,
  };
}

/** True when something narrows the list beside the search. */
export function isFiltered(state: KeyListState): boolean {
  return state.filter !== 'all' || state.account !== null || state.overDays !== null;
}

/** Since when a key must have been silent. Whole days, so that the same question gets the same answer of the cache. */
function silentSince(): string {
  return new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - UNUSED_DAYS * DAY_MS).toISOString();
}

const STATUSES = { valid: 'active', expiring: 'expiring', expired: 'expired', disabled: 'disabled' } as const;

function filterOf(filter: KeyFilter) {
  if (filter === 'all') return {};
  if (filter === 'neverUsed') return { neverUsed: true as const };
  if (filter === 'unused') return { unusedSince: silentSince() };
  return { status: STATUSES[filter] };
}

export interface KeyPage {
  readonly items: readonly Key[];
  readonly nextCursor: string | null;
}

export function keysQuery(state: KeyListState, cursor: string | undefined) {
  const query = {
    ...filterOf(state.filter),
    sort: state.sort,
    limit: state.rows,
    ...(state.q === '' ? {} : { q: state.q }),
    ...(state.account === null ? {} : { account: state.account }),
    ...(state.overDays === null ? {} : { lifetimeOverDays: state.overDays }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return queryOptions({
    queryKey: ['keys', 'list', query],
    queryFn: async ({ signal }): Promise<KeyPage> =>
      (await api.GET('/v1/keys', { params: { query }, signal })).data,
  });
}
