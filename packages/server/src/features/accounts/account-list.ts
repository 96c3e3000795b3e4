import { type AccountKind, type Caller, readCursor, requireAuthenticated } from '../../http/index.ts';
import { type Page, toPage } from '../../lib/page.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import { visibleIds } from './accounts.policy.ts';
import { listManagers } from './accounts.repo.ts';
import type { AccountKeys, AccountQuery, AccountView, ListedAccount } from './accounts.types.ts';
import {
  type AccountFilter,
  type AccountSummary,
  countStretch,
  listAccounts,
  placeOf,
} from './accounts-list.repo.ts';

// Counting so many accounts, with a look at the keys of each, takes a millisecond or two.
const STRETCH_ACCOUNTS = 1_000;

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
      const rows = await listAccounts(
        storage.read,
        { ...filter, workspaceId, state, condition },
        { sort, direction },
        after,
        limit + 1,
      );
      const { items, nextCursor } = toPage(rows, limit, (row) => [orderName, ...placeOf(row, sort)]);
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
