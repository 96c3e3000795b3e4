import { useSyncExternalStore } from 'react';

/**
 * When a session ends under a page, the calls that were refused wait here. The dialog of the shell asks for the
 * password; then each of them is sent again, so that no form loses what was typed into it.
 */
interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

let waiting: Waiting | null = null;
const listeners = new Set<() => void>();

function wake(): void {
  for (const listener of listeners) listener();
}

/** Resolves when the person has signed in again. */
export function awaitSignIn(): Promise<void> {
  if (waiting === null) {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting = { promise, resolve };
    wake();
  }
  return waiting.promise;
}

export function endWaiting(): void {
  if (waiting === null) return;
  waiting.resolve();
  waiting = null;
  wake();
}

export function useIsSessionEnded(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting !== null,
  );
}
