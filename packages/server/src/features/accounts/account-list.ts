import { type AccountKind, type Caller, readCursor, requireAuthenticated } from '../../http/index.ts';
import type { CursorValues, Page } from '../../lib/page.ts';
import { type ReadStretch, type Sifted, sift, toSiftedPage } from '../../lib/sift.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import { visibleIds } from './accounts.policy.ts';
import { type Account, listManagers } from './accounts.repo.ts';
import type { AccountKeys, AccountQuery, AccountView, ListedAccount } from './accounts.types.ts';
import {
  type AccountFilter,
  type AccountOrder,
  type AccountSummary,
  countStretch,
  findStretchEnd,
  isSifted,
  type ListFilter,
  listAccounts,
  placeOf,
} from './accounts-list.repo.ts';

// Counting so many accounts, with a look at the keys of each, takes a millisecond or two.
const STRETCH_ACCOUNTS = 1_000;

// Where accounts have to be looked for, a request goes through so many stretches of them.
const STRETCHES_MAX = 200;

async function gather(
  storage: Storage,
  filter: ListFilter,
  order: AccountOrder,
  start: CursorValues | null,
  limit: number,
): Promise<Sifted<Account>> {
  // Few accounts are visible to most callers: they are looked up by their ids.
  if (filter.visibleIds !== null || !isSifted(filter)) {
    const place = { after: start, upTo: null, limit };
    return { rows: await listAccounts(storage.read, filter, order, place), stoppedAt: null };
  }
  const read: ReadStretch<Account> = async (after, wanted) => {
    const end = await findStretchEnd(storage.read, filter, order, after, STRETCH_ACCOUNTS);
    return {
      rows: await listAccounts(storage.read, filter, order, { after, upTo: end, limit: wanted }),
      end,
    };
  };
  return await sift(read, start, { limit, stretchesMax: STRETCHES_MAX });
}

export interface AccountList {
  list(caller: Caller, kind: AccountKind, query: AccountQuery): Promise<Page<ListedAccount>>;
  summarize(caller: Caller, kind: AccountKind, q: string | undefined): Promise<AccountSummary>;
  withKeys(caller: Caller, views: readonly AccountView[]): Promise<ListedAccount[]>;
}

/** The lists of accounts: what they show of each, in which order, and how many there are. */
export function createAccountList(deps: {
  readonly storage: Storage;
  readonly accountKeys: AccountKeys;
}): AccountList {
  const { storage, accountKeys } = deps;

  const toFilter = (caller: Caller, kind: AccountKind, q: string | undefined): AccountFilter => {
    const { principal, workspace } = requireAuthenticated(caller);
    return { workspaceId: workspace.id, kind, q, visibleIds: visibleIds(principal) };
  };

  const withKeys: AccountList['withKeys'] = async (caller, views) => {
    const ids = views.map((view) => view.account.id);
    const counts = await accountKeys.countByAccount(caller, ids);
    return views.map((view) => ({ ...view, keys: counts.get(view.account.id) ?? null }));
  };

  return {
    withKeys,
    list: async (caller, kind, query) => {
      const { sort = 'login', order: direction = 'asc', limit, cursor, q, state, attention } = query;
      const orderName = `${sort} ${direction}`;
      const isByText = sort === 'login' || sort === 'name';
      const after = readCursor(cursor, [isByText ? '' : 0, ''], orderName);
      const { workspaceId, ...filter } = toFilter(caller, kind, q);
      const condition = attention === true ? await accountKeys.needsAttention(caller) : null;
      const wanted = { ...filter, workspaceId, state, condition };
      const sifted = await gather(storage, wanted, { sort, direction }, after, limit + 1);
      const placed = (row: Account) => placeOf(row, sort);
      const { items, nextCursor } = toSiftedPage(sifted, limit, placed, orderName);
      const ids = kind === 'user' ? [] : items.map((account) => account.id);
      const managers = await listManagers(storage.read, workspaceId, ids);
      const views = items.map((account) => ({
        account,
        managers: managers.filter((row) => row.service_account_id === account.id).map((row) => row.user_id),
      }));
      return { items: await withKeys(caller, views), nextCursor };
    },
    summarize: async (caller, kind, q) => {
      const filter = toFilter(caller, kind, q);
      const sum = { all: 0, active: 0, disabled: 0, attention: 0 };
      if (filter.visibleIds?.length === 0) return sum;
      const needsAttention = await accountKeys.needsAttention(caller);
      const turns = createTurns();
      for (let after: string | null = null; ; ) {
        const stretch = await countStretch(storage.read, filter, needsAttention, after, STRETCH_ACCOUNTS);
        for (const name of ['all', 'active', 'disabled', 'attention'] as const) sum[name] += stretch[name];
        after = stretch.lastLogin;
        if (after === null) return sum;
        await turns.step();
      }
    },
  };
}
