import { useDeferredValue, useState } from 'react';
import type { CursorPages } from './cursor-pages.ts';

export interface ShownPage<Page> {
  readonly page: Page | undefined;
  /** How many pages lie before the one that is shown. */
  readonly index: number;
  /** The number of its first row, from 1. */
  readonly from: number;
  /** The page that was asked for is still on its way. */
  readonly isStale: boolean;
  /** A step through the pages that does nothing while the page is stale. */
  readonly turn: (step: () => void) => () => void;
}

/**
 * What is on the screen: while the next page loads, the one before, with its own numbers. Its cursor leads on from a
 * page that the person has already left, so that nothing can be turned until the new one is there. The query keeps
 * what it had as placeholder.
 */
export function useShownPage<Page>(
  query: { readonly data: Page | undefined; readonly isPlaceholderData: boolean },
  pages: CursorPages,
  rows: number,
): ShownPage<Page> {
  // The answer is drawn between clicks and keys, not before them.
  const page = useDeferredValue(query.data);
  const [shown, setShown] = useState({ index: pages.index, rows });
  const isStale = query.isPlaceholderData || page !== query.data;
  if (!isStale && (shown.index !== pages.index || shown.rows !== rows))
    setShown({ index: pages.index, rows });
  return {
    page,
    index: shown.index,
    from: shown.index * shown.rows + 1,
    isStale,
    turn: (step) => () => {
      if (isStale) return;
      step();
      globalThis.scrollTo({ top: 0 });
    },
  };
}
