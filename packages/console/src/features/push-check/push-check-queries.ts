import type { Key, PackageCheck } from '@keyreeve/sdk';
import { useQueries } from '@tanstack/react-query';
import { accountKeysQuery } from '../../api/account-keys-query.ts';
import { createApi } from '../../api/client.ts';
import { sendFile } from '../../api/send-file.ts';
import { useSession } from '../../api/session.ts';

/** As long as the server waits for a package. */
const TIMEOUT_MS = 600_000;

export interface PackageQuestion {
  readonly file: Blob;
  readonly keyId: string;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** Sends a package and hears what a push of it with the key would get. Nothing is stored. */
export async function checkPackage({
  file,
  keyId,
  signal,
  onProgress,
}: PackageQuestion): Promise<PackageCheck> {
  const api = createApi((request) => sendFile(request, { file, onProgress }), TIMEOUT_MS);
  const params = { query: { keyId } };
  return (await api.POST('/v1/packages/dry-run/package', { params, signal })).data;
}

/** Keys of the person and of the service accounts that he manages; undefined while they are on their way. */
export function useOwnKeys(): readonly Key[] | undefined {
  const { account, managedIds } = useSession();
  return useQueries({
    queries: [account.id, ...managedIds].map(accountKeysQuery),
    combine: (answers) =>
      answers.some(({ isPending }) => isPending) ? undefined : answers.flatMap(({ data }) => data ?? []),
  });
}
