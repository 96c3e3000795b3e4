import type { Locale } from '../../jobs/index.ts';
import { DAY_MS } from '../../lib/clock.ts';
import { nextTurn } from '../../lib/turns.ts';
import { EXPIRED_STEP, listExpirySteps } from './expiry-steps.ts';
import type { KeyView } from './key-list.ts';
import { keyPageUrl } from './key-notices.ts';

/** One coming expiry, as calendars and feed readers show it. */
export interface ComingExpiry {
  readonly keyId: string;
  readonly comment: string;
  readonly accountName: string;
  readonly expiresAt: number;
  /** How long before the expiry people are told, in milliseconds. */
  readonly noticeAheadsMs: readonly number[];
  /** When the key was last changed. */
  readonly changedAt: number;
  /** The later of that and of the last notice that has come: the expiry then is news once more. */
  readonly updatedAt: number;
  /** Where the reader can renew the key. */
  readonly pageUrl: string;
}

export interface ExpiryFeed {
  readonly linkId: string;
  readonly workspaceName: string;
  /** The console. */
  readonly homeUrl: string;
  readonly locale: Locale;
  readonly createdAt: number;
  /** Soonest first. */
  readonly expiries: readonly ComingExpiry[];
}

/** How far ahead a feed looks: a key made for a year is in it from its first day. */
export const FEED_AHEAD_MS = 400 * DAY_MS;
export const FEED_KEYS_MAX = 500;
/** Written without letting others have the event loop: long comments take half a millisecond each to fold. */
const ENTRIES_AT_ONCE = 5;

/** The coming expiry of a working key; none for a key that never expires. */
export function toComingExpiry(
  view: KeyView,
  context: { readonly workspaceUrl: string; readonly noticeDays: readonly number[]; readonly now: number },
): ComingExpiry[] {
  const { key, account } = view;
  const { expiresAt } = key.current;
  if (expiresAt === null) return [];
  const life = { startedAt: key.renewedAt ?? key.createdAt, expiresAt };
  const noticeAheadsMs = listExpirySteps(life, context.noticeDays).filter((step) => step !== EXPIRED_STEP);
  const past = noticeAheadsMs.map((aheadMs) => expiresAt - aheadMs).filter((at) => at <= context.now);
  return [
    {
      keyId: key.id,
      comment: key.comment,
      accountName: account.displayName,
      expiresAt,
      noticeAheadsMs,
      changedAt: key.updatedAt,
      updatedAt: Math.max(key.updatedAt, ...past),
      pageUrl: keyPageUrl(context.workspaceUrl, account),
    },
  ];
}

/** The texts of all entries, one behind the other. */
export async function writeEach(
  expiries: readonly ComingExpiry[],
  write: (expiry: ComingExpiry) => string,
): Promise<string> {
  const texts: string[] = [];
  for (const expiry of expiries) {
    if (texts.length > 0 && texts.length % ENTRIES_AT_ONCE === 0) await nextTurn();
    texts.push(write(expiry));
  }
  return texts.join('');
}
