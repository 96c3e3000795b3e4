import { type AuditEntry, type Key, KeyreeveError } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { singleNamesOf } from './edit-key-draft.ts';

/** The key as it was saved when the form was opened, and which of its single names are packages today. */
export interface EditBase {
  readonly key: Key;
  readonly existing: readonly string[];
}

export async function readKey(keyId: string, signal?: AbortSignal): Promise<Key> {
  const init = { params: { path: { keyId } }, ...(signal === undefined ? {} : { signal }) };
  return (await api.GET('/v1/keys/{keyId}', init)).data;
}

async function findExisting(key: Key, signal: AbortSignal): Promise<readonly string[]> {
  const names = [...singleNamesOf(key)];
  if (names.length === 0) return [];
  try {
    const body = { ownerId: key.ownerId, patterns: names };
    const { data } = await api.POST('/v1/packages/coverage', { body, signal });
    return data.groups.filter(({ count }) => count > 0).map(({ pattern }) => pattern);
  } catch (error) {
    // Whose packages one may not see, cannot be ticked; the names then stand among the patterns.
    if (error instanceof KeyreeveError && error.status < 500) return [];
    throw error;
  }
}

/**
 * Read once for each opening and never again behind the form: an edit must name the version that the person has
 * seen. Hence a key of its own, which no change of keys makes stale.
 */
export function editBaseQuery(keyId: string, opening: string) {
  return queryOptions({
    queryKey: ['edited-key', keyId, opening],
    queryFn: async ({ signal }): Promise<EditBase> => {
      const key = await readKey(keyId, signal);
      return { key, existing: await findExisting(key, signal) };
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

/** Who saved the key last, where the person may read the audit log. */
export async function findLastChange(keyId: string): Promise<AuditEntry | null> {
  try {
    const { data } = await api.GET('/v1/audit', { params: { query: { key: keyId, limit: 20 } } });
    return data.items.find(({ action }) => action.startsWith('key.')) ?? null;
  } catch {
    return null; // An extra; the instant of the change stands in the key itself.
  }
}
