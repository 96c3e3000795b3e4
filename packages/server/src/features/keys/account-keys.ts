import type { Clock } from '../../lib/clock.ts';
import type { Storage } from '../../storage/index.ts';
import type { AccountKeys } from '../accounts/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { countKeysByAccount, type ExpiryMoments, hasKeyInNeed } from './account-keys.repo.ts';
import { noticeMsOf } from './api-key.ts';

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
    countByAccount: async (workspaceId, accountIds) => {
      const moments = await findMoments(workspaceId);
      const rows = await countKeysByAccount(deps.storage.read, workspaceId, accountIds, moments);
      return new Map(rows.map(({ accountId, ...counts }) => [accountId, counts]));
    },
    needsAttention: async (workspaceId) => hasKeyInNeed(await findMoments(workspaceId)),
  };
}
