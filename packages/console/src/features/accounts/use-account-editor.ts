import type { KeyLimitsInput } from '@keyreeve/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { isStale } from '../../api/is-stale.ts';
import { currentLanguage, type Language } from '../../i18n/i18n.ts';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import type { FieldFaults } from '../../ui/field-faults.ts';
import { useDraft } from '../../ui/use-draft.ts';
import { type LimitsDraft, toLimits } from '../keys/limits-draft.ts';
import type { Seen } from './accounts-queries.ts';

/** How one kind of account becomes fields of a form and back. */
export interface AccountKit<A extends Seen, Values extends object> {
  readonly fields: readonly (keyof Values & string)[];
  readonly toValues: (account: A) => Values;
  /** Sends the changed fields alone. */
  readonly save: (seen: Seen, values: Values, changed: readonly (keyof Values & string)[]) => Promise<A>;
  readonly reload: (id: string) => Promise<A>;
}

/** The changed fields as the API takes them: texts without blanks around, null for a `nullable` one that is empty. */
export function toPatch<Values extends object>(
  values: Values,
  changed: readonly (keyof Values & string)[],
  nullable: readonly (keyof Values & string)[],
): { [Name in keyof Values]?: Values[Name] | null } {
  const fields = changed.map((name) => {
    const value: unknown = values[name];
    const text = typeof value === 'string' ? value.trim() : value;
    return [name, text === '' && nullable.includes(name) ? null : text] as const;
  });
  return Object.fromEntries(fields) as { [Name in keyof Values]?: Values[Name] | null };
}

/** Limits are edited as texts, and sent as numbers. */
export function withLimits<Patch extends { readonly keyLimits?: unknown }>(
  patch: Patch,
  draft: LimitsDraft,
): Omit<Patch, 'keyLimits'> & { readonly keyLimits?: KeyLimitsInput | null } {
  const { keyLimits, ...others } = patch;
  return keyLimits === undefined ? others : { ...others, keyLimits: toLimits(draft) };
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

/** A draft of one account, its way to the server, and what happens when somebody else was faster. */
export function useAccountEditor<A extends Seen, Values extends object>(
  account: A,
  kit: AccountKit<A, Values>,
): AccountEditor<A, Values> {
  const { base, changed, values, set, forget, rebase } = useDraft(account, kit.toValues);
  const [conflict, setConflict] = useState<{ now: A; base: A } | null>(null);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const sending = useMutation({
    mutationFn: async (seen: Seen): Promise<{ readonly saved: A } | { readonly now: A }> => {
      try {
        return { saved: await kit.save(seen, values, changed) };
      } catch (error) {
        if (!isStale(error)) throw error;
        return { now: await kit.reload(account.id) };
      }
    },
    onMutate: () => setTouched(new Set()),
    onSuccess: (answer) => {
      if ('saved' in answer) forget(answer.saved);
      setConflict('now' in answer ? { now: answer.now, base } : null);
    },
    onError: () => setConflict(null),
  });
  const send = (seen: Seen) =>
    sending.mutateAsync(seen).then(
      (answer) => 'saved' in answer,
      () => false,
    );
  const { error } = sending;
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

/** A field of the form, as the parts that draw it take it. */
export function bindField<A extends Seen, Values extends object>({
  values,
  faults,
  set,
}: AccountEditor<A, Values>) {
  return <Name extends keyof Values & string>(name: Name) => ({
    value: values[name],
    error: faults.of(name),
    onChange: (value: Values[Name]) => set(name, value),
  });
}
