import { type RawBuilder, sql } from 'kysely';
import { createTurns } from '../../lib/turns.ts';
import type { Executor, FeedEntriesTable } from '../../storage/index.ts';
import { latestFlag, type SemVerLevel } from './feed-entries.repo.ts';

/** What of the feed is asked for. Conditions and orders name columns of `feed_entries`. */
export interface FeedQuery {
  readonly workspaceId: string;
  readonly level: SemVerLevel;
  /**
   * Only the latest version of each package: release, or of all. It is listed, and readable at the level; a condition
   * that says so again would keep the database from the index over those few entries.
   */
  readonly latest?: { readonly withPrereleases: boolean } | null;
  /**
   * The conditions look into the texts of every entry, and on SQLite everybody would wait until they have: the entries
   * are looked at in stretches, if the order is that of ids.
   */
  readonly isSlow?: boolean;
  readonly where: readonly RawBuilder<boolean>[];
  /** Empty: by id, and the versions of each package from the lowest to the highest. */
  readonly orderBy: readonly RawBuilder<unknown>[];
  readonly offset: number;
  readonly limit: number;
}

export type FeedRow = Pick<FeedEntriesTable, 'id' | 'package_id' | 'id_lower' | 'sort_key' | 'listed'> & {
  latest: number;
  absolute_latest: number;
};

function selectEntries(exec: Executor, { workspaceId, level, latest = null, where }: Conditions) {
  let query = exec.selectFrom('feed_entries').where('feed_entries.workspace_id', '=', workspaceId);
  // With its value in the statement: the index over the entries that have the flag is used for no other spelling.
  if (latest !== null) query = query.where(sql<boolean>`${sql.ref(latestFlag(level, latest))} = 1`);
  else if (level === 'semver1') query = query.where('feed_entries.is_semver2', '=', 0);
  for (const condition of where) query = query.where(condition);
  return query;
}

/** The entries of one page, some at a time, in their narrow table. */
export function findRows(exec: Executor, query: FeedQuery): AsyncIterable<FeedRow[]> {
  if (query.orderBy.length > 0) return sortRows(exec, query);
  return query.isSlow === true ? searchRows(exec, query) : streamRows(exec, query);
}

/** In an order of the client's own: found at once, because each part of it would sort everything anew. */
async function* sortRows(exec: Executor, query: FeedQuery): AsyncGenerator<FeedRow[]> {
  let entries = selectRows(exec, query);
  for (const order of query.orderBy) entries = entries.orderBy(order);
  yield await entries.offset(query.offset).limit(query.limit).execute();
}

/** In the order of an index: each part of the page goes on behind the part before. */
async function* streamRows(exec: Executor, query: FeedQuery): AsyncGenerator<FeedRow[]> {
  let last: FeedRow | undefined;
  for (let left = query.limit; left > 0; ) {
    let entries = selectRows(exec, query);
    for (const column of orderOf(query)) entries = entries.orderBy(column);
    if (last === undefined) entries = entries.offset(query.offset);
    else entries = entries.where(isBehind(query, last));
    const wanted = Math.min(left, ROWS_AT_ONCE);
    const rows: FeedRow[] = await entries.limit(wanted).execute();
    yield rows;
    last = rows.at(-1);
    if (last === undefined || rows.length < wanted) return;
    left -= rows.length;
  }
}

/** Of each package there is one latest version. */
function orderOf({ latest = null }: Pick<FeedQuery, 'latest'>) {
  return latest === null
    ? (['feed_entries.id_lower', 'feed_entries.sort_key', 'feed_entries.id'] as const)
    : (['feed_entries.id_lower', 'feed_entries.id'] as const);
}

function isBehind(query: Pick<FeedQuery, 'latest'>, row: Place): RawBuilder<boolean> {
  return comparePlace(query, sql`>`, row);
}

