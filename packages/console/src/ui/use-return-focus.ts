import { useEffect, useRef } from 'react';

/** An entry of a menu is gone once it was chosen; what opened the menu stays. */
function findOpener(): Element | null {
  const { activeElement } = document;
  const menuId = activeElement?.closest('[role="menu"]')?.id;
  if (menuId === undefined || menuId === '') return activeElement;
  return document.querySelector(`[aria-controls="${CSS.escape(menuId)}"]`) ?? activeElement;
}

/**
 * Gives the focus back to what opened a flow of several dialogs, once the last of them has closed. Each dialog
 * alone would return it to a button of the one before, which is gone by then. When the opener has gone with the
 * thing that it belonged to, the content of the page gets the focus.
 */
export function useReturnFocus(isOpen: boolean): void {
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    if (isOpen) {
      opener.current = findOpener();
      return;
    }
    const last = opener.current;
    opener.current = null;
    if (!(last instanceof HTMLElement)) return;
    if (last.isConnected) last.focus();
    else document.getElementById('content')?.focus({ preventScroll: true });
  }, [isOpen]);
}
