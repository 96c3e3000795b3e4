import { queryOptions } from '@tanstack/react-query';
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

export function packagesQuery(query: PackageListQuery) {
  return queryOptions({
    queryKey: ['packages', 'list', query],
    queryFn: async ({ signal }) =>
      (await api.GET('/v1/packages', { params: { query: withoutAbsent(query) }, signal })).data,
  });
}

export function packagesSummaryQuery(q: string | undefined) {
  return queryOptions({
    queryKey: ['packages', 'summary', q ?? ''],
    queryFn: async ({ signal }) =>
      (await api.GET('/v1/package-summary', { params: { query: withoutAbsent({ q }) }, signal })).data,
  });
}

/** A package with its newest versions; `limit` grows as the person asks for more. */
export function packageQuery(id: string, limit: number) {
  return queryOptions({
    queryKey: ['packages', 'one', id, limit],
    queryFn: async ({ signal }) =>
      (await api.GET('/v1/packages/{id}', { params: { path: { id }, query: { limit } }, signal })).data,
  });
}

export function pushKeysQuery(id: string) {
  return queryOptions({
    queryKey: ['packages', 'keys', id],
    queryFn: async ({ signal }) =>
      (await api.GET('/v1/packages/{id}/keys', { params: { path: { id } }, signal })).data,
  });
}
