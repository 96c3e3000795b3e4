import { type RawBuilder, sql } from 'kysely';
import type { AccountKind } from '../../http/index.ts';
import { asciiLower } from '../../lib/ascii.ts';
import type { CursorValues } from '../../lib/page.ts';
import {
  containsText,
  type Direction,
  type Executor,
  isBehind,
  isOfWorkspace,
  isUpTo,
} from '../../storage/index.ts';
import { ACCOUNT_COLUMNS, type Account, IS_ADMIN, loginOf, toAccount } from './accounts.repo.ts';

/** Whose thing something is, as people call him. */
export interface AccountName {
  readonly id: string;
  readonly kind: AccountKind;
  readonly displayName: string;
}

export type AccountSort = 'login' | 'name' | 'lastSeenAt' | 'createdAt';

export interface AccountSummary {
  readonly all: number;
  readonly active: number;
  readonly disabled: number;
  readonly attention: number;
}

/** A condition on a row of `accounts`. */
export type AccountCondition = RawBuilder<boolean>;

export interface AccountFilter {
  readonly workspaceId: string;
  readonly kind: AccountKind;
  readonly q: string | undefined;
  /** Null: all; otherwise only these. */
  readonly visibleIds: readonly string[] | null;
}

function matchesText(q: string | undefined): AccountCondition | null {
  const text = q?.trim() ?? '';
  if (text === '') return null;
  const matches = ['display_name', 'login_lower', 'email_lower'].map((column) => containsText(column, text));
  return sql<boolean>`(${sql.join(matches, sql` or `)})`;
}

/** All that a list is of. Of those that are named by their ids it is a mere check. */
function isOfAll({ workspaceId, kind, visibleIds }: AccountFilter): AccountCondition {
  return visibleIds === null
    ? sql<boolean>`(workspace_id = ${workspaceId} and kind = ${kind})`
    : sql<boolean>`(${isOfWorkspace(workspaceId)} and kind = ${kind})`;
}

// Letter by letter as in the indexes of the migration. Who has never been seen was seen before everybody else.
const SORTED_BY: Readonly<Record<AccountSort, RawBuilder<string | number>>> = {
  login: sql.ref('login_lower'),
  name: sql`lower(display_name)`,
  lastSeenAt: sql`coalesce(last_seen_at, 0)`,
  createdAt: sql.ref('created_at'),
};

/** What a page of this order ends with: the value that it is sorted by, then the id. */
export function placeOf(account: Account, sort: AccountSort): readonly [string | number, string] {
  const values = {
    login: () => loginOf(account),
    name: () => asciiLower(account.displayName),
    lastSeenAt: () => account.lastSeenAt ?? 0,
    createdAt: () => account.createdAt,
  };
  return [values[sort](), account.id];
}

export interface AccountOrder {
  readonly sort: AccountSort;
  readonly direction: Direction;
}

export interface ListFilter extends AccountFilter {
  readonly state: 'active' | 'disabled' | undefined;
  readonly condition: AccountCondition | null;
}

/** True when no index finds the accounts: all of their kind have to be sifted for them. */
export function isSifted({ q, state, condition }: ListFilter): boolean {
  return matchesText(q) !== null || state !== undefined || condition !== null;
}

/** Where the next `rows` accounts end, whether they fit or not; null when there are not as many. */
export async function findStretchEnd(
  exec: Executor,
  { workspaceId, kind }: ListFilter,
  { sort, direction }: AccountOrder,
  after: CursorValues | null,
  rows: number,
): Promise<CursorValues | null> {
  const value = SORTED_BY[sort];
  let query = exec.selectFrom('accounts').where('workspace_id', '=', workspaceId).where('kind', '=', kind);
  if (after !== null) query = query.where(isBehind(value, after, direction));
  const row = await query
    .select([value.as('value'), 'id'])
    .orderBy(value, direction)
    .orderBy('id', direction)
    .offset(rows - 1)
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : [row.value, row.id];
}

/** `after` holds the `placeOf` the last row of the page before, `upTo` that of the last row that is looked at. */
export async function listAccounts(
  exec: Executor,
  filter: ListFilter,
  { sort, direction }: AccountOrder,
  { after, upTo, limit }: { after: CursorValues | null; upTo: CursorValues | null; limit: number },
): Promise<Account[]> {
  if (filter.visibleIds?.length === 0) return [];
  let query = exec.selectFrom('accounts').select(ACCOUNT_COLUMNS).where(isOfAll(filter));
  const { q, visibleIds, state, condition } = filter;
  if (visibleIds !== null) query = query.where('id', 'in', visibleIds);
  if (state !== undefined) query = query.where('state', '=', state);
  for (const each of [matchesText(q), condition]) if (each !== null) query = query.where(each);
  if (after !== null) query = query.where(isBehind(SORTED_BY[sort], after, direction));
  if (upTo !== null) query = query.where(isUpTo(SORTED_BY[sort], upTo, direction));
  const rows = await query
    .orderBy(SORTED_BY[sort], direction)
    .orderBy('id', direction)
    .limit(limit)
    .execute();
  return rows.map(toAccount);
}

/** The numbers of one stretch of accounts, in the order of their logins, and where it ends (null: at the end). */
export async function countStretch(
  exec: Executor,
  filter: AccountFilter,
  needsAttention: AccountCondition,
  afterLogin: string | null,
  limit: number,
): Promise<AccountSummary & { readonly lastLogin: string | null }> {
  const { q, visibleIds } = filter;
  let stretch = exec
    .selectFrom('accounts')
    .select(['id', 'workspace_id', 'state', 'display_name', 'login_lower', 'email_lower'])
    .where(isOfAll(filter));
  if (visibleIds !== null) stretch = stretch.where('id', 'in', visibleIds);
  if (afterLogin !== null) stretch = stretch.where('login_lower', '>', afterLogin);
  const found = matchesText(q) ?? sql<boolean>`1 = 1`;
  const row = await exec
    .selectFrom(stretch.orderBy('login_lower').limit(limit).as('accounts'))
    .select(({ fn }) => [
      fn.countAll<number>().as('read'),
      fn.countAll<number>().filterWhere(found).as('all'),
      fn.countAll<number>().filterWhere(found).filterWhere('state', '=', 'active').as('active'),
      fn.countAll<number>().filterWhere(found).filterWhere(needsAttention).as('attention'),
      fn.max<string | null>('login_lower').as('last_login'),
    ])
    .executeTakeFirstOrThrow();
  const { all, active, attention } = row;
  return {
    all,
    active,
    disabled: all - active,
    attention,
    lastLogin: row.read < limit ? null : row.last_login,
  };
}

export async function listAccountNames(
  exec: Executor,
  workspaceId: string,
  ids: readonly string[],
): Promise<AccountName[]> {
  if (ids.length === 0) return [];
  const rows = await exec
    .selectFrom('accounts')
    .select(['id', 'kind', 'display_name'])
    .where(isOfWorkspace(workspaceId))
    .where('id', 'in', ids)
    .limit(1_000)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind as AccountKind,
    displayName: row.display_name,
  }));
}

/** Administrators who may sign in, the oldest first. */
export async function listActiveAdmins(
  exec: Executor,
  workspaceId: string,
  limit: number,
): Promise<Account[]> {
  const rows = await exec
    .selectFrom('accounts')
    .select(ACCOUNT_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where(IS_ADMIN)
    .where('state', '=', 'active')
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(toAccount);
}
