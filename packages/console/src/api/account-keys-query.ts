import type { Key } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from './client.ts';
import { untilNextStop } from './next-stop.ts';
import { readAllPages } from './read-all-pages.ts';

const PAGE_KEYS = 200;
const PAGES_MAX = 100;

/** The keys of one account, newest first: at most 50 live ones by the default settings, so one page holds them. */
export function accountKeysQuery(accountId: string) {
  return queryOptions({
    queryKey: ['keys', 'of', accountId],
    queryFn: async ({ signal }): Promise<readonly Key[]> => {
      const readPage = async (place: { readonly cursor?: string }) => {
        const params = { path: { id: accountId }, query: { limit: PAGE_KEYS, ...place } };
        return (await api.GET('/v1/accounts/{id}/keys', { params, signal })).data;
      };
      return (await readAllPages(readPage, PAGES_MAX)).items;
    },
    // What is shown as working must not have stopped in the meantime.
    refetchInterval: ({ state }) => untilNextStop(state.data ?? [], Date.now()),
  });
}
