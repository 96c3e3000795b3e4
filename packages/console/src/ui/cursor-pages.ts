import { useState } from 'react';

/** The way through a list with cursors: forward by the cursor of a page, back by the ones passed. */
export interface CursorPages {
  readonly cursor: string | undefined;
  /** How many pages lie before this one. */
  readonly index: number;
  readonly forward: (nextCursor: string) => void;
  readonly back: () => void;
}

/** `name` names the list with its filters and order: another one begins at its first page. */
export function useCursorPages(name: string): CursorPages {
  const [state, setState] = useState<{ name: string; passed: readonly string[] }>({ name, passed: [] });
  const passed = state.name === name ? state.passed : [];
  return {
    cursor: passed.at(-1),
    index: passed.length,
    forward: (nextCursor) => setState({ name, passed: [...passed, nextCursor] }),
    back: () => setState({ name, passed: passed.slice(0, -1) }),
  };
}
