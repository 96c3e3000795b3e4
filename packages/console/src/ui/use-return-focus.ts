import { useEffect, useRef } from 'react';

/**
 * Gives the focus back to what opened a flow of several dialogs, once the last of them has closed. Each dialog
 * alone would return it to a button of the one before, which is gone by then. When the opener has gone with the
 * thing that it belonged to, the content of the page gets the focus.
 */
export function useReturnFocus(isOpen: boolean): void {
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    if (isOpen) {
      opener.current = document.activeElement;
      return;
    }
    const last = opener.current;
    opener.current = null;
    if (!(last instanceof HTMLElement)) return;
    if (last.isConnected) last.focus();
    else document.getElementById('content')?.focus({ preventScroll: true });
  }, [isOpen]);
}
