import { requestErrors } from '../errors/index.ts';
import { type CursorValues, decodeCursor } from '../lib/page.ts';

/**
 * Where a page begins, or null for the first one. `sample` shows how many values of which types the list puts into
 * its cursors; a list that knows several orders puts the name of the order before them.
 *
 * @throws request.invalid for a text that this list, in this order, has never returned
 */
export function readCursor(
  cursor: string | undefined,
  sample: CursorValues,
  order?: string,
): CursorValues | null {
  if (cursor === undefined) return null;
  const values = decodeCursor(cursor, order === undefined ? sample : ['', ...sample]);
  if (values === null || (order !== undefined && values[0] !== order))
    throw requestErrors.invalid({
      detail: 'cursor is not one that this list returned in this order.',
      fields: [{ field: 'cursor', message: 'is not one that this list returned in this order' }],
    });
  return order === undefined ? values : values.slice(1);
}
