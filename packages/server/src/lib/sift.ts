import { type CursorValues, encodeCursor, type Page, toPage } from './page.ts';
import { nextTurn } from './turns.ts';

/** Some rows of a list, one after the other, of which not all fit. */
export interface Stretch<Row> {
  /** All rows of the stretch that fit, or at least as many of the first of them as were wanted. */
  readonly rows: readonly Row[];
  /** Where the stretch ends, whether the row there fits or not; null when it is the last one. */
  readonly end: CursorValues | null;
  /** How many rows were looked at one by one, where that is what takes long. */
  readonly rowsRead?: number;
}

/** Looks at the next stretch behind `after`, of whatever length, for rows that neither an index nor SQL alone finds. */
export type ReadStretch<Row> = (after: CursorValues | null, wanted: number) => Promise<Stretch<Row>>;

export interface SiftBounds {
  readonly limit: number;
  readonly stretchesMax: number;
  readonly rowsReadMax?: number;
}

export interface Sifted<Row> {
  /** `limit` of them or some more; fewer only when the search stopped, or when there are no others. */
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
  read: ReadStretch<Row>,
  start: CursorValues | null,
  { limit, stretchesMax, rowsReadMax = Number.POSITIVE_INFINITY }: SiftBounds,
): Promise<Sifted<Row>> {
  const rows: Row[] = [];
  let after = start;
  let rowsRead = 0;
  for (let stretches = 0; stretches < stretchesMax && rowsRead < rowsReadMax; stretches += 1) {
    const stretch = await read(after, limit - rows.length);
    rows.push(...stretch.rows);
    if (rows.length >= limit || stretch.end === null) return { rows, stoppedAt: null };
    after = stretch.end;
    rowsRead += stretch.rowsRead ?? 0;
    await nextTurn();
  }
  return { rows, stoppedAt: after };
}

/**
 * A page from `limit + 1` sifted rows or more. It may hold fewer than `limit` and still have a next one: where the search
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
