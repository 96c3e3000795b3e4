import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { currentLanguage, type Language } from '../../i18n/i18n.ts';
import type { FieldFaults } from '../../ui/field-faults.ts';
import { readCodedFaults } from '../session/coded-faults.ts';
import { isStale } from './account-actions.ts';
import type { Seen } from './accounts-queries.ts';

/** How one kind of account becomes fields of a form and back. */
export interface AccountKit<A extends Seen, Values extends object> {
  readonly fields: readonly (keyof Values & string)[];
  readonly toValues: (account: A) => Values;
  /** Sends the changed fields alone. */
  readonly save: (seen: Seen, values: Values, changed: readonly (keyof Values & string)[]) => Promise<A>;
  readonly reload: (id: string) => Promise<A>;
}

export interface AccountEditor<A extends Seen, Values extends object> {
  readonly values: Values;
  readonly changed: readonly (keyof Values & string)[];
  readonly set: <Name extends keyof Values & string>(name: Name, value: Values[Name]) => void;
  /** What the server found; silent about fields that were changed since. */
  readonly faults: FieldFaults;
  /** The last refusal, for the focus. */
  readonly error: unknown;
  readonly isSaving: boolean;
  /** Resolves to whether everything is saved. */
  readonly save: () => Promise<boolean>;
  readonly discard: () => void;
  /** The account as somebody else has saved it meanwhile, and what the draft was begun on. */
  readonly conflict: { readonly now: A; readonly base: A } | null;
  /** Goes on over what is saved now: with the draft, or without it. */
  readonly settle: (how: 'save' | 'discard' | 'later') => Promise<void>;
  /** A change beside the form has been saved, for instance of the state: it is no conflict. */
  readonly adopt: (before: Seen, after: A) => void;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

interface Drafting<A, Values> {
  /** What the draft was begun on: an edit names its version, so that nobody's later one is overwritten unseen. */
  readonly base: A;
  readonly draft: Partial<Values>;
}

function useDraft<A extends Seen, Values extends object>(account: A, kit: AccountKit<A, Values>) {
  const [drafting, setDrafting] = useState<Drafting<A, Values>>({ base: account, draft: {} });
  const saved = kit.toValues(drafting.base);
  const changed = kit.fields.filter(
    (name) => Object.hasOwn(drafting.draft, name) && !isSame(drafting.draft[name], saved[name]),
  );
  // Nothing of one's own: then the newest there is, as it comes in.
  const { base, draft } = changed.length === 0 ? { base: account, draft: {} } : drafting;
  return {
    base,
    changed,
    values: { ...kit.toValues(base), ...draft },
    set: <Name extends keyof Values>(name: Name, value: Values[Name]) =>
      setDrafting({ base, draft: { ...draft, [name]: value } }),
    forget: (next: A) => setDrafting({ base: next, draft: {} }),
    rebase: (next: A) => setDrafting({ base: next, draft }),
  };
}

/** A draft of one account, its way to the server, and what happens when somebody else was faster. */
export function useAccountEditor<A extends Seen, Values extends object>(
  account: A,
  kit: AccountKit<A, Values>,
): AccountEditor<A, Values> {
  const { base, changed, values, set, forget, rebase } = useDraft(account, kit);
  const [conflict, setConflict] = useState<{ now: A; base: A } | null>(null);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const sending = useMutation({
    mutationFn: (seen: Seen) => kit.save(seen, values, changed),
    onMutate: () => setTouched(new Set()),
    onSuccess: (saved) => {
      forget(saved);
      setConflict(null);
    },
    onError: async (error) => {
      setConflict(isStale(error) ? { now: await kit.reload(account.id), base } : null);
    },
  });
  const send = (seen: Seen) =>
    sending.mutateAsync(seen).then(
      () => true,
      () => false,
    );
  const error = isStale(sending.error) ? null : sending.error;
  return {
    values,
    changed,
    error,
    conflict,
    faults: withoutTouched(error, kit.fields, touched, currentLanguage()),
    isSaving: sending.isPending,
    set: (name, value) => {
      setTouched((before) => new Set(before).add(name));
      set(name, value);
    },
    save: () => send(base),
    discard: () => forget(account),
    settle: async (how) => {
      if (conflict === null) return;
      if (how === 'save') await send(conflict.now);
      else setConflict(null);
      if (how === 'discard') forget(conflict.now);
    },
    adopt: (before, after) => {
      if (base.version === before.version) rebase(after);
    },
  };
}

function withoutTouched(
  error: unknown,
  fields: readonly string[],
  touched: ReadonlySet<string>,
  language: Language,
): FieldFaults {
  const faults = readCodedFaults(error, language, fields, { 'account.login_taken': 'email' });
  const isTouched = (field: string) => touched.has(field.split(/[[./]/)[0] ?? field);
  return { rest: faults.rest, of: (field) => (isTouched(field) ? null : faults.of(field)) };
}
