import { toXml } from 'xast-util-to-xml';
import { x } from 'xastscript';
import type { Locale } from '../../jobs/index.ts';
import { toIso } from '../../lib/clock.ts';
import { type ComingExpiry, type ExpiryFeed, writeEach } from './expiry-feed.ts';
import { expiryDescription, expirySummary, feedTitle } from './feeds.words.ts';

const ATOM = 'http://www.w3.org/2005/Atom';
const DECLARATION = { type: 'instruction', name: 'xml', value: 'version="1.0" encoding="utf-8"' } as const;

/** XML has no spelling at all for some characters; one of them would make the whole feed unreadable. */
function readable(text: string): string {
  return text.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}

function toEntry(expiry: ComingExpiry, locale: Locale) {
  return x('entry', [
    // With its next expiry a regenerated key is another entry.
    x('id', `urn:keyreeve:expiry:${expiry.keyId}:${expiry.expiresAt}`),
    x('title', readable(expirySummary(expiry, locale))),
    x('updated', toIso(expiry.updatedAt)),
    x('link', { rel: 'alternate', href: expiry.pageUrl }),
    x('content', { type: 'text' }, readable(expiryDescription(expiry, locale))),
  ]);
}

const END = '</feed>';

/** The feed by RFC 4287. It names no address of its own: that is the secret. */
export async function toAtom(feed: ExpiryFeed): Promise<string> {
  const updatedAt = Math.max(feed.createdAt, ...feed.expiries.map((expiry) => expiry.updatedAt));
  const root = x('feed', { xmlns: ATOM, 'xml:lang': feed.locale }, [
    x('id', `urn:keyreeve:feed:${feed.linkId}`),
    x('title', readable(feedTitle(feed))),
    x('updated', toIso(updatedAt)),
    x('author', [x('name', 'Keyreeve')]),
    x('generator', 'Keyreeve'),
    x('link', { rel: 'alternate', href: feed.homeUrl }),
  ]);
  const entries = await writeEach(feed.expiries, (expiry) => toXml(toEntry(expiry, feed.locale)));
  return `${toXml([DECLARATION, root]).slice(0, -END.length)}${entries}${END}`;
}
