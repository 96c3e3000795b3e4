import { type ListSearch, readListSearch } from '../../ui/list-search.ts';
import { readRows } from '../../ui/pager.tsx';
import type { AccountListQuery, AccountSort } from './accounts-queries.ts';

export const ACCOUNT_FILTERS = ['all', 'active', 'disabled', 'attention'] as const;
export type AccountFilter = (typeof ACCOUNT_FILTERS)[number];

const SORTS: readonly AccountSort[] = ['name', 'login', 'lastSeenAt', 'createdAt'];

/** What the address says about a list of accounts; what it does not know stands for the usual. */
export interface AccountListState {
  readonly q: string;
  readonly filter: AccountFilter;
  readonly sort: AccountSort;
  readonly order: 'asc' | 'desc';
  readonly rows: number;
}

export function readListState(search: ListSearch): AccountListState {
  const sort = SORTS.find((one) => one === search.sort) ?? 'name';
  return {
    q: search.q ?? '',
    filter: ACCOUNT_FILTERS.find((one) => one === search.filter) ?? 'all',
    sort,
    order: search.order ?? (sort === 'name' || sort === 'login' ? 'asc' : 'desc'),
    rows: readRows(search.rows),
  };
}

export function toListQuery(state: AccountListState, cursor: string | undefined): AccountListQuery {
  const { q, filter, sort, order, rows } = state;
  return {
    sort,
    order,
    limit: rows,
    ...(q === '' ? {} : { q }),
    ...(filter === 'active' || filter === 'disabled' ? { state: filter } : {}),
    ...(filter === 'attention' ? { attention: true } : {}),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** The address of the list after a change; what is empty or usual does not stand in it. */
export function changeSearch(search: ListSearch, next: Partial<ListSearch>): ListSearch {
  return readListSearch({ ...search, ...next });
}
