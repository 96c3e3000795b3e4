import { requestErrors } from '../../errors/index.ts';
import { type Caller, readCursor, requireAuthenticated } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Page } from '../../lib/page.ts';
import { type ReadStretch, sift, toSiftedPage } from '../../lib/sift.ts';
import type { Keyring, Storage } from '../../storage/index.ts';
import type { AccountName, AccountsService } from '../accounts/index.ts';
import type { KeyAllowance, LimitsService } from '../limits/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { type ApiKey, type KeyStatus, noticeMsOf, statusOf } from './api-key.ts';
import type { KeySort } from './key-order.repo.ts';
import { mayKnowName, requireReach, visibleAccountIds } from './keys.policy.ts';
import {
  choosePath,
  findStretchEnd,
  type KeyFilter,
  type KeyStatusFilter,
  listKeys,
  placeOf,
  startOf,
} from './keys-list.repo.ts';
import type { UsageRecorder } from './usage.ts';
import type { LastUse, Refusal } from './usage-buffer.ts';

/** A key as people see it: whose it is, its state now, its last use and refusal. */
export interface KeyView {
  readonly key: ApiKey;
  readonly account: AccountName;
  readonly owner: AccountName;
  readonly status: KeyStatus;
  /** Null without any limit. */
  readonly allowance: KeyAllowance | null;
  readonly lastUse: LastUse | null;
  readonly lastRefusal: Refusal | null;
  /** Since it was last changed. */
  readonly firstRefusal: Refusal | null;
  /** How often an expired key was presented all the same. */
  readonly refusedSinceExpiry: number;
}

export interface KeyQuery {
  readonly accountId?: string | undefined;
  readonly status?: KeyStatusFilter | undefined;
  readonly expiresBefore?: number | undefined;
  readonly unusedSince?: number | undefined;
  readonly neverUsed?: boolean | undefined;
  /** Only keys that were last refused as expired, since then. */
  readonly stillCalledSince?: number | undefined;
  readonly lifetimeOverDays?: number | undefined;
  /** Leaves out keys that do not work because their account is disabled. */
  readonly hasActiveAccount?: boolean | undefined;
  readonly q?: string | undefined;
  readonly sort?: KeySort | undefined;
}

export interface KeyLister {
  /** Keys that the caller may see. @throws request.invalid for a cursor of another list or order */
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
  /** A key that the caller may see. @throws request.not_found when the account has just gone, and its keys with it */
  view(caller: Caller, key: ApiKey): Promise<KeyView>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly settings: SettingsService;
  readonly usage: UsageRecorder;
  readonly accounts: AccountsService;
  readonly keyLimiter: LimitsService;
}

type UsageCondition = (
  key: ApiKey,
  lastUse: LastUse | undefined,
  lastRefusal: Refusal | undefined,
) => boolean;

