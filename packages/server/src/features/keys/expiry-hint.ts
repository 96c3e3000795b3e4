import { type Clock, toIso } from '../../lib/clock.ts';
import type { SettingsService } from '../settings/index.ts';
import { noticeMsOf } from './api-key.ts';

/** The response header with the instant at which the presented key stops working. */
export const EXPIRY_HEADER = 'keyreeve-key-expires';

/** Tells the caller of a key in the answer itself that the key is about to expire. */
export interface ExpiryHint {
  /** The instant for the header from the first notice day on; null before, for keys without expiry, and on a fault. */
  find(workspaceId: string, expiresAt: number | null): Promise<string | null>;
}

/** A hint may begin some seconds late; reading the settings for each verification would cost more than the rest. */
const REMEMBERED_MS = 10_000;
const WORKSPACES_MAX = 1_000;

export function createExpiryHint(deps: {
  readonly settings: SettingsService;
  readonly clock: Clock;
}): ExpiryHint {
  const known = new Map<string, { readonly noticeMs: number; readonly until: number }>();

  const findNoticeMs = async (workspaceId: string, now: number): Promise<number> => {
    const remembered = known.get(workspaceId);
    if (remembered !== undefined && remembered.until > now && remembered.until <= now + REMEMBERED_MS)
      return remembered.noticeMs;
    const { expiryNoticeDays } = await deps.settings.get(workspaceId);
    const noticeMs = noticeMsOf(expiryNoticeDays);
    if (known.size >= WORKSPACES_MAX) known.clear();
    known.set(workspaceId, { noticeMs, until: now + REMEMBERED_MS });
    return noticeMs;
  };

  return {
    find: async (workspaceId, expiresAt) => {
      if (expiresAt === null) return null;
      const now = deps.clock.now();
      try {
        return expiresAt - now <= (await findNoticeMs(workspaceId, now)) ? toIso(expiresAt) : null;
      } catch {
        // Asked when the answer is ready, perhaps the one which says that the database is away: a hint must not
        // replace it, and whatever needs the database says for itself what is wrong with it.
        return null;
      }
    },
  };
}
