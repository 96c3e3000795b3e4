import type { SignedIn } from '@keyreeve/sdk';
import { KeyreeveError } from '@keyreeve/sdk';
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { adoptLanguage } from '../i18n/i18n.ts';
import { plainApi, withConnection } from './client.ts';
import { notePageAccount } from './page-account.ts';
import { queryClient } from './query-client.ts';
import { awaitSignIn, endWaiting } from './reauthentication.ts';

const SESSION_KEY = ['session'] as const;

function checkSession(): void {
  void queryClient.invalidateQueries({ queryKey: SESSION_KEY });
}

/**
 * Who is signed in, or null. Once somebody is, the page stays that person's: when the session has ended it asks for
 * the password over what is shown, and for another person it is not shown any more.
 */
export const sessionQuery = queryOptions({
  queryKey: SESSION_KEY,
  queryFn: async (): Promise<SignedIn | null> => {
    const known = queryClient.getQueryData<SignedIn | null>(SESSION_KEY) ?? null;
    try {
      const ask = () => plainApi.GET('/v1/session');
      // Only the shell says that the server is silent, and asks again; a page before it would wait for ever.
      const { data } = await (known === null ? ask() : withConnection(ask));
      notePageAccount(data.account.id, checkSession);
      // The person may have signed in again in another tab.
      endWaiting();
      await adoptLanguage(data.account.locale);
      return data;
    } catch (error) {
      const isRefused = error instanceof KeyreeveError && error.status < 500;
      if (known !== null && isRefused) {
        if (error.status === 401) void awaitSignIn();
        return known;
      }
      if (isRefused && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 5 * 60_000,
  refetchOnWindowFocus: 'always',
});

/** The person of this page; null for a visitor of the gallery. */
export function useSignedIn(): SignedIn | null {
  return useSuspenseQuery(sessionQuery).data;
}

/** The person of this page. Only on pages that visitors do not see. */
export function useSession(): SignedIn {
  const data = useSignedIn();
  if (data === null) throw new Error('This page is drawn for signed-in people only.');
  return data;
}

export function useIsAdmin(): boolean {
  return useSession().account.role === 'admin';
}
