import { paginate, type ServiceAccount, type SignedIn } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';

/** For whom a key is made. */
export interface KeyAccount {
  readonly id: string;
  readonly kind: 'user' | 'service';
  readonly displayName: string;
  readonly email: string | null;
}

const PAGE_ACCOUNTS = 200;

async function findManaged(accountId: string, { account, managedIds }: SignedIn, signal: AbortSignal) {
  if (accountId === account.id)
    return await Promise.all(
      managedIds.map(
        async (id) => (await api.GET('/v1/service-accounts/{id}', { params: { path: { id } }, signal })).data,
      ),
    );
  const managed: ServiceAccount[] = [];
  const pages = paginate((page) =>
    api.GET('/v1/service-accounts', {
      params: { query: { limit: PAGE_ACCOUNTS, state: 'active', ...page } },
      signal,
    }),
  );
  for await (const service of pages) if (service.managers.includes(accountId)) managed.push(service);
  return managed;
}

/** The service accounts for which a key of this account may act: those that it manages. */
export function ownersQuery(account: KeyAccount, signedIn: SignedIn) {
  return queryOptions({
    queryKey: ['service-accounts', 'managed-by', account.id],
    queryFn: async ({ signal }): Promise<readonly ServiceAccount[]> => {
      const managed = await findManaged(account.id, signedIn, signal);
      return managed.filter((service) => service.state === 'active');
    },
    enabled: account.kind === 'user',
  });
}
