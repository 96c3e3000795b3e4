import { requireAuthenticated } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Storage } from '../../storage/index.ts';
import type { AccountKeys, KeyCounts } from '../accounts/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { countKeysByAccount, type ExpiryMoments, hasKeyInNeed } from './account-keys.repo.ts';
import { noticeMsOf } from './api-key.ts';
import { canReachKeys, visibleAccountIds } from './keys.policy.ts';

const NO_KEYS: KeyCounts = { total: 0, expiring: 0, expired: 0, nextExpiresAt: null };

/** What the lists of accounts tell of keys; made for the accounts feature, which may not import this one. */
export function createAccountKeys(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly settings: SettingsService;
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
      const counted = new Map<string, KeyCounts>(ids.map((id) => [id, NO_KEYS]));
      for (const { accountId, ...counts } of rows) counted.set(accountId, counts);
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
