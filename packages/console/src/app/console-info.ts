import { queryOptions } from '@tanstack/react-query';
import { plainApi } from '../api/client.ts';

/** Whose server this is, as anybody may know before signing in. */
export const consoleQuery = queryOptions({
  queryKey: ['console'],
  queryFn: async ({ signal }) => (await plainApi.GET('/v1/console', { signal })).data,
  staleTime: 60_000,
});
