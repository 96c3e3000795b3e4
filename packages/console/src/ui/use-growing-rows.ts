import { startTransition, useEffect, useMemo, useState } from 'react';

/** So many rows are drawn and laid out in a few milliseconds, also by a slow machine. */
const PORTION_ROWS = 25;

/**
 * The rows of a long list that are drawn by now: the first ones at once, then portion by portion, with time for a
 * click or a key between two of them. `name` names the page of the list: what has grown stays grown while only its
 * rows change.
 */
export function useGrowingRows<Row>(name: string, rows: readonly Row[]): readonly Row[] {
  const [grown, setGrown] = useState({ name, count: PORTION_ROWS });
  const count = grown.name === name ? grown.count : PORTION_ROWS;
  useEffect(() => {
    if (count >= rows.length) return;
    startTransition(() => setGrown({ name, count: count + PORTION_ROWS }));
  }, [name, count, rows.length]);
  return useMemo(() => (count >= rows.length ? rows : rows.slice(0, count)), [rows, count]);
}
