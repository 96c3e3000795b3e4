import type { Key } from '@keyreeve/sdk';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { useSession } from '../../api/session.ts';

const KEYS_MAX = 200;

/** The keys of one account, newest first: at most 50 live ones by the default settings, so one page holds them. */
export function accountKeysQuery(accountId: string) {
  return queryOptions({
    queryKey: ['keys', 'of', accountId],
    queryFn: async ({ signal }): Promise<readonly Key[]> => {
      const keys: Key[] = [];
      let cursor: string | undefined;
      do {
        const { data } = await api.GET('/v1/accounts/{id}/keys', {
          params: {
            path: { id: accountId },
            query: { limit: KEYS_MAX, ...(cursor === undefined ? {} : { cursor }) },
          },
          signal,
        });
        keys.push(...data.items);
        cursor = data.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return keys;
    },
  });
}

/** How many of one's own keys are expired or about to be. */
export function useKeysInTrouble(): number {
  const { account } = useSession();
  const { data } = useQuery(accountKeysQuery(account.id));
  return data?.filter((key) => key.status === 'expired' || key.status === 'expiring').length ?? 0;
}
