import type { Key } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { DAY_MS, HOUR_MS } from '../../format/dates.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { readRows } from '../../ui/pager.tsx';

export const KEY_FILTERS = [
  'all',
  'working',
  'valid',
  'expiring',
  'expired',
  'stillCalled',
  'disabled',
  'neverUsed',
  'unused',
] as const;
export type KeyFilter = (typeof KEY_FILTERS)[number];
export type KeySort = 'createdAt' | 'expiresAt';

export const UNUSED_DAYS = 90;
/** How long ago a key may have been called and still count as called, unless the address says. */
const CALLED_HOURS_DEFAULT = 168;
const CALLED_HOURS_MAX = 720;

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
  /** For the expired ones that are still called: within so many hours. */
  readonly calledHours: number;
}

export function readKeyList(search: ListSearch): KeyListState {
  return {
    q: search.q ?? '',
    filter: KEY_FILTERS.find((filter) => filter === search.filter) ?? 'all',
    sort: search.sort === 'expiresAt' ? 'expiresAt' : 'createdAt',
    rows: readRows(search.rows),
    account: search.account ?? null,
    overDays: search.over ?? null,
    calledHours: Math.min(CALLED_HOURS_MAX, search.hours ?? CALLED_HOURS_DEFAULT),
  };
}

/** True when something narrows the list beside the search. */
export function isFiltered(state: KeyListState): boolean {
  return state.filter !== 'all' || state.account !== null || state.overDays !== null;
}

const before = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** The filters are those of the overview, so that its numbers lead to as many keys. Periods end now. */
function filterOf({ filter, calledHours }: KeyListState) {
  const filters = {
    all: () => ({}),
    working: () => ({ status: 'working' as const }),
    valid: () => ({ status: 'active' as const }),
    expiring: () => ({ status: 'expiring' as const }),
    expired: () => ({ status: 'expired' as const }),
    stillCalled: () => ({
      status: 'expired' as const,
      stillCalledSince: before(calledHours * HOUR_MS),
    }),
    disabled: () => ({ status: 'disabled' as const }),
    neverUsed: () => ({ status: 'working' as const, neverUsed: true }),
    unused: () => ({ status: 'working' as const, unusedSince: before(UNUSED_DAYS * DAY_MS) }),
  };
  return filters[filter]();
}

export interface KeyPage {
  readonly items: readonly Key[];
  readonly nextCursor: string | null;
}

function toQuery(state: KeyListState, cursor: string | undefined) {
  return {
    ...filterOf(state),
    sort: state.sort,
    limit: state.rows,
    ...(state.q === '' ? {} : { q: state.q }),
    ...(state.account === null ? {} : { account: state.account }),
    ...(state.overDays === null ? {} : { lifetimeOverDays: state.overDays }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

export function keysQuery(state: KeyListState, cursor: string | undefined) {
  return queryOptions({
    queryKey: ['keys', 'list', state, cursor],
    queryFn: async ({ signal }): Promise<KeyPage> =>
      (await api.GET('/v1/keys', { params: { query: toQuery(state, cursor) }, signal })).data,
  });
}
