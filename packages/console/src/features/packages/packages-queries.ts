import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';

export interface PackageListQuery {
  readonly q: string | undefined;
  /** True: only those that the person, or a service account that he manages, owns. */
  readonly mine: true | undefined;
  readonly listed: 'listed' | 'unlisted' | 'any';
  readonly sort: 'name' | 'pushedAt';
  readonly limit: number;
  readonly cursor: string | undefined;
}

function withoutAbsent<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** One page of the list, and the question that it answers: what is drawn belongs together while the next one loads. */
export function packagesQuery(query: PackageListQuery) {
  return queryOptions({
    queryKey: ['packages', 'list', query],
    queryFn: async ({ signal }) => {
      const { data } = await api.GET('/v1/packages', { params: { query: withoutAbsent(query) }, signal });
      return { query, ...data };
    },
  });
}

export function packagesSummaryQuery(q: string | undefined) {
  return queryOptions({
    queryKey: ['packages', 'summary', q ?? ''],
    queryFn: async ({ signal }) =>
      (await api.GET('/v1/package-summary', { params: { query: withoutAbsent({ q }) }, signal })).data,
  });
}

/** What an account holds in the gallery, and how much it may. */
export function galleryUsageQuery(accountId: string) {
  return queryOptions({
    queryKey: ['packages', 'usage', accountId],
    queryFn: async ({ signal }) =>
      (await api.GET('/v1/accounts/{id}/gallery-usage', { params: { path: { id: accountId } }, signal }))
        .data,
  });
}

const VERSIONS_FIRST = 25;
const VERSIONS_MORE = 200;

/** A package with its newest versions, and the older ones page by page. */
export function packageQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ['packages', 'one', id],
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const query =
        pageParam === null ? { limit: VERSIONS_FIRST } : { limit: VERSIONS_MORE, cursor: pageParam };
      return (await api.GET('/v1/packages/{id}', { params: { path: { id }, query }, signal })).data;
    },
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
}

export function pushKeysQuery(id: string) {
  return queryOptions({
    queryKey: ['packages', 'keys', id],
    queryFn: async ({ signal }) =>
      (await api.GET('/v1/packages/{id}/keys', { params: { path: { id } }, signal })).data,
  });
}

/** More than this are open at once nowhere but in a test. */
const REQUESTS_MAX = 100;

/** Requests to own packages that the person answers. */
export const incomingRequestsQuery = queryOptions({
  queryKey: ['packages', 'incoming-requests'],
  queryFn: async ({ signal }) => {
    const query = { direction: 'incoming', limit: REQUESTS_MAX } as const;
    return (await api.GET('/v1/owner-requests', { params: { query }, signal })).data;
  },
});

export function requestsOfPackageQuery(id: string) {
  return queryOptions({
    queryKey: ['packages', 'requests', id],
    queryFn: async ({ signal }) => {
      const params = { path: { id }, query: { limit: REQUESTS_MAX } };
      return (await api.GET('/v1/packages/{id}/owner-requests', { params, signal })).data;
    },
  });
}
