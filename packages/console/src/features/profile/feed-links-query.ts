import type { components } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { boxSecret, type SecretBox } from '../keys/secret-box.ts';

export type FeedLink = components['schemas']['FeedLink'];

/** So many links an account has at most, so one page holds them. */
export const FEED_LINKS_MAX = 10;

export const feedLinksQuery = queryOptions({
  queryKey: ['feed-links'],
  queryFn: async ({ signal }): Promise<readonly FeedLink[]> =>
    (await api.GET('/v1/feed-links', { signal })).data.items,
});

/** Makes a link. Its box holds two lines: the address of the calendar and that of the Atom feed. */
export async function createFeedLink(scope: FeedLink['scope']): Promise<SecretBox> {
  const { data } = await api.POST('/v1/feed-links', { body: { scope } });
  const box = boxSecret(data.id, `${data.calendarUrl}\n${data.atomUrl}`);
  data.calendarUrl = '';
  data.atomUrl = '';
  return box;
}

export async function deleteFeedLink(id: string): Promise<void> {
  await api.DELETE('/v1/feed-links/{id}', { params: { path: { id } } });
}
