import { type RawBuilder, sql } from 'kysely';
import { type Storage, toLikePattern } from '../../../storage/index.ts';
import type { Patterns, ReadRights } from './read-rights.ts';

type Engine = Storage['engine'];

/** The condition on `feed_entries` that the package may be read. */
export function isReadable(engine: Engine, workspaceId: string, rights: ReadRights): RawBuilder<boolean> {
  const { scopes, grants, ownerIds } = rights;
  const isGranted = [matchesAny(engine, grants)];
  if (grants !== 'all' && ownerIds.length > 0) isGranted.push(isOwned(engine, workspaceId, ownerIds));
  return sql<boolean>`(${matchesAny(engine, scopes)} and (${sql.join(isGranted, sql` or `)}))`;
}

const ID = sql.ref('feed_entries.id_lower');

/**
 * Ids are stored in lower case and patterns come in lower case. Whole ids are looked up together; each pattern is a
 * condition of its own, of which a key and its account have at most a hundred each.
 */
function matchesAny(engine: Engine, patterns: Patterns): RawBuilder<boolean> {
  if (patterns === 'all') return sql<boolean>`1 = 1`;
  const wholeIds = patterns.filter((pattern) => !pattern.includes('*'));
  const likes = patterns.filter((pattern) => pattern.includes('*')).map(toLikePattern);
  const conditions: RawBuilder<boolean>[] = [];
  if (wholeIds.length > 0) conditions.push(sql<boolean>`${ID} ${isAmong(engine, wholeIds)}`);
  if (engine === 'sqlite')
    conditions.push(...likes.map((like) => sql<boolean>`${ID} like ${like} escape '\\'`));
  else if (likes.length > 0) conditions.push(sql<boolean>`${ID} like any(${likes})`);
  return conditions.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`(${sql.join(conditions, sql` or `)})`;
}

function isOwned(engine: Engine, workspaceId: string, ownerIds: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`feed_entries.package_id in (select package_owners.package_id from package_owners
    where package_owners.workspace_id = ${workspaceId} and package_owners.account_id ${isAmong(engine, ownerIds)})`;
}

/** As one parameter: each number of values would otherwise be a statement of its own. */
function isAmong(engine: Engine, values: readonly string[]): RawBuilder<boolean> {
  return engine === 'sqlite'
    ? sql<boolean>`in (select value from json_each(${JSON.stringify(values)}))`
    : sql<boolean>`= any(${[...values]})`;
}
