import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';

const Scope = Type.Union([Type.Literal('own'), Type.Literal('workspace')], {
  description:
    '`own`: your keys and those of the service accounts that you manage; `workspace`: all keys, for administrators.',
});

const fields = {
  id: Type.String(),
  scope: Scope,
  createdAt: Type.String({ format: 'date-time' }),
  lastUsedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'To the hour; null when no program has read it yet.',
  }),
};

export const FeedLinkSchema = Type.Object(fields, { $id: 'FeedLink', additionalProperties: false });
export const NewFeedLinkSchema = Type.Object(
  {
    ...fields,
    calendarUrl: Type.String({ description: 'The iCalendar feed. Told only here.' }),
    atomUrl: Type.String({ description: 'The Atom feed. Told only here.' }),
  },
  { $id: 'NewFeedLink', additionalProperties: false },
);
export const FeedLinkPageSchema = pageOf(refTo(FeedLinkSchema));
export const FeedLinkQuerySchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor },
  { additionalProperties: false },
);
export const CreateFeedLinkSchema = Type.Object({ scope: Scope }, { additionalProperties: false });
export const FeedLinkParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
/** As long as the router takes: a token of a wrong length is a wrong token, and no other answer. */
export const FeedParams = Type.Object({ token: Type.String({ maxLength: 300 }) });
