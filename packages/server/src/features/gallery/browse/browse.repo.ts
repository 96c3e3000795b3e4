import { type RawBuilder, sql } from 'kysely';
import type { Storage } from '../../../storage/index.ts';

/** Conditions and orders of the pages for people over `feed_entries`; see v3.repo.ts for those of both. */
type Condition = RawBuilder<boolean>;

export const isListed: Condition = sql<boolean>`feed_entries.listed = 1`;

export function isBehindId(idLower: string): Condition {
  return sql<boolean>`feed_entries.id_lower > ${idLower}`;
}

export function isLowerThan(sortKey: string): Condition {
  return sql<boolean>`feed_entries.sort_key < ${sortKey}`;
}

/** As one parameter: each number of ids would otherwise be a statement of its own. */
export function isOneOf({ engine }: Pick<Storage, 'engine'>, idsLower: readonly string[]): Condition {
  return engine === 'sqlite'
    ? sql<boolean>`feed_entries.id_lower in (select value from json_each(${JSON.stringify(idsLower)}))`
    : sql<boolean>`feed_entries.id_lower = any(${[...idsLower]})`;
}
