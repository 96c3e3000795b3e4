import { useId, useLayoutEffect, useSyncExternalStore } from 'react';

/** The open dialogs, the topmost last. */
let open: readonly string[] = [];
const listeners = new Set<() => void>();

function set(next: readonly string[]): void {
  open = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export interface DialogOrder {
  /** How many dialogs lie below this one. */
  readonly level: number;
  /** Only the topmost is closed by Escape; one below it may hold what somebody has typed. */
  readonly isTop: boolean;
}

/** Dialogs lie on each other in the order in which they open, wherever in the page they are written. */
export function useDialogOrder(isOpen: boolean): DialogOrder {
  const id = useId();
  useLayoutEffect(() => {
    if (isOpen) set([...open, id]);
    return () => {
      if (open.includes(id)) set(open.filter((each) => each !== id));
    };
  }, [isOpen, id]);
  const all = useSyncExternalStore(subscribe, () => open);
  return { level: Math.max(0, all.indexOf(id)), isTop: all.at(-1) === id };
}
