import { queryOptions } from '@tanstack/react-query';
import { api } from './client.ts';

const COUNTED_MAX = 100;

export interface FailedMailCount {
  readonly count: number;
  /** There are more than were counted. */
  readonly isOpen: boolean;
}

/** How many mails were given up, of those that are still listed. */
export const failedMailsQuery = queryOptions({
  queryKey: ['mails', 'failed'],
  queryFn: async ({ signal }): Promise<FailedMailCount> => {
    const query = { state: 'failed', limit: COUNTED_MAX } as const;
    const { data } = await api.GET('/v1/mailbox', { params: { query }, signal });
    return { count: data.items.length, isOpen: data.nextCursor !== null };
  },
});
