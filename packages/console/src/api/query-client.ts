import { KeyreeveError } from '@keyreeve/sdk';
import { QueryClient } from '@tanstack/react-query';

const RETRIES_MAX = 2;

/** A refusal stays a refusal; only silence and faults of the server are worth asking again. */
function isWorthRetrying(failures: number, error: Error): boolean {
  const isRefusal = error instanceof KeyreeveError && error.status < 500;
  return !isRefusal && failures < RETRIES_MAX;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: isWorthRetrying, staleTime: 15_000, refetchOnWindowFocus: true, networkMode: 'always' },
    // A change is never sent twice on its own, and what it answered is not kept: it may hold a secret.
    mutations: { retry: false, gcTime: 0, networkMode: 'always' },
  },
});
