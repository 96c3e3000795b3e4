import ical, { ICalAlarmType, ICalEventTransparency } from 'ical-generator';
import type { Locale } from '../../jobs/index.ts';
import { HOUR_MS } from '../../lib/clock.ts';
import type { ComingExpiry, ExpiryFeed } from './expiry-feed.ts';
import { expiryDescription, expirySummary, feedTitle } from './feeds.words.ts';

const SECOND_MS = 1_000;
/** How often a calendar ought to ask, in seconds. */
const REFRESH_SECONDS = (6 * HOUR_MS) / SECOND_MS;

function toEvent(expiry: ComingExpiry, locale: Locale) {
  const summary = expirySummary(expiry, locale);
  return {
    // With its next expiry a regenerated key is another event.
    id: `${expiry.keyId}-${expiry.expiresAt}@keyreeve`,
    start: new Date(expiry.expiresAt),
    // Not the moment of the answer: the same state must be the same file.
    stamp: new Date(expiry.changedAt),
    lastModified: new Date(expiry.changedAt),
    summary,
    description: expiryDescription(expiry, locale),
    url: expiry.pageUrl,
    // Nobody is busy because a key expires.
    transparency: ICalEventTransparency.TRANSPARENT,
    alarms: expiry.noticeAheadsMs.map((aheadMs) => ({
      type: ICalAlarmType.display,
      triggerBefore: Math.round(aheadMs / SECOND_MS),
      description: summary,
    })),
  };
}

/** The feed by RFC 5545. */
export function toCalendar(feed: ExpiryFeed): string {
  return ical({
    name: feedTitle(feed),
    prodId: { company: 'Keyreeve', product: 'Expiries', language: feed.locale.toUpperCase() },
    ttl: REFRESH_SECONDS,
    events: feed.expiries.map((expiry) => toEvent(expiry, feed.locale)),
  }).toString();
}
