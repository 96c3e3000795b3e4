import type { Key } from '@keyreeve/sdk';
import { isForPackages, type KeyDraft, resourcesOfDraft } from './edit-key-draft.ts';
import { COMMENT_CHARACTERS_MAX, PATTERNS_MAX } from './key-limits.ts';
import { findLimitsFaults } from './limits-draft.ts';
import { findPatternFault } from './pattern-list.ts';

export type EditFault =
  | { readonly kind: 'comment' | 'limits' }
  | { readonly kind: 'scopeEmpty' | 'scopePattern'; readonly scope: number }
  | { readonly kind: 'tooMany'; readonly count: number };

/** What can be told before anything is sent. */
export function findFaults(base: Key, draft: KeyDraft): readonly EditFault[] {
  const faults: EditFault[] = [];
  const comment = draft.comment.trim();
  if (comment === '' || comment.length > COMMENT_CHARACTERS_MAX) faults.push({ kind: 'comment' });
  if (findLimitsFaults(draft.limits).size > 0) faults.push({ kind: 'limits' });
  let count = 0;
  for (const [index, scope] of base.scopes.entries()) {
    const isPackages = isForPackages(scope);
    const scopeDraft = draft.scopes[index];
    if (scopeDraft === undefined) continue;
    const resources = resourcesOfDraft(scopeDraft, isPackages);
    count += resources.length;
    if (resources.length === 0) faults.push({ kind: 'scopeEmpty', scope: index });
    if (resources.some((pattern) => findPatternFault(pattern, isPackages) !== null))
      faults.push({ kind: 'scopePattern', scope: index });
  }
  if (count > PATTERNS_MAX) faults.push({ kind: 'tooMany', count });
  return faults;
}
