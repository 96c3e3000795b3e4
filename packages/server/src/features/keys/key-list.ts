import { requestErrors } from '../../errors/index.ts';
import { type Caller, requireAuthenticated } from '../../http/index.ts';
import { type Clock, DAY_MS } from '../../lib/clock.ts';
import { decodeCursor, encodeCursor, type Page } from '../../lib/page.ts';
import type { Keyring, Storage } from '../../storage/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { type ApiKey, type KeyStatus, statusOf } from './api-key.ts';
import { requireReach, visibleAccountIds } from './keys.policy.ts';
import { type KeyFilter, listKeys } from './keys.repo.ts';
import type { LastUse, UsageRecorder } from './usage.ts';

/** A key as people see it: with its state now and its last use. */
export interface KeyView {
  readonly key: ApiKey;
  readonly status: KeyStatus;
  readonly lastUse: LastUse | null;
}

export interface KeyQuery {
  readonly accountId?: string | undefined;
  readonly status?: KeyStatus | undefined;
  readonly expiresBefore?: number | undefined;
  readonly unusedSince?: number | undefined;
  readonly q?: string | undefined;
}

export interface KeyLister {
  /** Keys that the caller may see, newest first. */
  list(
    caller: Caller,
    query: KeyQuery,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<KeyView>>;
  /** Keys of one account. @throws request.not_found when the caller may not see the account */
  listOfAccount(
    caller: Caller,
    accountId: string,
    page: { limit: number; cursor?: string | undefined; q?: string | undefined },
  ): Promise<Page<KeyView>>;
  view(key: ApiKey): Promise<KeyView>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly settings: SettingsService;
  readonly usage: UsageRecorder;
  /** Does the account exist in this workspace? */
  readonly hasAccount: (workspaceId: string, accountId: string) => Promise<boolean>;
}

// A filter by last use reads another store than the keys: pages are gathered until full or so many are read.
const SCAN_KEYS_MAX = 5_000;
const SCAN_BATCH = 500;

export function createKeyLister(deps: Deps): KeyLister {
  const { storage, clock, keyring, settings, usage } = deps;

  const toViews = async (workspaceId: string, keys: readonly ApiKey[]): Promise<KeyView[]> => {
    const { expiryNoticeDays } = await settings.get(workspaceId);
    const lastUses = await usage.findLastUses(
      workspaceId,
      keys.map((key) => key.id),
    );
    return keys.map((key) => ({
      key,
      status: statusOf(key, clock.now(), expiryNoticeDays),
      lastUse: lastUses.get(key.id) ?? null,
    }));
  };

  const scan = async (
    filter: KeyFilter,
    unusedSince: number | undefined,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<KeyView>> => {
    let after = page.cursor === undefined ? null : decodeCursor(page.cursor, [0, '']);
    if (page.cursor !== undefined && after === null)
      throw requestErrors.invalid({
        fields: [{ field: 'cursor', message: 'is not one that this list returned' }],
      });
    const items: KeyView[] = [];
    const batch = unusedSince === undefined ? page.limit + 1 : SCAN_BATCH;
    for (let scanned = 0; ; ) {
      const { keys, rowCount, end } = await listKeys(storage.read, keyring, filter, after, batch);
      const views = await toViews(filter.workspaceId, keys);
      for (const view of views) {
        if (items.length === page.limit)
          return { items, nextCursor: after === null ? null : encodeCursor(after) };
        after = [view.key.createdAt, view.key.id];
        if (unusedSince === undefined || (view.lastUse?.at ?? view.key.createdAt) < unusedSince)
          items.push(view);
      }
      scanned += rowCount;
      if (rowCount < batch) return { items, nextCursor: null };
      after = end;
      if (scanned >= SCAN_KEYS_MAX) return { items, nextCursor: after === null ? null : encodeCursor(after) };
    }
  };

  const toFilter = (caller: Caller, query: KeyQuery) => toKeyFilter(deps, caller, query);

  return {
    list: async (caller, query, page) => await scan(await toFilter(caller, query), query.unusedSince, page),
    listOfAccount: async (caller, accountId, page) => {
      requireReach(
        caller,
        (await deps.hasAccount(caller.workspace.id, accountId)) ? accountId : null,
        'read',
      );
      const filter = await toFilter(caller, { q: page.q });
      return await scan({ ...filter, accountIds: [accountId] }, undefined, page);
    },
    view: async (key) => {
      const [view] = await toViews(key.workspaceId, [key]);
      if (view === undefined) throw new Error('A key has exactly one view.');
      return view;
    },
  };
}

async function toKeyFilter(deps: Deps, caller: Caller, query: KeyQuery): Promise<KeyFilter> {
  const { expiryNoticeDays } = await deps.settings.get(caller.workspace.id);
  const { principal } = requireAuthenticated(caller);
  return {
    workspaceId: caller.workspace.id,
    accountIds: visibleAccountIds(principal),
    accountId: query.accountId,
    status: query.status,
    expiresBefore: query.expiresBefore,
    q: query.q,
    now: deps.clock.now(),
    noticeMs: Math.max(0, ...expiryNoticeDays) * DAY_MS,
  };
}
