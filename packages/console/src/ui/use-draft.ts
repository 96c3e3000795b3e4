import { useState } from 'react';
import { isSame } from './is-same.ts';

/** The names of the values that differ from the saved ones. */
export function changedNames<Values extends object>(
  saved: Values,
  draft: Partial<Values>,
): readonly (keyof Values & string)[] {
  return (Object.keys(draft) as (keyof Values & string)[]).filter(
    (name) => !isSame(draft[name], saved[name]),
  );
}

export interface Draft<Saved, Values extends object> {
  /** What the draft was begun on: an edit names its version, so that nobody's later one is overwritten unseen. */
  readonly base: Saved;
  /** The saved values with what was changed. */
  readonly values: Values;
  readonly changed: readonly (keyof Values & string)[];
  readonly set: <Name extends keyof Values>(name: Name, value: Values[Name]) => void;
  readonly forget: (next: Saved) => void;
  /** Goes on over what somebody else has saved. */
  readonly rebase: (next: Saved) => void;
}

/** What a person has changed of something saved, and not saved yet. */
export function useDraft<Saved, Values extends object>(
  saved: Saved,
  toValues: (saved: Saved) => Values,
): Draft<Saved, Values> {
  const [drafting, setDrafting] = useState<{ base: Saved; draft: Partial<Values> }>({
    base: saved,
    draft: {},
  });
  const changed = changedNames(toValues(drafting.base), drafting.draft);
  // Nothing of one's own: then the newest there is, as it comes in.
  const { base, draft } = changed.length === 0 ? { base: saved, draft: {} } : drafting;
  return {
    base,
    changed,
    values: { ...toValues(base), ...draft },
    set: (name, value) => setDrafting({ base, draft: { ...draft, [name]: value } }),
    forget: (next) => setDrafting({ base: next, draft: {} }),
    rebase: (next) => setDrafting((before) => ({ ...before, base: next })),
  };
}
