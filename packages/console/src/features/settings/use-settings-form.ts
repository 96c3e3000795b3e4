import { KeyreeveError, type Settings } from '@keyreeve/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type RefObject, useState } from 'react';
import { isStale } from '../../api/is-stale.ts';
import { sayFault } from '../../errors/describe-error.ts';
import type { Language } from '../../i18n/i18n.ts';
import { say, useWords } from '../../i18n/words.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { type Draft, useDraft } from '../../ui/use-draft.ts';
import { settingsWords } from './settings.words.ts';
import { faultyNames, toPatch } from './settings-draft.ts';
import { type StoredSettings, saveSettings, settingsQuery } from './settings-queries.ts';
import { wordFault } from './word-fault.ts';

type Name = keyof Settings;
type NumberName = { [K in Name]: Settings[K] extends number ? K : never }[Name];

/** What the sections of the page draw and change. */
export interface SettingsForm {
  readonly saved: Settings;
  /** The saved settings with what was changed here. */
  readonly current: Settings;
  readonly set: <N extends Name>(name: N, value: Settings[N]) => void;
  readonly isChanged: (name: Name) => boolean;
  readonly faultOf: (name: Name) => string | null;
  /** What the server found at a place within a setting, for instance `mailTexts[0].subject`. */
  readonly faultAt: (path: string) => string | null;
  /** Which entry of a list the server refused. */
  readonly faultyEntryOf: (name: Name) => number | null;
}

export interface SettingsEditor {
  readonly form: SettingsForm;
  readonly changeCount: number;
  readonly discard: () => void;
  /** Resolves to whether everything is saved. */
  readonly save: () => Promise<boolean>;
  readonly isSaving: boolean;
  /** A refusal that belongs to no field. */
  readonly problem: string | null;
  readonly wasChangedMeanwhile: boolean;
  /** Put on the form: the first faulty field in it gets the focus. */
  readonly formRef: RefObject<HTMLFormElement | null>;
}

const IMMEDIATE: readonly NumberName[] = [
  'tokenLifetimeSeconds',
  'signingKeyDays',
  'maxLifetimeDays',
  'maxKeysPerAccount',
];
const FIELDS = Object.keys({
  tokenLifetimeSeconds: true,
  signingAlgorithm: true,
  signingKeyDays: true,
  tokenResources: true,
  lifetimeChoicesDays: true,
  defaultLifetimeDays: true,
  customLifetimes: true,
  maxLifetimeDays: true,
  maxKeysPerAccount: true,
  galleryRead: true,
  maxPackagesPerAccount: true,
  maxVersionsPerPackage: true,
  maxGalleryBytesPerAccount: true,
  expiryNoticeDays: true,
  keyMail: true,
  requireAction: true,
  defaultLocale: true,
  defaultTimeZone: true,
  mailTexts: true,
  supportEmail: true,
  supportUrl: true,
} satisfies Record<Name, true>);

function isCode(error: unknown, code: string): boolean {
  return error instanceof KeyreeveError && error.code === code;
}

function serverFaultOf(error: unknown, name: Name, language: Language): string | null {
  if (name === 'keyMail' && isCode(error, 'settings.smtp_required')) return sayFault(error, language);
  return readFaults(error, language, FIELDS).of(name);
}

function entryOf(error: unknown, name: Name): number | null {
  if (!(error instanceof KeyreeveError)) return null;
  for (const { field } of error.errors) {
    const index = field.startsWith(name) ? /^[[/.](\d+)/.exec(field.slice(name.length))?.[1] : undefined;
    if (index !== undefined) return Number(index);
  }
  return null;
}

function problemOf(error: unknown, language: Language): string | null {
  if (isCode(error, 'settings.smtp_required') || isStale(error)) return null;
  return readFaults(error, language, FIELDS).rest;
}

/** Sends the draft; what the answer changes elsewhere in the console is asked for anew. */
function useSave({ base, values, forget, rebase }: Draft<StoredSettings, Settings>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      try {
        return await saveSettings(base.etag, toPatch(base.settings, values));
      } catch (error) {
        if (isStale(error)) rebase(await client.fetchQuery({ ...settingsQuery, staleTime: 0 }));
        throw error;
      }
    },
    onSuccess: (next) => {
      client.setQueryData(settingsQuery.queryKey, next);
      forget(next);
      notifyDone(say(settingsWords, 'saved'));
      for (const name of ['console', 'keys', 'users', 'service-accounts', 'packages'])
        void client.invalidateQueries({ queryKey: [name] });
    },
  });
}

/** The draft of the page over the saved settings, and the way of it to the server. */
export function useSettingsEditor(stored: StoredSettings): SettingsEditor {
  const { language } = useWords(settingsWords);
  const drafting = useDraft(stored, ({ settings }) => settings);
  // Tries to save what cannot be sent: from the first one on, all faults are told.
  const [refusedTries, setRefusedTries] = useState(0);
  const saving = useSave(drafting);
  const { error } = saving;
  const formRef = useFocusOnFault<HTMLFormElement>(error, refusedTries);
  const saved = drafting.base.settings;
  const { changed, values: current } = drafting;
  const faulty = faultyNames(current);

  const isTold = (name: Name) =>
    refusedTries > 0 || (IMMEDIATE.some((each) => each === name) && Number.isFinite(current[name]));
  const save = async (): Promise<boolean> => {
    if (faulty.length > 0) {
      setRefusedTries((tries) => tries + 1);
      return false;
    }
    try {
      await saving.mutateAsync();
      setRefusedTries(0);
      return true;
    } catch {
      return false; // Told at the fields, or above them.
    }
  };
  return {
    form: {
      saved,
      current,
      set: (name, value) => {
        drafting.set(name, value);
        if (saving.isError && !isStale(error)) saving.reset();
      },
      isChanged: (name) => changed.includes(name),
      faultOf: (name) =>
        faulty.includes(name) && isTold(name)
          ? wordFault(name, current, language)
          : serverFaultOf(error, name, language),
      faultAt: (path) => readFaults(error, language, FIELDS).of(path),
      faultyEntryOf: (name) => entryOf(error, name),
    },
    changeCount: changed.length,
    discard: () => {
      drafting.forget(stored);
      setRefusedTries(0);
      saving.reset();
    },
    save,
    isSaving: saving.isPending,
    problem: problemOf(error, language),
    wasChangedMeanwhile: isStale(error),
    formRef,
  };
}