interface Scan {
  readonly filter: KeyFilter;
  readonly sort: KeySort;
  /** By last use and refusal, which are in another store than the keys; null when every key is wanted. */
  readonly isWanted: UsageCondition | null;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

// A filter by last use or refusal reads another store than the keys: pages are gathered until full or so many are read.
const SCAN_KEYS_MAX = 5_000;
const SCAN_BATCH = 50;
// Keys that no index finds are looked for in so many stretches.
const STRETCHES_MAX = 100;

/** Lists keys, and tells of each all that is known of it. */
export function createKeyLister(deps: Deps): KeyLister {
  const { accounts, storage } = deps;

  const list = async (caller: Caller, scan: Scan): Promise<Page<KeyView>> => {
    const { items, nextCursor } = await gather(deps, scan);
    return { items: await toViews(deps, caller, items), nextCursor };
  };

  return {
    list: async (caller, query, page) => {
      const { sort = 'createdAt' } = query;
      const filter = await toFilter(deps, caller, query);
      return await list(caller, { filter, sort, isWanted: toCondition(query), ...page });
    },
    listOfAccount: async (caller, accountId, { q, ...page }) => {
      const account = await accounts.find(storage.read, caller.workspace.id, accountId);
      requireReach(caller, account?.id ?? null, 'read');
      const filter = { ...(await toFilter(deps, caller, { q })), accountIds: [accountId] };
      return await list(caller, { filter, sort: 'createdAt', isWanted: null, ...page });
    },
    view: async (caller, key) => {
      const [view] = await toViews(deps, caller, [key]);
      if (view === undefined) throw requestErrors.not_found();
      return view;
    },
  };
}

function toCondition({ unusedSince, neverUsed, stillCalledSince }: KeyQuery): UsageCondition | null {
  if (unusedSince === undefined && neverUsed !== true && stillCalledSince === undefined) return null;
  return (key, lastUse, lastRefusal) =>
    (neverUsed !== true || lastUse === undefined) &&
    (unusedSince === undefined || (lastUse?.at ?? key.createdAt) < unusedSince) &&
    (stillCalledSince === undefined ||
      (lastRefusal?.reason === 'expired' && lastRefusal.at >= stillCalledSince));
}

async function toFilter({ settings, clock }: Deps, caller: Caller, query: KeyQuery): Promise<KeyFilter> {
  const { expiryNoticeDays } = await settings.get(caller.workspace.id);
  const { accountId, status, expiresBefore, lifetimeOverDays, hasActiveAccount, q } = query;
  return {
    workspaceId: caller.workspace.id,
    accountIds: visibleAccountIds(requireAuthenticated(caller).principal),
    accountId,
    status,
    expiresBefore,
    lifetimeOverDays,
    hasActiveAccount,
    q,
    now: clock.now(),
    noticeMs: noticeMsOf(expiryNoticeDays),
  };
}

async function gather({ storage, keyring, usage }: Deps, scan: Scan): Promise<Page<ApiKey>> {
  const { filter, sort, isWanted, limit } = scan;
  const { workspaceId } = filter;
  const batch = isWanted === null ? limit + 1 : SCAN_BATCH;
  const path = await choosePath(storage.read, filter, sort);
  const read: ReadStretch<ApiKey> = async (after) => {
    const stretch = { path, after, limit: batch };
    const upTo = await findStretchEnd(storage.read, filter, sort, stretch);
    const { keys, rowCount, end } = await listKeys(storage.read, keyring, filter, sort, { ...stretch, upTo });
    const seen = { end: rowCount < batch ? upTo : end, rowsRead: rowCount };
    if (isWanted === null) return { ...seen, rows: keys };
    const ids = keys.map((key) => key.id);
    const lastUses = await usage.findLastUses(workspaceId, ids);
    const lastRefusals = await usage.findLastRefusals(workspaceId, ids);
    const rows = keys.filter((key) => isWanted(key, lastUses.get(key.id), lastRefusals.get(key.id)));
    return { ...seen, rows };
  };
  const start = startOf(filter, sort, readCursor(scan.cursor, [0, ''], sort));
  const bounds = { limit: limit + 1, stretchesMax: STRETCHES_MAX, rowsReadMax: SCAN_KEYS_MAX };
  return toSiftedPage(await sift(read, start, bounds), limit, (key) => placeOf(key, sort), sort);
}

/** One question for all keys to each of the places that know something of them. */
async function toViews(
  { storage, clock, settings, usage, accounts, keyLimiter }: Deps,
  caller: Caller,
  keys: readonly ApiKey[],
): Promise<KeyView[]> {
  const { principal, workspace } = requireAuthenticated(caller);
  const workspaceId = workspace.id;
  const { expiryNoticeDays } = await settings.get(workspaceId);
  const now = clock.now();
  const ids = keys.map((key) => key.id);
  const accountIds = [...new Set(keys.flatMap((key) => [key.accountId, key.ownerId]))];
  const names = new Map(
    (await accounts.findNames(storage.read, workspaceId, accountIds)).map((name) => [name.id, name]),
  );
  const ofAccounts = await accounts.findKeyLimits(storage.read, workspaceId, accountIds);
  const allowances = await keyLimiter.listAllowances(
    workspaceId,
    keys.map(({ id, limits, accountId }) => ({
      id,
      own: limits,
      ofAccount: ofAccounts.get(accountId) ?? null,
    })),
  );
  const judged = keys.map((key) => ({ key, status: statusOf(key, now, expiryNoticeDays) }));
  const expired = judged.flatMap(({ key: { id, current }, status }) =>
    status === 'expired' && current.expiresAt !== null ? [{ keyId: id, since: current.expiresAt }] : [],
  );
  const lastUses = await usage.findLastUses(workspaceId, ids);
  const lastRefusals = await usage.findLastRefusals(workspaceId, ids);
  const firstRefusals = await usage.findFirstRefusals(workspaceId, keys);
  const refusals = await usage.countExpiredRefusals(workspaceId, expired);
  return judged.flatMap(({ key, status }) => {
    const account = names.get(key.accountId);
    const owner = names.get(key.ownerId);
    // An account takes its keys with it; this one has gone since they were read.
    if (account === undefined || owner === undefined) return [];
    return [
      {
        key,
        account,
        // The id stands in the key. How a former owner is called now is none of its business.
        owner: mayKnowName(principal, owner.id) ? owner : { ...owner, displayName: owner.id },
        status,
        allowance: allowances.get(key.id) ?? null,
        lastUse: lastUses.get(key.id) ?? null,
        lastRefusal: lastRefusals.get(key.id) ?? null,
        firstRefusal: firstRefusals.get(key.id) ?? null,
        refusedSinceExpiry: refusals.get(key.id) ?? 0,
      },
    ];
  });
}
