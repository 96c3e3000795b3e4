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

// Ids are ASCII, so this stands behind all that may follow a prefix.
const BEHIND = '\u007f';

/**
 * Ids are stored in lower case and patterns come in lower case, at most a hundred. Whole ids are looked up together,
 * beginnings as ranges; each pattern of another form is a condition of its own.
 */
function matchesAny(engine: Engine, patterns: Patterns): RawBuilder<boolean> {
  if (patterns === 'all') return sql<boolean>`1 = 1`;
  const { whole = [], prefix = [], other = [] } = Object.groupBy(patterns, formOf);
  const conditions: RawBuilder<boolean>[] = [];
  if (whole.length > 0) conditions.push(sql<boolean>`${ID} ${isAmong(engine, whole)}`);
  if (prefix.length > 0) conditions.push(beginsWithOneOf(prefix.map((one) => one.slice(0, -1)).toSorted()));
  conditions.push(...other.map((one) => sql<boolean>`${ID} like ${toLikePattern(one)} escape '\\'`));
  return conditions.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`(${sql.join(conditions, sql` or `)})`;
}

function formOf(pattern: string): 'whole' | 'prefix' | 'other' {
  const starAt = pattern.indexOf('*');
  if (starAt === -1) return 'whole';
  return starAt === pattern.length - 1 ? 'prefix' : 'other';
}

/**
 * No beginning contains another, so they are ranges side by side, and the one that an id may lie in is found by
 * halving: a tenth of the time that a hundred comparisons of patterns take.
 */
function beginsWithOneOf(sorted: readonly string[]): RawBuilder<boolean> {
  const [first = ''] = sorted;
  if (sorted.length === 1) return sql<boolean>`(${ID} >= ${first} and ${ID} < ${first + BEHIND})`;
  const middle = sorted.length >> 1;
  const lower = beginsWithOneOf(sorted.slice(0, middle));
  const upper = beginsWithOneOf(sorted.slice(middle));
  return sql<boolean>`(case when ${ID} < ${sorted[middle]} then ${lower} else ${upper} end)`;
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
