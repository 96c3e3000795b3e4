import type { Caller } from '../../http/index.ts';
import { type Clock, DAY_MS } from '../../lib/clock.ts';
import { ipRangeOf } from '../../lib/ip-list.ts';
import { sha256Hex } from '../../lib/mac.ts';
import type { Tx } from '../../storage/index.ts';
import type { Account, AccountNotices } from '../accounts/index.ts';
import {
  deletePlaces,
  deletePlacesBefore,
  findPlace,
  hasAnyPlace,
  savePlace,
} from './sign-in-places.repo.ts';

const FORGOTTEN_AFTER_MS = 90 * DAY_MS;

const BROWSERS: readonly (readonly [name: string, sign: RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS|Chromium)\//],
  ['Safari', /\bSafari\//],
];
const SYSTEMS: readonly (readonly [name: string, sign: RegExp])[] = [
  ['Android', /\bAndroid\b/],
  ['iOS', /\b(?:iPhone|iPad|iPod)\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
];

/** Browser and system without their versions: an update makes no new place. Null for what is no known browser. */
export function describeBrowser(userAgent: string | null): string | null {
  if (userAgent === null) return null;
  const find = (kinds: typeof BROWSERS) => kinds.find(([, sign]) => sign.test(userAgent))?.[0];
  const found = [find(BROWSERS), find(SYSTEMS)].filter((part) => part !== undefined);
  return found.length === 0 ? null : found.join(', ');
}

/** Remembers where people sign in, and tells them of a place that is new. */
export interface SignInPlaces {
  /**
   * In the transaction of a sign-in. A place is a range of addresses (/24, for IPv6 /48) together with a browser
   * and a system; it is new when the account was not seen there for 90 days. The first place of all is no news.
   */
  note(tx: Tx, caller: Caller, account: Account): Promise<void>;
  /** The account is going. */
  forget(tx: Tx, account: Account): Promise<void>;
}

export function createSignInPlaces(deps: {
  readonly clock: Clock;
  readonly accountNotices: AccountNotices;
}): SignInPlaces {
  return {
    note: async (tx, { ip, userAgent, workspace }, account) => {
      // The server itself signs nobody in from anywhere.
      if (ip === null) return;
      const now = deps.clock.now();
      const browser = describeBrowser(userAgent);
      const place = `${account.workspaceId}|${account.id}|${ipRangeOf(ip)}|${browser ?? 'unknown'}`;
      const placeDigest = sha256Hex(place);
      const seenAt = await findPlace(tx, account.id, placeDigest);
      const isNew = seenAt === null || now - seenAt > FORGOTTEN_AFTER_MS;
      const isFirst = seenAt === null && !(await hasAnyPlace(tx, account.id));
      await savePlace(tx, { workspaceId: account.workspaceId, accountId: account.id, placeDigest, at: now });
      await deletePlacesBefore(tx, account.id, now - FORGOTTEN_AFTER_MS);
      if (!isNew || isFirst) return;
      await deps.accountNotices.tell(tx, account, 'session.new_place', {
        accountName: account.displayName,
        at: now,
        ip,
        userAgent: browser,
        pageUrl: `${workspace.url}/profile`,
      });
    },
    forget: (tx, account) => deletePlaces(tx, account.id),
  };
}
