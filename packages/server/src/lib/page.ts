/** A page of a list. `nextCursor` is null on the last page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export const PAGE_LIMIT_DEFAULT = 50;
export const PAGE_LIMIT_MAX = 200;

/** The values of the sort columns of the last row of a page: where the next one begins. */
export type CursorValues = readonly (string | number)[];

/** Opaque to clients. It carries no right: each page is filtered by the caller's rights anew. */
export function encodeCursor(values: CursorValues): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

// What a row can hold: anything else would reach the database as a value that one of the engines refuses.
function isCursorValue(value: unknown, sample: string | number | undefined): value is string | number {
  if (typeof value === 'number') return typeof sample === 'number' && Number.isSafeInteger(value);
  return (
    typeof value === 'string' && typeof sample === 'string' && value.isWellFormed() && !value.includes('\0')
  );
}

/** Null when the text is not a cursor of as many values as `sample` has, of the same types. */
export function decodeCursor(text: string, sample: CursorValues): CursorValues | null {
  try {
    const values: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(values) || values.length !== sample.length) return null;
    return values.every((value, index) => isCursorValue(value, sample[index])) ? values : null;
  } catch {
    return null;
  }
}

/** Cuts `limit + 1` fetched rows to a page: the extra row only says that there is a next page. */
export function toPage<Row>(
  rows: readonly Row[],
  limit: number,
  valuesOf: (row: Row) => CursorValues,
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(valuesOf(last)) : null,
  };
}
