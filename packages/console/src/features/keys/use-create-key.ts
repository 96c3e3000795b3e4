import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.ts';
import { describeError, isOutcomeUnknown } from '../../errors/describe-error.ts';
import { currentLanguage } from '../../i18n/i18n.ts';
import { useIsMounted } from '../../ui/use-is-mounted.ts';
import {
  type DraftFacts,
  type DraftFault,
  type FieldName,
  findDraftFaults,
  type KeyDraft,
  type KeyPreset,
  placeOfField,
  startDraft,
  toBody,
} from './create-key-draft.ts';
import { refreshKeys } from './key-calls.ts';
import { type SealedKey, sealKey } from './secret-box.ts';

/** What is wrong with a field: the name of a word, or a sentence about what the server found. */
export type FormFault = { readonly word: DraftFault } | { readonly message: string };

export interface KeyForm {
  readonly draft: KeyDraft;
  readonly change: (patch: Partial<KeyDraft>) => void;
  readonly faultOf: (field: FieldName) => FormFault | null;
  /** A refusal that belongs to no field. */
  readonly refusal: unknown;
  /** Counts the refused attempts: each takes the focus to what is wrong. */
  readonly refusedCount: number;
  readonly isBusy: boolean;
  readonly submit: (facts: SubmitFacts) => void;
  /** Forgets what was typed. */
  readonly reset: () => void;
}

export interface FieldProps {
  readonly form: KeyForm;
  /** What is wrong with a field, in words; null when nothing is. */
  readonly wordOf: (field: FieldName) => string | null;
}

interface SubmitFacts extends DraftFacts {
  readonly accountId: string;
}

/** Faults of these fields are answered by a change of that part of the draft. */
const FIELDS_OF: Readonly<Record<keyof KeyDraft, readonly string[]>> = {
  comment: ['comment'],
  lifetimeDays: ['lifetimeDays'],
  customDays: ['lifetimeDays'],
  access: ['permissions', 'patterns', 'pattern', 'other', 'ownerId'],
  ownerId: ['ownerId', 'patterns'],
  push: ['permissions', 'patterns', 'pattern'],
  mayUnlist: ['permissions', 'patterns', 'pattern'],
  patterns: ['permissions', 'patterns', 'pattern'],
  patternText: [],
  singles: ['permissions', 'patterns'],
  others: ['permissions', 'other'],
  ipText: ['ipRanges'],
  limits: ['limits'],
  sendsMail: ['mailTo'],
  mailTo: ['mailTo'],
};

type Faults = ReadonlyMap<FieldName, FormFault>;
const NO_FAULTS: Faults = new Map();

/** Faults of the server by their place in the dialog; null when one of them has none, and all must be said. */
function placeFaults(error: unknown, draft: KeyDraft): Faults | null {
  const faults = new Map<FieldName, FormFault>();
  for (const { field, message } of describeError(error, currentLanguage()).fields) {
    const place = placeOfField(field, draft);
    if (place === null) return null;
    if (!faults.has(place)) faults.set(place, { message });
  }
  return faults.size === 0 ? null : faults;
}

/**
 * The state of the dialog. It outlives a refusal and a closed dialog, so that nothing typed is lost, and begins
 * anew after a key was made. `onMinted` gets the secret in its box; nothing else ever holds it.
 */
export function useCreateKey(preset: KeyPreset | undefined, onMinted: (minted: SealedKey) => void): KeyForm {
  const [draft, setDraft] = useState(() => startDraft(preset));
  const [faults, setFaults] = useState<Faults>(NO_FAULTS);
  const [refusal, setRefusal] = useState<unknown>(null);
  const [refusedCount, setRefusedCount] = useState(0);
  const isMounted = useIsMounted();
  const refuse = (found: Faults, error: unknown) => {
    setFaults(found);
    setRefusal(error);
    setRefusedCount((count) => count + 1);
  };
  const create = useMutation({
    mutationFn: async ({ accountId, lifetimeDays }: SubmitFacts): Promise<SealedKey> => {
      const body = toBody(draft, lifetimeDays ?? undefined);
      const { data } = await api.POST('/v1/accounts/{id}/keys', {
        params: { path: { id: accountId } },
        body,
      });
      return sealKey(data);
    },
    onSuccess: (minted) => {
      // Nobody is left who could copy it: the page was left while the answer was on its way.
      if (!isMounted.current) minted.box.wipe();
      else onMinted(minted);
      setDraft(startDraft(preset));
      setRefusal(null);
      void refreshKeys();
    },
    onError: (error) => {
      if (isOutcomeUnknown(error)) void refreshKeys();
      const found = placeFaults(error, draft);
      refuse(found ?? NO_FAULTS, found === null ? error : null);
    },
  });
  return {
    draft,
    change: (patch) => {
      setDraft((before) => ({ ...before, ...patch }));
      setFaults((before) => withoutAnswered(before, patch));
    },
    faultOf: (field) => faults.get(field) ?? null,
    refusal,
    refusedCount,
    isBusy: create.isPending,
    submit: (facts) => {
      const found = findDraftFaults(draft, facts);
      if (found.size === 0) {
        setFaults(NO_FAULTS);
        create.mutate(facts);
      } else refuse(new Map([...found].map(([field, word]) => [field, { word }])), null);
    },
    reset: () => {
      setDraft(startDraft(preset));
      setFaults(NO_FAULTS);
      setRefusal(null);
    },
  };
}

function withoutAnswered(faults: Faults, patch: Partial<KeyDraft>): Faults {
  const answered = Object.keys(patch).flatMap((part) => FIELDS_OF[part as keyof KeyDraft]);
  const rest = [...faults].filter(([field]) => !answered.includes(field.split(/[:.]/)[0] ?? ''));
  return rest.length === faults.size ? faults : new Map(rest);
}