function comparePlace(
  { latest = null }: Pick<FeedQuery, 'latest'>,
  sign: RawBuilder<unknown>,
  { id_lower, sort_key, id }: Place,
): RawBuilder<boolean> {
  if (latest !== null) return sql<boolean>`feed_entries.id_lower ${sign} ${id_lower}`;
  return sql<boolean>`(feed_entries.id_lower, feed_entries.sort_key, feed_entries.id) ${sign} (${id_lower}, ${sort_key}, ${id})`;
}

type Place = Pick<FeedEntriesTable, 'id' | 'id_lower' | 'sort_key'>;
type Conditions = Omit<FeedQuery, 'orderBy' | 'offset' | 'limit'>;

/** Stretches of all entries in their order, each as the condition to be in it. */
async function* stretchesOf(exec: Executor, query: Conditions): AsyncGenerator<RawBuilder<boolean>[]> {
  const turns = createTurns();
  let after: Place | undefined;
  for (;;) {
    const isIn = after === undefined ? [] : [isBehind(query, after)];
    let entries = selectEntries(exec, { ...query, where: isIn });
    for (const column of orderOf(query)) entries = entries.orderBy(column);
    const end = await entries
      .select(['feed_entries.id', 'feed_entries.id_lower', 'feed_entries.sort_key'])
      .offset(STRETCH - 1)
      .limit(1)
      .executeTakeFirst();
    yield end === undefined ? isIn : [...isIn, comparePlace(query, sql`<=`, end)];
    if (end === undefined) return;
    after = end;
    await turns.step();
  }
}

async function* searchRows(exec: Executor, query: FeedQuery): AsyncGenerator<FeedRow[]> {
  let { offset, limit } = query;
  for await (const isIn of stretchesOf(exec, query)) {
    let entries = selectRows(exec, { ...query, where: [...isIn, ...query.where] });
    for (const column of orderOf(query)) entries = entries.orderBy(column);
    const rows: FeedRow[] = await entries.limit(Math.min(STRETCH, offset + limit)).execute();
    const shown = rows.slice(offset, offset + limit);
    yield shown;
    offset = Math.max(0, offset - rows.length);
    limit -= shown.length;
    if (limit === 0) return;
  }
}

function selectRows(exec: Executor, query: FeedQuery) {
  return selectEntries(exec, query).select([
    'feed_entries.id',
    'feed_entries.package_id',
    'feed_entries.id_lower',
    'feed_entries.sort_key',
    'feed_entries.listed',
    `feed_entries.${latestFlag(query.level, { withPrereleases: false })} as latest`,
    `feed_entries.${latestFlag(query.level, { withPrereleases: true })} as absolute_latest`,
  ]);
}

export async function countFeed(exec: Executor, query: Conditions): Promise<number> {
  if (query.isSlow !== true) return await countOnce(exec, query);
  let count = 0;
  for await (const isIn of stretchesOf(exec, query))
    count += await countOnce(exec, { ...query, where: [...isIn, ...query.where] });
  return count;
}

async function countOnce(exec: Executor, query: Conditions): Promise<number> {
  const { count } = await selectCount(exec, query).executeTakeFirstOrThrow();
  return count;
}

function selectCount(exec: Executor, query: Conditions) {
  return selectEntries(exec, query).select((eb) => eb.fn.countAll<number>().as('count'));
}

/** What is counted, as a text: two questions that may have different answers have different texts. */
export function countKey(exec: Executor, query: Conditions): string {
  const { sql: text, parameters } = selectCount(exec, query).compile();
  return JSON.stringify([text, parameters]);
}

/** Does the gallery have so many versions that counting them takes a while? */
export async function isLargeFeed(exec: Executor, workspaceId: string): Promise<boolean> {
  const beyond = await exec
    .selectFrom('feed_entries')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .orderBy('id_lower')
    .orderBy('sort_key')
    .offset(LARGE_FROM)
    .limit(1)
    .executeTakeFirst();
  return beyond !== undefined;
}

const LARGE_FROM = 1_000;

/** Of entries that are looked into at once. */
const STRETCH = 200;
const ROWS_AT_ONCE = 200;
