import { CAST, OWNERS } from './cast.ts';
import type { Credential } from './credential.ts';
import { anybody, type Demand, gate, isAdmin, type Target, type Verdict } from './oracle.ts';
import { type Answer, compareNames, itemsOf, type Row } from './row.ts';
import { belongingsOf, FEED_LINK_TARGETS, FEED_TARGETS } from './targets.ts';

const SESSION: Demand = { kinds: ['session'] };

function isOwn({ facts }: Credential, { person, place }: Target): boolean {
  return facts.kind === 'session' && place === 'home' && facts.person === person;
}

const links: readonly Row[] = [
  {
    route: 'GET /v1/feed-links',
    send: () => ({ url: '/v1/feed-links?limit=200' }),
    expect: (who) => gate(who, 'GET', SESSION) ?? 'allow',
    judge: (answer, who) => {
      const known = FEED_LINK_TARGETS.filter(({ place }) => place === 'home');
      const shown = itemsOf(answer).map(
        ({ id }) => known.find((target) => target.id(who) === id)?.name ?? 'a link of no role',
      );
      return compareNames(
        shown,
        known.filter((target) => isOwn(who, target)).map(({ name }) => name),
      );
    },
  },
  {
    route: 'POST /v1/feed-links',
    variant: 'to his own keys',
    send: () => ({ url: '/v1/feed-links', body: { scope: 'own' } }),
    expect: (who) => gate(who, 'POST', SESSION) ?? 'allow',
  },
  {
    route: 'POST /v1/feed-links',
    variant: 'to the workspace',
    send: () => ({ url: '/v1/feed-links', body: { scope: 'workspace' } }),
    expect: (who) => gate(who, 'POST', SESSION) ?? (isAdmin(who.facts) ? 'allow' : 403),
  },
  {
    route: 'DELETE /v1/feed-links/:id',
    targets: FEED_LINK_TARGETS,
    send: (who, target) => ({ url: `/v1/feed-links/${target.id(who)}` }),
    expect: (who, target) =>
      gate(who, 'DELETE', SESSION) ??
      (isOwn(who, target) || (isAdmin(who.facts) && target.place === 'home') ? 'allow' : 404),
  },
];

/** Whoever comes with it: the link alone decides, and only in its own workspace. */
function onFeed(who: Credential, target: Target): Verdict {
  const verdict = anybody(who);
  return verdict === 'allow' && target.place !== 'home' ? 404 : verdict;
}

/** The keys of its holder and of the service accounts that he manages, and nobody else's. */
function judgeFeed(answer: Answer, who: Credential, { person: holder }: Target): string | null {
  // A calendar breaks its lines anywhere.
  const text = answer.body.replaceAll('\r\n ', '');
  const isHis = (person: (typeof OWNERS)[number]) =>
    holder !== null && (person === holder || CAST[holder].manages.includes(person));
  const shown = OWNERS.filter((person) => text.includes(belongingsOf(who.home, person).spare.apiKey));
  return compareNames(shown, OWNERS.filter(isHis));
}

function feedRow(file: string): Row {
  return {
    route: `GET /feeds/:token/${file}`,
    targets: FEED_TARGETS,
    // When it was last used is written down.
    isRecorded: true,
    send: (who, target) => ({ url: `/feeds/${target.id(who)}/${file}` }),
    expect: onFeed,
    judge: judgeFeed,
  };
}

export const FEED_ROWS: readonly Row[] = [...links, feedRow('expiries.ics'), feedRow('expiries.atom')];
