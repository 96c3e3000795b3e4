import type { components } from '@keyreeve/sdk';
import { useDebouncedValue } from '@mantine/hooks';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api } from '../../api/client.ts';

export type Coverage = components['schemas']['Coverage'];

const SETTLE_MS = 200;

interface Question {
  readonly ownerId: string;
  /** Patterns and single packages, only such as the server takes. */
  readonly patterns: readonly string[];
  readonly q: string;
}

function coverageQuery({ ownerId, patterns, q }: Question) {
  return queryOptions({
    queryKey: ['packages', 'coverage', ownerId, patterns, q],
    queryFn: async ({ signal }): Promise<Coverage> => {
      const body = { ownerId, patterns: [...patterns], ...(q === '' ? {} : { q }) };
      return (await api.POST('/v1/packages/coverage', { body, signal })).data;
    },
  });
}

/**
 * Which packages of an owner the patterns match now. While one types, the answer to what was typed before stays;
 * only of another owner it says nothing.
 */
export function useCoverage(question: Question) {
  const [settled] = useDebouncedValue(question, SETTLE_MS);
  return useQuery({
    ...coverageQuery(settled),
    placeholderData: (before, query) => (query?.queryKey[2] === question.ownerId ? before : undefined),
  });
}
