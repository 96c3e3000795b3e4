import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';

export interface GalleryListQuery {
  readonly q: string;
  readonly kind: 'module' | 'script' | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** One page of a search, and the question that it answers. */
export function galleryListQuery(query: GalleryListQuery) {
  return queryOptions({
    queryKey: ['packages', 'gallery', query],
    queryFn: async ({ signal }) => {
      const { q, kind, limit, cursor } = query;
      const asked = {
        limit,
        ...(q === '' ? {} : { q }),
        ...(kind === undefined ? {} : { kind }),
        ...(cursor === undefined ? {} : { cursor }),
      };
      const { data } = await api.GET('/v1/gallery/packages', { params: { query: asked }, signal });
      return { query, ...data };
    },
  });
}

/** A version of a package, or without one the latest. */
export function galleryVersionQuery(id: string, version: string | undefined) {
  return queryOptions({
    queryKey: ['packages', 'gallery-version', id, version ?? null],
    queryFn: async ({ signal }) =>
      version === undefined
        ? (await api.GET('/v1/gallery/packages/{id}', { params: { path: { id } }, signal })).data
        : (
            await api.GET('/v1/gallery/packages/{id}/{version}', {
              params: { path: { id, version } },
              signal,
            })
          ).data,
  });
}

const VERSIONS_FIRST = 25;
const VERSIONS_MORE = 200;

/** The listed versions of a package, the highest first. */
export function galleryVersionsQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ['packages', 'gallery-versions', id],
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const query =
        pageParam === null ? { limit: VERSIONS_FIRST } : { limit: VERSIONS_MORE, cursor: pageParam };
      const params = { path: { id }, query };
      return (await api.GET('/v1/gallery/packages/{id}/versions', { params, signal })).data;
    },
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
}

export function readmeQuery(id: string, version: string) {
  return queryOptions({
    queryKey: ['packages', 'readme', id, version],
    queryFn: async ({ signal }) => {
      const params = { path: { id, version } };
      return (await api.GET('/v1/gallery/packages/{id}/{version}/readme', { params, signal })).data;
    },
    // What was published under a version never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });
}
