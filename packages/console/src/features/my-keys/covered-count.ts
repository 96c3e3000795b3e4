import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';

/** How many packages of an owner these patterns match now. */
export function coveredCountQuery(ownerId: string, patterns: readonly string[]) {
  return queryOptions({
    queryKey: ['packages', 'covered-count', ownerId, patterns],
    queryFn: async ({ signal }): Promise<number> => {
      const body = { ownerId, patterns: [...patterns] };
      return (await api.POST('/v1/packages/coverage', { body, signal })).data.coveredCount;
    },
    staleTime: 60_000,
    // A count is an extra; the card is whole without it.
    retry: false,
  });
}
