import { type CursorValues, encodeCursor, type Page, toPage } from './page.ts';
import { nextTurn } from './turns.ts';

/** How to look for rows that no index finds. */
export interface Sieve<Row> {
  /** Where the next stretch of rows behind `after` ends, whether they fit or not; null when it is the last one. */
  findEnd(after: CursorValues | null): Promise<CursorValues | null>;
  /** At most `limit` rows that fit, behind `after` and up to `end`, that one included; null: up to the last one. */
  list(after: CursorValues | null, end: CursorValues | null, limit: number): Promise<readonly Row[]>;
}

export interface Sifted<Row> {
  readonly rows: readonly Row[];
  /** Where the search stopped before it was through; null when all rows were seen or the limit was reached. */
  readonly stoppedAt: CursorValues | null;
}

/**
 * Looks through stretch after stretch, up to a bound, and lets others have the event loop between them: both engines
 * answer one long scan without a pause. Stretches are told by where they end, not by how many rows they have: rows
 * that come meanwhile would push others out of them.
 */
export async function sift<Row>(
  sieve: Sieve<Row>,
  start: CursorValues | null,
  { limit, stretchesMax }: { readonly limit: number; readonly stretchesMax: number },
): Promise<Sifted<Row>> {
  const rows: Row[] = [];
  let after = start;
  for (let stretch = 0; stretch < stretchesMax; stretch += 1) {
    const end = await sieve.findEnd(after);
    rows.push(...(await sieve.list(after, end, limit - rows.length)));
    if (rows.length >= limit || end === null) return { rows, stoppedAt: null };
    after = end;
    await nextTurn();
  }
  return { rows, stoppedAt: after };
}

/**
 * A page from `limit + 1` sifted rows. It may hold fewer than `limit` and still have a next one: where the search
 * stopped. `order` is the name of the order in the cursor, if the list has several.
 */
export function toSiftedPage<Row>(
  { rows, stoppedAt }: Sifted<Row>,
  limit: number,
  placeOf: (row: Row) => CursorValues,
  order?: string,
): Page<Row> {
  const toValues = (place: CursorValues) => (order === undefined ? place : [order, ...place]);
  const page = toPage(rows, limit, (row) => toValues(placeOf(row)));
  if (stoppedAt === null || page.nextCursor !== null) return page;
  return { ...page, nextCursor: encodeCursor(toValues(stoppedAt)) };
}
