import { type RawBuilder, sql } from 'kysely';
import type { CursorValues } from '../lib/page.ts';

export type Direction = 'asc' | 'desc';

/** The last value keeps the type that its cursor was checked for; an id is a text in every order. */
function toPlace([value, id]: CursorValues): readonly [string | number, string] {
  if (value === undefined || id === undefined) throw new Error('A place in an order is a value and an id.');
  return [value, String(id)];
}

/**
 * The rows behind the last one of a page, in an order by a value and then by id. Written so that both engines
 * look up where the page begins: from an `or` over both columns SQLite would read the index from its start.
 */
export function isBehind(
  value: RawBuilder<unknown>,
  last: CursorValues,
  direction: Direction,
): RawBuilder<boolean> {
  const [lastValue, lastId] = toPlace(last);
  const id = sql.ref('id');
  return direction === 'asc'
    ? sql<boolean>`(${value} >= ${lastValue} and (${value} > ${lastValue} or ${id} > ${lastId}))`
    : sql<boolean>`(${value} <= ${lastValue} and (${value} < ${lastValue} or ${id} < ${lastId}))`;
}

/** The rows up to the one at this place, that one included, in the same order. */
export function isUpTo(
  value: RawBuilder<unknown>,
  last: CursorValues,
  direction: Direction,
): RawBuilder<boolean> {
  const [lastValue, lastId] = toPlace(last);
  const id = sql.ref('id');
  return direction === 'asc'
    ? sql<boolean>`(${value} <= ${lastValue} and (${value} < ${lastValue} or ${id} <= ${lastId}))`
    : sql<boolean>`(${value} >= ${lastValue} and (${value} > ${lastValue} or ${id} >= ${lastId}))`;
}
