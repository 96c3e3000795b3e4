import type { SignedIn } from '@keyreeve/sdk';
import { KeyreeveError } from '@keyreeve/sdk';
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { adoptLanguage } from '../i18n/i18n.ts';
import { plainApi } from './client.ts';
import { noteSignedIn } from './reauthentication.ts';

/** Who is signed in, or null. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<SignedIn | null> => {
    try {
      const { data } = await plainApi.GET('/v1/session');
      noteSignedIn(true);
      await adoptLanguage(data.account.locale);
      return data;
    } catch (error) {
      if (error instanceof KeyreeveError && error.status === 401) {
        noteSignedIn(false);
        return null;
      }
      throw error;
    }
  },
  staleTime: 5 * 60_000,
});

/** The person of this page. Only below the shell, which is shown to nobody else. */
export function useSession(): SignedIn {
  const { data } = useSuspenseQuery(sessionQuery);
  if (data === null) throw new Error('The shell is drawn for signed-in people only.');
  return data;
}

export function useIsAdmin(): boolean {
  return useSession().account.role === 'admin';
}
