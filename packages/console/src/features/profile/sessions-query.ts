import type { components } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';

export type Session = components['schemas']['Session'];

const PAGE_SESSIONS = 200;
const PAGES_MAX = 5;

/** One's own sessions, newest first; more than a thousand are not shown, but signed out with the others. */
export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }): Promise<readonly Session[]> => {
    const sessions: Session[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query = { limit: PAGE_SESSIONS, ...(cursor === undefined ? {} : { cursor }) };
      const { data } = await api.GET('/v1/sessions', { params: { query }, signal });
      sessions.push(...data.items);
      if (data.nextCursor === null) break;
      cursor = data.nextCursor;
    }
    return sessions;
  },
});
