import { useEffect, useRef } from 'react';

/**
 * Gives the focus back to what opened a flow of several dialogs, once the last of them has closed. Each dialog
 * alone would return it to a button of the one before, which is gone by then.
 */
export function useReturnFocus(isOpen: boolean): void {
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    if (isOpen) {
      opener.current = document.activeElement;
      return;
    }
    if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
    opener.current = null;
  }, [isOpen]);
}
