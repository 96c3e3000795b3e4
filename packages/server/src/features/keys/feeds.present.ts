import type { Static } from 'typebox';
import { toIso, toIsoOrNull } from '../../lib/clock.ts';
import type { Secret } from '../../lib/secret.ts';
import type { FeedLink } from './feeds.repo.ts';
import type { FeedLinkSchema, NewFeedLinkSchema } from './feeds.schema.ts';

export const CALENDAR_FILE = 'expiries.ics';
export const ATOM_FILE = 'expiries.atom';

export function presentFeedLink(link: FeedLink): Static<typeof FeedLinkSchema> {
  return {
    id: link.id,
    scope: link.scope,
    createdAt: toIso(link.createdAt),
    lastUsedAt: toIsoOrNull(link.lastUsedAt),
  };
}

export function presentNewFeedLink(
  { link, token }: { readonly link: FeedLink; readonly token: Secret },
  workspaceUrl: string,
): Static<typeof NewFeedLinkSchema> {
  const base = `${workspaceUrl}/feeds/${token.reveal()}`;
  return {
    ...presentFeedLink(link),
    calendarUrl: `${base}/${CALENDAR_FILE}`,
    atomUrl: `${base}/${ATOM_FILE}`,
  };
}
