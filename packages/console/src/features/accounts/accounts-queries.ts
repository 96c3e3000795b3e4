import type { BodyOf, ServiceAccount, User } from '@keyreeve/sdk';
import { ifMatch } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';

export type AccountKind = 'user' | 'service';
export type Account = User | ServiceAccount;
/** The account that a kind stands for. */
export type AccountOf<Kind extends AccountKind> = Kind extends 'user' ? User : ServiceAccount;
/** Only what is named is changed; the server says who may change what. */
export type UserPatch = BodyOf<'updateUser'>;
export type ServiceAccountPatch = BodyOf<'updateServiceAccount'>;

export type AccountSort = 'name' | 'login' | 'lastSeenAt' | 'createdAt';

export interface AccountListQuery {
  readonly q?: string;
  readonly sort: AccountSort;
  readonly order: 'asc' | 'desc';
  readonly state?: 'active' | 'disabled';
  readonly attention?: true;
  readonly limit: number;
  readonly cursor?: string;
}

/** One page of a list, and the question that it answers: what is drawn belongs together while the next one loads. */
export interface AccountPage {
  readonly query: AccountListQuery;
  readonly items: readonly Account[];
  readonly nextCursor: string | null;
}

export function isUser(account: Account): account is User {
  return 'role' in account;
}

/** What the account is found by beside its name. */
export function loginOf(account: Account): string {
  return isUser(account) ? account.email : account.technicalName;
}

/** When a person last came to the console; programs do not, so of them when one of their keys was last used. */
export function lastConnectedOf(account: Account): string | null {
  return isUser(account) ? account.lastSeenAt : (account.keys?.lastUsedAt ?? null);
}

const NOUNS = { user: 'users', service: 'service-accounts' } as const;

export async function readAccountPage(
  kind: AccountKind,
  query: AccountListQuery,
  signal?: AbortSignal,
): Promise<AccountPage> {
  const init = { params: { query }, ...(signal === undefined ? {} : { signal }) };
  const { data } =
    kind === 'user' ? await api.GET('/v1/users', init) : await api.GET('/v1/service-accounts', init);
  return { query, items: data.items, nextCursor: data.nextCursor };
}

export function accountsQuery(kind: AccountKind, query: AccountListQuery) {
  return queryOptions({
    queryKey: [NOUNS[kind], 'list', query],
    queryFn: ({ signal }) => readAccountPage(kind, query, signal),
  });
}

/** How many accounts `q` finds, by the tabs of the list. */
export function accountSummaryQuery(kind: AccountKind, q: string) {
  return queryOptions({
    queryKey: [NOUNS[kind], 'summary', q],
    queryFn: async ({ signal }) => {
      const init = { params: { query: q === '' ? {} : { q } }, signal };
      return kind === 'user'
        ? (await api.GET('/v1/users/summary', init)).data
        : (await api.GET('/v1/service-accounts/summary', init)).data;
    },
  });
}

export function accountQuery<Kind extends AccountKind>(kind: Kind, id: string) {
  return queryOptions({
    queryKey: [NOUNS[kind], 'one', id],
    queryFn: async ({ signal }): Promise<AccountOf<Kind>> => {
      const init = { params: { path: { id } }, signal };
      const { data } =
        kind === 'user'
          ? await api.GET('/v1/users/{id}', init)
          : await api.GET('/v1/service-accounts/{id}', init);
      return data as AccountOf<Kind>;
    },
  });
}

/** Keeps what the server has answered to a change, and lets the lists ask again. */
function adopt(kind: AccountKind, account: Account): void {
  queryClient.setQueryData([NOUNS[kind], 'one', account.id], account);
  void queryClient.invalidateQueries({ queryKey: [NOUNS[kind], 'list'] });
  void queryClient.invalidateQueries({ queryKey: [NOUNS[kind], 'summary'] });
}

export async function createUser(body: BodyOf<'createUser'>): Promise<User> {
  const { data } = await api.POST('/v1/users', { body });
  adopt('user', data);
  return data;
}

export async function createServiceAccount(body: BodyOf<'createServiceAccount'>): Promise<ServiceAccount> {
  const { data } = await api.POST('/v1/service-accounts', { body });
  adopt('service', data);
  return data;
}

/** The account as it was when the person saw it. */
export interface Seen {
  readonly id: string;
  readonly version: number;
}

/** @throws KeyreeveError request.precondition_failed when the user is no longer in the version that was seen */
export async function updateUser(seen: Seen, body: UserPatch): Promise<User> {
  const init = { params: { path: { id: seen.id } }, headers: ifMatch(seen.version), body };
  const { data } = await api.PATCH('/v1/users/{id}', init);
  adopt('user', data);
  return data;
}

/** @throws KeyreeveError request.precondition_failed as `updateUser` */
export async function updateServiceAccount(seen: Seen, body: ServiceAccountPatch): Promise<ServiceAccount> {
  const init = { params: { path: { id: seen.id } }, headers: ifMatch(seen.version), body };
  const { data } = await api.PATCH('/v1/service-accounts/{id}', init);
  adopt('service', data);
  return data;
}

export async function deleteAccount(kind: AccountKind, id: string): Promise<void> {
  const init = { params: { path: { id } } };
  if (kind === 'user') await api.DELETE('/v1/users/{id}', init);
  else await api.DELETE('/v1/service-accounts/{id}', init);
  queryClient.removeQueries({ queryKey: [NOUNS[kind], 'one', id] });
  await queryClient.invalidateQueries({ queryKey: [NOUNS[kind]] });
  await queryClient.invalidateQueries({ queryKey: ['keys'] });
}
