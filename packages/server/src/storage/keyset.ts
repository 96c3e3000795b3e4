import { type RawBuilder, sql } from 'kysely';

export type Direction = 'asc' | 'desc';

/**
 * The rows behind the last one of a page, in an order by a value and then by id. Written so that both engines
 * look up where the page begins: from an `or` over both columns SQLite would read the index from its start.
 */
export function isBehind(
  value: RawBuilder<unknown>,
  [lastValue, lastId]: readonly [string | number, string],
  direction: Direction,
): RawBuilder<boolean> {
  const id = sql.ref('id');
  return direction === 'asc'
    ? sql<boolean>`(${value} >= ${lastValue} and (${value} > ${lastValue} or ${id} > ${lastId}))`
    : sql<boolean>`(${value} <= ${lastValue} and (${value} < ${lastValue} or ${id} < ${lastId}))`;
}

/** The rows up to the one at this place, that one included, in the same order. */
export function isUpTo(
  value: RawBuilder<unknown>,
  [lastValue, lastId]: readonly [string | number, string],
  direction: Direction,
): RawBuilder<boolean> {
  const id = sql.ref('id');
  return direction === 'asc'
    ? sql<boolean>`(${value} <= ${lastValue} and (${value} < ${lastValue} or ${id} <= ${lastId}))`
    : sql<boolean>`(${value} >= ${lastValue} and (${value} > ${lastValue} or ${id} >= ${lastId}))`;
}
