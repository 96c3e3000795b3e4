import { ifMatch, type Settings } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { readAllPages } from '../../api/read-all-pages.ts';

/** The settings, and the version that an edit must name. */
export interface StoredSettings {
  readonly settings: Settings;
  readonly etag: string;
}

export const settingsQuery = queryOptions({
  queryKey: ['settings', 'stored'],
  queryFn: async ({ signal }): Promise<StoredSettings> => {
    const { data, response } = await api.GET('/v1/settings', { signal });
    return { settings: data, etag: response.headers.get('etag') ?? '*' };
  },
});

/** Changes what is in the patch; refused when somebody else has saved since `etag` was read. */
export async function saveSettings(etag: string, patch: Partial<Settings>): Promise<StoredSettings> {
  const { data, response } = await api.PATCH('/v1/settings', { body: patch, headers: ifMatch(etag) });
  return { settings: data, etag: response.headers.get('etag') ?? '*' };
}

const PAGE_KEYS = 200;
const PAGES_MAX = 5;

export interface LongLivedCount {
  readonly count: number;
  /** There are more than were counted. */
  readonly isOpen: boolean;
}

/** How many keys live longer than so many days. */
export function longLivedKeysQuery(days: number) {
  return queryOptions({
    queryKey: ['keys', 'over', days],
    queryFn: async ({ signal }): Promise<LongLivedCount> => {
      const readPage = async (place: { readonly cursor?: string }) => {
        const query = { lifetimeOverDays: days, limit: PAGE_KEYS, ...place };
        return (await api.GET('/v1/keys', { params: { query }, signal })).data;
      };
      const { items, isPartial } = await readAllPages(readPage, PAGES_MAX);
      return { count: items.length, isOpen: isPartial };
    },
  });
}
