import ical, { ICalAlarmType, ICalEventTransparency } from 'ical-generator';
import type { Locale } from '../../jobs/index.ts';
import { HOUR_MS } from '../../lib/clock.ts';
import { type ComingExpiry, type ExpiryFeed, writeEach } from './expiry-feed.ts';
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

const END = 'END:VCALENDAR';

/** The feed by RFC 5545. */
export async function toCalendar(feed: ExpiryFeed): Promise<string> {
  const calendar = {
    name: feedTitle(feed),
    prodId: { company: 'Keyreeve', product: 'Expiries', language: feed.locale.toUpperCase() },
    ttl: REFRESH_SECONDS,
  };
  const head = ical(calendar).toString().slice(0, -END.length);
  const events = await writeEach(feed.expiries, (expiry) =>
    ical({ ...calendar, events: [toEvent(expiry, feed.locale)] })
      .toString()
      .slice(head.length, -END.length),
  );
  // Each line has an end, also the last one, which the library leaves open.
  return `${head}${events}${END}\r\n`;
}
