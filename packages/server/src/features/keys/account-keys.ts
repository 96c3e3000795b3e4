import { requireAuthenticated } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CursorValues } from '../../lib/page.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Storage } from '../../storage/index.ts';
import type { AccountKeys, KeyCounts } from '../accounts/index.ts';
import type { SettingsService } from '../settings/index.ts';
import {
  countKeysByAccount,
  type ExpiryMoments,
  hasKeyInNeed,
  listKeyAccounts,
} from './account-keys.repo.ts';
import { noticeMsOf } from './api-key.ts';
import { canReachKeys, visibleAccountIds } from './keys.policy.ts';
import type { UsageRecorder } from './usage.ts';

// How many last uses one question to the database is about.
const LOOKUP_KEYS = 500;
const NO_KEYS: KeyCounts = { total: 0, expiring: 0, expired: 0, nextExpiresAt: null, lastUsedAt: null };

/** What the lists of accounts tell of keys; made for the accounts feature, which may not import this one. */
export function createAccountKeys(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly settings: SettingsService;
  readonly usage: UsageRecorder;
}): AccountKeys {
  const findMoments = async (workspaceId: string): Promise<ExpiryMoments> => {
    const { expiryNoticeDays } = await deps.settings.get(workspaceId);
    const now = deps.clock.now();
    return { now, noticeEnd: now + noticeMsOf(expiryNoticeDays) };
  };
  return {
    countByAccount: async (caller, accountIds) => {
      const { principal, workspace } = requireAuthenticated(caller);
      const ids = accountIds.filter((id) => canReachKeys(principal, id, 'read'));
      const rows = await countKeysByAccount(
        deps.storage.read,
        workspace.id,
        ids,
        await findMoments(workspace.id),
      );
      const lastUses = await findLastUses(deps, workspace.id, ids);
      const counted = new Map<string, KeyCounts>(ids.map((id) => [id, NO_KEYS]));
      for (const { accountId, ...counts } of rows)
        counted.set(accountId, { ...counts, lastUsedAt: lastUses.get(accountId) ?? null });
      return counted;
    },
    needsAttention: async (caller) => {
      const { principal, workspace } = requireAuthenticated(caller);
      // A session sees the keys of all accounts that it sees.
      const visibleIds = principal.kind === 'session' ? null : visibleAccountIds(principal);
      return hasKeyInNeed(await findMoments(workspace.id), visibleIds);
    },
  };
}

/** When a key of each account was last used. Uses are in another store than the keys: they are looked up by key. */
async function findLastUses(
  { storage, usage }: { readonly storage: Storage; readonly usage: UsageRecorder },
  workspaceId: string,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const latest = new Map<string, number>();
  const turns = createTurns();
  let after: CursorValues | null = null;
  do {
    const { keys, end }: Awaited<ReturnType<typeof listKeyAccounts>> = await listKeyAccounts(
      storage.read,
      workspaceId,
      accountIds,
      { after, limit: LOOKUP_KEYS },
    );
    const uses = await usage.findLastUses(
      workspaceId,
      keys.map((key) => key.id),
    );
    for (const { id, accountId } of keys) {
      const at = uses.get(id)?.at;
      if (at !== undefined) latest.set(accountId, Math.max(at, latest.get(accountId) ?? 0));
    }
    after = end;
    await turns.step();
  } while (after !== null);
  return latest;
}
