import type { Key, MintedKey } from '@keyreeve/sdk';

export type SecretKind = 'apiKey' | 'secretKey' | 'fullKey';

/** After so long without any input nobody is there to copy, or somebody else may be. */
export const IDLE_MS = 10 * 60_000;

/**
 * The only holder of a secret in the page. Whatever draws or copies one reads it here at that moment and keeps
 * nothing; state, props and caches hold the box, and a wiped box holds nothing either.
 */
export interface SecretBox {
  /** The public half, which stays. */
  readonly apiKey: string;
  /** The value, or null once it is gone. Keep it in no state, prop or closure, and match no RegExp on it. */
  readonly read: (kind: SecretKind) => string | null;
  /** Forgets the secret for good. */
  readonly wipe: () => void;
  readonly isGone: () => boolean;
  /** Milliseconds since 1970 at which the box wipes itself, unless there is input before. */
  readonly idleEndsAt: () => number;
  /** Calls when the secret is gone. Returns what ends the subscription. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** A fresh key without its secret, and the box that holds that. */
export interface SealedKey {
  readonly key: Key;
  readonly box: SecretBox;
}

const LAST_MATCH_CLEANER = /^$/;

const INPUTS = ['pointerdown', 'pointermove', 'wheel', 'touchstart', 'keydown', 'input', 'click'] as const;
const PASSIVE = { capture: true, passive: true } as const;

interface IdleWatch {
  readonly endsAt: () => number;
  readonly stop: () => void;
}

/** Calls once when there was no input for `IDLE_MS`, or when the page is left. */
function watchIdle(onIdle: () => void): IdleWatch {
  let endsAt = Date.now() + IDLE_MS;
  let timer = setTimeout(check, IDLE_MS);
  function check(): void {
    const leftMs = endsAt - Date.now();
    if (leftMs <= 0) onIdle();
    else timer = setTimeout(check, leftMs);
  }
  const onInput = () => {
    // A machine that slept through the time wakes with this very input, before its timers.
    if (Date.now() >= endsAt) onIdle();
    else endsAt = Date.now() + IDLE_MS;
  };
  for (const type of INPUTS) globalThis.addEventListener(type, onInput, PASSIVE);
  globalThis.addEventListener('pagehide', onIdle);
  return {
    endsAt: () => endsAt,
    stop: () => {
      clearTimeout(timer);
      for (const type of INPUTS) globalThis.removeEventListener(type, onInput, PASSIVE);
      globalThis.removeEventListener('pagehide', onIdle);
    },
  };
}

/** Takes a secret in. `apiKey` is the public text that names it. */
export function boxSecret(apiKey: string, secretKey: string): SecretBox {
  let secret: string | null = secretKey;
  const listeners = new Set<() => void>();
  const wipe = () => {
    if (secret === null) return;
    secret = null;
    // The engine keeps the last text that any RegExp was matched on, and a snippet checks the secret with one.
    LAST_MATCH_CLEANER.test('');
    watch.stop();
    for (const listener of listeners) listener();
  };
  const watch = watchIdle(wipe);
  return Object.freeze({
    apiKey,
    read: (kind: SecretKind) => {
      if (kind === 'apiKey') return apiKey;
      if (secret === null) return null;
      return kind === 'secretKey' ? secret : `${apiKey}_${secret}`;
    },
    wipe,
    isGone: () => secret === null,
    idleEndsAt: () => watch.endsAt(),
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
}

/** One line of a secret of several, from 0; null once it is gone. */
export function readLine(box: SecretBox, line: number): string | null {
  return box.read('secretKey')?.split('\n')[line] ?? null;
}

/**
 * Moves the secret of an answer into a box. Called inside the function of the mutation, so that what React and the
 * caches get to see has never held it; the answer's own fields are emptied, for whatever else still points at it.
 */
export function sealKey(answer: MintedKey): SealedKey {
  const box = boxSecret(answer.apiKey, answer.secretKey);
  answer.secretKey = '';
  answer.fullKey = '';
  return { key: answer.key, box };
}
