import { type AuditEntry, type BodyOf, ifMatch, type Key, KeyreeveError } from '@keyreeve/sdk';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { api } from '../../api/client.ts';
import { editBaseQuery, findLastChange, readKey } from './edit-key-base.ts';
import { changesOf, draftOf, type KeyDraft, type ScopeDraft } from './edit-key-draft.ts';
import { refreshKeys } from './key-calls.ts';

/** Somebody has saved the key since the form was opened. */
export interface Conflict {
  readonly saved: Key;
  readonly change: AuditEntry | null;
}

interface Attempt {
  readonly version: number;
  readonly changes: BodyOf<'updateKey'>;
}

function isStale(error: unknown): boolean {
  return error instanceof KeyreeveError && error.code === 'request.precondition_failed';
}

/** Null when it was saved. A refusal because of another version is no failure: it comes back with what is saved now. */
async function saveOrFindConflict(keyId: string, { version, changes }: Attempt): Promise<Conflict | null> {
  try {
    const init = { params: { path: { keyId } }, body: changes, headers: ifMatch(version) };
    await api.PATCH('/v1/keys/{keyId}', init);
    return null;
  } catch (error) {
    if (!isStale(error)) throw error;
  }
  const [saved, change] = await Promise.all([readKey(keyId), findLastChange(keyId)]);
  return { saved, change };
}

/** The form of one key: what it began with, what is typed, saving, and a change by somebody else. */
export function useEditKey(value: Key, onSaved: () => void) {
  const opening = useId();
  const query = useQuery(editBaseQuery(value.id, opening));
  const base = query.data?.key ?? null;
  const [typed, setTyped] = useState<KeyDraft | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const draft = typed ?? (query.data === undefined ? null : draftOf(query.data.key, query.data.existing));
  // A field may change twice before it is drawn again: an added pattern also empties what was typed.
  const update = (change: (before: KeyDraft) => KeyDraft) => {
    if (draft !== null) setTyped((before) => change(before ?? draft));
  };
  const changes = base === null || draft === null ? {} : changesOf(base, draft);
  const saving = useMutation({
    mutationFn: (attempt: Attempt) => saveOrFindConflict(value.id, attempt),
    onSuccess: async (found) => {
      setConflict(found);
      if (found !== null) return;
      onSaved();
      await refreshKeys();
    },
  });
  return {
    query,
    base,
    draft,
    changes,
    isChanged: Object.keys(changes).length > 0,
    conflict,
    error: saving.error,
    isSaving: saving.isPending,
    change: (next: Partial<KeyDraft>) => update((before) => ({ ...before, ...next })),
    /** Of the scope at this place. */
    changeScope: (index: number, next: Partial<ScopeDraft>) =>
      update((before) => ({
        ...before,
        scopes: before.scopes.map((scope, at) => (at === index ? { ...scope, ...next } : scope)),
      })),
    save: () => {
      if (base !== null && !saving.isPending) saving.mutate({ version: base.version, changes });
    },
    /** Over what somebody else has saved, which the person has seen by now. */
    saveOver: (saved: Key) => {
      if (base === null || draft === null) return;
      saving.mutate({ version: saved.version, changes: changesOf(base, draft, saved) });
    },
    closeConflict: () => setConflict(null),
  };
}

export type KeyEdit = ReturnType<typeof useEditKey>;
