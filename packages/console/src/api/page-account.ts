import { useSyncExternalStore } from 'react';

/** Names the account of the page in each request; the server refuses the session of any other. */
export const EXPECTED_ACCOUNT_HEADER = 'Keyreeve-Expected-Account';

/** A page is drawn for one account as long as it lives; the next one gets a page of its own. */
let accountId: string | null = null;
let isOther = false;
const listeners = new Set<() => void>();
let channel: BroadcastChannel | null = null;

/** For whom this page was drawn; null as long as nobody is known to be signed in. */
export function accountOfPage(): string | null {
  return accountId;
}

/**
 * Keeps for whom the page is. The other tabs of the browser are told that somebody has come, and `onArrival` is
 * called when somebody comes there: all of them share one session.
 */
export function notePageAccount(id: string, onArrival: () => void): void {
  if (accountId !== null) return;
  accountId = id;
  channel = new BroadcastChannel('keyreeve.session');
  channel.addEventListener('message', onArrival);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A channel reaches its own origin only.
  channel.postMessage('arrived');
}

/** Somebody else is signed in now: nothing of the page is shown any more. */
export function noteOtherAccount(): void {
  isOther = true;
  for (const listener of listeners) listener();
}

export function useIsOtherAccount(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isOther,
  );
}
