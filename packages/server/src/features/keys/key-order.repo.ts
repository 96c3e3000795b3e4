import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import type { CursorValues } from '../../lib/page.ts';
import {
  type Database,
  type Direction,
  type Executor,
  isBehind,
  isOfWorkspace,
} from '../../storage/index.ts';

/** By creation the newest come first, by expiry the next to stop; those that never do are the last. */
export type KeySort = 'createdAt' | 'expiresAt';

export const NEVER = 9_007_199_254_740_991;
// Letter by letter as in the index of the migration.
export const STOPS_AT = sql<number>`coalesce(expires_at, ${sql.lit(NEVER)})`;

/** The values that the pages of an order are sorted by, before the ids. */
export function valueOf(sort: KeySort): {
  readonly value: RawBuilder<number>;
  readonly direction: Direction;
} {
  return sort === 'createdAt'
    ? { value: sql<number>`created_at`, direction: 'desc' }
    : { value: STOPS_AT, direction: 'asc' };
}

const STATES = ['active', 'disabled'] as const;

/**
 * Lists that are merged to one. For each an index has the keys in the order of the page: of an account by creation, of
 * an account and a state by expiry.
 */
export interface KeyLists {
  readonly workspaceId: string;
  readonly accountIds: readonly string[];
  readonly sort: KeySort;
  /** Null: both. Keys are parted by it only in the order of expiry. */
  readonly state: (typeof STATES)[number] | null;
}

/** The index by expiry begins with the account, so that no other one of the workspace looks as short to SQLite. */
function isOfKeysWorkspace(sort: KeySort, workspaceId: string): RawBuilder<boolean> {
  return sort === 'createdAt' ? sql<boolean>`workspace_id = ${workspaceId}` : isOfWorkspace(workspaceId);
}

/**
 * The keys of all these lists. The cross join has SQLite look each list up in its index: of a condition that names the
 * accounts it believes that going through the whole workspace is shorter.
 */
export function selectKeysOfLists(
  exec: Executor,
  { workspaceId, accountIds, sort, state }: KeyLists,
): SelectQueryBuilder<Database, 'api_keys', object> {
  const states = state === null && sort === 'expiresAt' ? STATES : [state ?? STATES[0]];
  const names = sql.join(
    states.map((name) => sql`select ${sql.lit(name)} as name`),
    sql` union all `,
  );
  const lists = sql<{ of_account: string; of_state: string }>`(
    select accounts.id as of_account, states.name as of_state from accounts cross join (${names}) as states
    where accounts.id in (${sql.join(accountIds)}))`;
  const query = exec
    .selectFrom(lists.as('lists'))
    .crossJoin('api_keys')
    .where(isOfKeysWorkspace(sort, workspaceId))
    .whereRef('account_id', '=', 'lists.of_account');
  return sort === 'expiresAt' ? query.whereRef('state', '=', 'lists.of_state') : query;
}

interface ListEnd {
  readonly accountId: string;
  readonly place: readonly [number, string];
}

/** So many keys of each list at least, so that a page is full before its stretches are used up. */
const LIST_ROWS_MIN = 4;

/**
 * Where the next stretch of a merged list ends; null when that is the end of all lists. At most about `rows` keys are
 * in it (or four of each list), and none of them is sorted to find it.
 *
 * Each list is asked for the place at which its next few keys end. Up to the first of these places, no list has more.
 * Lists that end before do not count: the others are asked for more then.
 */
export async function findMergedEnd(
  exec: Executor,
  lists: KeyLists,
  after: CursorValues | null,
  rows: number,
): Promise<CursorValues | null> {
  const states = lists.sort === 'createdAt' ? [null] : lists.state === null ? STATES : [lists.state];
  let waiting = states.map((state) => ({ state, accountIds: lists.accountIds }));
  for (;;) {
    const count = countOf(waiting);
    const each = Math.max(LIST_ROWS_MIN, Math.ceil(rows / count));
    const ends: ListEnd[] = [];
    const longer: typeof waiting = [];
    for (const { state, accountIds } of waiting) {
      const found = await findListEnds(exec, { ...lists, state, accountIds }, after, each);
      ends.push(...found);
      if (found.length > 0) longer.push({ state, accountIds: found.map(({ accountId }) => accountId) });
    }
    if (ends.length === 0) return null;
    // Asked again only where that makes the stretch at least twice as long.
    if (ends.length * 2 > count) return firstOf(ends, lists.sort);
    waiting = longer;
  }
}

function countOf(waiting: readonly { readonly accountIds: readonly string[] }[]): number {
  return waiting.reduce((sum, { accountIds }) => sum + accountIds.length, 0);
}

/** Of the accounts that have `rows` more keys: which one of them is the last of so many. */
async function findListEnds(
  exec: Executor,
  { workspaceId, accountIds, sort, state }: KeyLists,
  after: CursorValues | null,
  rows: number,
): Promise<ListEnd[]> {
  const { value, direction } = valueOf(sort);
  const found = await exec
    .selectFrom('accounts')
    .innerJoin('api_keys', (join) =>
      join.on('api_keys.id', '=', (eb) => {
        let query = eb
          .selectFrom('api_keys as one')
          .select('one.id')
          .where(isOfKeysWorkspace(sort, workspaceId))
          .whereRef('one.account_id', '=', 'accounts.id');
        if (state !== null) query = query.where('one.state', '=', state);
        if (after !== null) query = query.where(isBehind(value, after, direction));
        return query
          .orderBy(value, direction)
          .orderBy('id', direction)
          .offset(rows - 1)
          .limit(1);
      }),
    )
    .where('accounts.id', 'in', accountIds)
    .select(['api_keys.account_id', 'api_keys.id', 'api_keys.created_at', 'api_keys.expires_at'])
    .execute();
  return found.map((row) => ({
    accountId: row.account_id,
    place: [sort === 'createdAt' ? row.created_at : (row.expires_at ?? NEVER), row.id],
  }));
}

/** Whether one place comes before another in an order. */
function isBefore([a, aId]: ListEnd['place'], [b, bId]: ListEnd['place'], sort: KeySort): boolean {
  const isLess = a < b || (a === b && aId < bId);
  return sort === 'createdAt' ? !isLess : isLess;
}

function firstOf(ends: readonly ListEnd[], sort: KeySort): CursorValues {
  return ends
    .map(({ place }) => place)
    .reduce((first, place) => (isBefore(place, first, sort) ? place : first));
}
