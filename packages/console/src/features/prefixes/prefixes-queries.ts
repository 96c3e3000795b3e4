import { ifMatch, type PackagePrefix } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';

/** One page of the reserved ids, in their order. */
export function prefixesQuery(limit: number, cursor: string | undefined) {
  return queryOptions({
    queryKey: ['prefixes', 'list', limit, cursor ?? null],
    queryFn: async ({ signal }) => {
      const query = { limit, ...(cursor === undefined ? {} : { cursor }) };
      return (await api.GET('/v1/package-prefixes', { params: { query }, signal })).data;
    },
  });
}

const refresh = () => queryClient.invalidateQueries({ queryKey: ['prefixes'] });

export async function reservePrefix(pattern: string, accountIds: readonly string[]): Promise<void> {
  await api.POST('/v1/package-prefixes', { body: { pattern, accountIds: [...accountIds] } });
  await refresh();
}

/** @throws KeyreeveError request.precondition_failed when somebody else was faster; the list is read anew then too */
export async function changePrefix(
  { id, version }: Pick<PackagePrefix, 'id' | 'version'>,
  accountIds: readonly string[],
): Promise<void> {
  try {
    await api.PATCH('/v1/package-prefixes/{id}', {
      params: { path: { id } },
      headers: ifMatch(version),
      body: { accountIds: [...accountIds] },
    });
  } finally {
    await refresh();
  }
}

export async function releasePrefix(id: string): Promise<void> {
  try {
    await api.DELETE('/v1/package-prefixes/{id}', { params: { path: { id } } });
  } finally {
    // Gone already is gone too: the list tells.
    await refresh();
  }
}

const FOUND_MAX = 20;

/** Accounts of either kind by name, address or technical name. */
export function accountsFoundQuery(q: string) {
  return queryOptions({
    queryKey: ['prefixes', 'accounts', q],
    queryFn: async ({ signal }) => {
      const query = { limit: FOUND_MAX, ...(q === '' ? {} : { q }) };
      const [users, services] = await Promise.all([
        api.GET('/v1/users', { params: { query }, signal }),
        api.GET('/v1/service-accounts', { params: { query }, signal }),
      ]);
      return [
        ...services.data.items.map(({ id, displayName, technicalName }) => ({
          id,
          displayName,
          login: technicalName,
        })),
        ...users.data.items.map(({ id, displayName, email }) => ({ id, displayName, login: email })),
      ];
    },
  });
}
