import type { components } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { readAllPages } from '../../api/read-all-pages.ts';

export type Session = components['schemas']['Session'];

const PAGE_SESSIONS = 200;
const PAGES_MAX = 5;

/** One's own sessions, newest first; more than a thousand are not shown, but signed out with the others. */
export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }): Promise<readonly Session[]> => {
    const readPage = async (place: { readonly cursor?: string }) =>
      (await api.GET('/v1/sessions', { params: { query: { limit: PAGE_SESSIONS, ...place } }, signal })).data;
    return (await readAllPages(readPage, PAGES_MAX)).items;
  },
});
