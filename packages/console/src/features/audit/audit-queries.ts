import type { AuditEntry, operations, ServiceAccount, User } from '@keyreeve/sdk';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { HOUR_MS } from '../../format/dates.ts';
import type { ListSearch } from '../../ui/list-search.ts';

export const PERIODS = ['24h', '7d', '30d', '90d', 'all'] as const;
export type Period = (typeof PERIODS)[number];
export type Outcome = 'all' | 'done' | 'refused';

const HOURS: Readonly<Record<Exclude<Period, 'all'>, number>> = {
  '24h': 24,
  '7d': 7 * 24,
  '30d': 30 * 24,
  '90d': 90 * 24,
};
const PAGE_ROWS = 50;

/** What the address says about the list; `''` where it says nothing. */
export interface AuditFilters {
  readonly q: string;
  readonly action: string;
  readonly actor: string;
  readonly account: string;
  readonly key: string;
  readonly period: Period;
  readonly outcome: Outcome;
}

export function readAuditFilters(search: ListSearch): AuditFilters {
  const { q = '', action = '', actor = '', account = '', key = '', outcome } = search;
  return {
    q,
    action,
    actor,
    account,
    key,
    period: PERIODS.find((period) => period === search.period) ?? '7d',
    outcome: outcome === 'done' || outcome === 'refused' ? outcome : 'all',
  };
}

type WireFilters = NonNullable<operations['exportAudit']['parameters']['query']>;

/** The filters as the API takes them. `now` in milliseconds: periods are counted back from it. */
export function toWire(filters: AuditFilters, now: number): WireFilters {
  const { period, outcome, ...texts } = filters;
  const given = Object.entries(texts).filter(([, value]) => value !== '');
  return {
    ...Object.fromEntries(given),
    ...(outcome === 'all' ? {} : { outcome }),
    ...(period === 'all' ? {} : { since: new Date(now - HOURS[period] * HOUR_MS).toISOString() }),
  };
}

/** Where the file with the same events is to be had. */
export function exportAddress(filters: AuditFilters, now: number): string {
  return `/v1/audit/export?${new URLSearchParams(Object.entries(toWire(filters, now)))}`;
}

export interface AuditPage {
  readonly items: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

export function auditQuery(filters: AuditFilters, now: number) {
  return infiniteQueryOptions({
    queryKey: ['audit', 'list', filters, now],
    queryFn: async ({ pageParam, signal }): Promise<AuditPage> => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      const query = { ...toWire(filters, now), ...cursor, limit: PAGE_ROWS };
      return (await api.GET('/v1/audit', { params: { query }, signal })).data;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  });
}

export const auditActionsQuery = queryOptions({
  queryKey: ['audit', 'actions'],
  queryFn: async ({ signal }) => (await api.GET('/v1/audit/actions', { signal })).data.actions,
  staleTime: Number.POSITIVE_INFINITY,
});

export interface KnownAccount {
  readonly id: string;
  readonly kind: 'user' | 'service';
  readonly name: string;
  readonly login: string;
}

const fromUser = ({ id, displayName, email }: User): KnownAccount => ({
  id,
  kind: 'user',
  name: displayName,
  login: email,
});
const fromService = ({ id, displayName, technicalName }: ServiceAccount): KnownAccount => ({
  id,
  kind: 'service',
  name: displayName,
  login: technicalName,
});

const RECENT_ACCOUNTS = 200;
const FOUND_ACCOUNTS = 20;

interface AccountsAsked {
  readonly q?: string;
  readonly sort?: 'lastSeenAt';
  readonly order?: 'desc';
  readonly limit: number;
}

async function readAccounts(query: AccountsAsked, signal: AbortSignal): Promise<readonly KnownAccount[]> {
  const init = { params: { query }, signal };
  const [users, services] = await Promise.all([
    api.GET('/v1/users', init),
    api.GET('/v1/service-accounts', init),
  ]);
  return [...users.data.items.map(fromUser), ...services.data.items.map(fromService)];
}

/** The accounts that were seen last: those who did what the log tells of. Others are shown by their login. */
export const recentAccountsQuery = queryOptions({
  queryKey: ['users', 'recent-names'],
  queryFn: async ({ signal }) =>
    await readAccounts({ sort: 'lastSeenAt', order: 'desc', limit: RECENT_ACCOUNTS }, signal),
  staleTime: 5 * 60_000,
});

/** Accounts to choose from: the first ones that a text finds. */
export function foundAccountsQuery(q: string) {
  return queryOptions({
    queryKey: ['users', 'found-names', q],
    queryFn: async ({ signal }) =>
      await readAccounts({ limit: FOUND_ACCOUNTS, ...(q === '' ? {} : { q }) }, signal),
    staleTime: 60_000,
  });
}
