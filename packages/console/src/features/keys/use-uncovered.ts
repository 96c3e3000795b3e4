import type { ScopeDraft } from './edit-key-draft.ts';
import { findPatternFault } from './pattern-list.ts';
import { useCoverage } from './use-coverage.ts';

/** Existing packages that nothing holds yet, for the hint about `X.*`; nothing for scopes of other things. */
export function useUncovered(ownerId: string, scope: ScopeDraft | null): readonly string[] {
  const patterns = scope?.patterns.filter((pattern) => findPatternFault(pattern, true) === null) ?? [];
  const { data } = useCoverage({ ownerId, patterns: [...patterns, ...(scope?.singles ?? [])], q: '' });
  return scope === null ? [] : (data?.notCovered.packages.map(({ displayId }) => displayId) ?? []);
}
