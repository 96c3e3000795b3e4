import type { SigningKey } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';

/** More than anybody rotates in a month, after which the server forgets them. */
const KEYS_LISTED = 200;
const REFETCH_MS = 60_000;

export const signingKeysQuery = queryOptions({
  queryKey: ['settings', 'signing-keys'],
  queryFn: async ({ signal }): Promise<readonly SigningKey[]> =>
    (await api.GET('/v1/signing-keys', { params: { query: { limit: KEYS_LISTED } }, signal })).data.items,
  // Keys change their state as time goes by, without anybody's doing.
  refetchInterval: REFETCH_MS,
});

export async function rotateSigningKeys(): Promise<void> {
  await api.POST('/v1/signing-keys/rotate');
}

export async function retireSigningKey(kid: string): Promise<void> {
  await api.POST('/v1/signing-keys/{kid}/retire', { params: { path: { kid } } });
}

export async function refreshSigningKeys(): Promise<void> {
  await queryClient.invalidateQueries(signingKeysQuery);
}
