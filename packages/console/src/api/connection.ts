import { useSyncExternalStore } from 'react';

/** Whether the server answers, as the calls of this page find out. */
export interface Connection {
  readonly isOffline: boolean;
  /** Milliseconds since 1970 of the last answer, or null before the first. */
  readonly answeredAt: number | null;
}

let connection: Connection = { isOffline: false, answeredAt: null };
const listeners = new Set<() => void>();

function set(next: Connection): void {
  connection = next;
  for (const listener of listeners) listener();
}

export function noteAnswer(): void {
  // Not each answer wakes the page: only the way back, and the time for the line that is shown offline.
  if (connection.isOffline) set({ isOffline: false, answeredAt: Date.now() });
  else connection = { isOffline: false, answeredAt: Date.now() };
}

export function noteSilence(): void {
  if (!connection.isOffline) set({ ...connection, isOffline: true });
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );
}
