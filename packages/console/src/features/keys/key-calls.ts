import type { BodyOf, Key, KeyUsage } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { say } from '../../i18n/words.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { keyDialogsWords } from './key-dialogs.words.ts';
import { type SealedKey, sealKey } from './secret-box.ts';

/** What shows keys, or counts them. */
const CHANGED_WITH_KEYS = ['keys', 'users', 'service-accounts', 'overview', 'packages', 'audit'];

/** After every change of a key. */
export async function refreshKeys(): Promise<void> {
  await Promise.all(CHANGED_WITH_KEYS.map((noun) => queryClient.invalidateQueries({ queryKey: [noun] })));
}

function pathOf(keyId: string) {
  return { params: { path: { keyId } } };
}

export async function enableKey(keyId: string): Promise<void> {
  await api.POST('/v1/keys/{keyId}/enable', pathOf(keyId));
}

/** Disables a key and says so, with the way back in the message. */
export async function disableKey(keyId: string, reason: string): Promise<void> {
  const body = reason === '' ? {} : { reason };
  await api.POST('/v1/keys/{keyId}/disable', { ...pathOf(keyId), body });
  notifyDone(say(keyDialogsWords, 'disabled'), () => {
    enableKey(keyId).then(refreshKeys, notifyFailure);
  });
}

export async function deleteKey(keyId: string): Promise<void> {
  await api.DELETE('/v1/keys/{keyId}', pathOf(keyId));
}

export async function endKeyOverlap(keyId: string): Promise<void> {
  await api.POST('/v1/keys/{keyId}/end-overlap', pathOf(keyId));
}

/** The secret of the answer goes into its box here, before anything else sees it. */
export async function regenerateKey(keyId: string, body: BodyOf<'regenerateKey'>): Promise<SealedKey> {
  const { data } = await api.POST('/v1/keys/{keyId}/regenerate', { ...pathOf(keyId), body });
  return sealKey(data);
}

export function keyQuery(keyId: string) {
  return queryOptions({
    queryKey: ['keys', 'one', keyId],
    queryFn: async ({ signal }): Promise<Key> =>
      (await api.GET('/v1/keys/{keyId}', { ...pathOf(keyId), signal })).data,
  });
}

/** Accepted calls of a key since the last midnight of the person's own day. */
export function callsTodayQuery(keyId: string) {
  return queryOptions({
    queryKey: ['keys', 'calls-today', keyId],
    queryFn: async ({ signal }): Promise<number> => {
      const from = new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
      const params = { ...pathOf(keyId).params, query: { from } };
      const { data } = await api.GET('/v1/keys/{keyId}/usage', { params, signal });
      return data.buckets.reduce((sum, { outcomes }) => sum + countAccepted(outcomes), 0);
    },
  });
}

function countAccepted(outcomes: KeyUsage['buckets'][number]['outcomes']): number {
  return outcomes.find(({ outcome }) => outcome === 'valid')?.count ?? 0;
}
