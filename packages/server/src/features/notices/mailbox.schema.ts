import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../http/index.ts';
import { NOTICE_KINDS } from '../../jobs/index.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);

const State = Type.Union(
  [Type.Literal('pending'), Type.Literal('sent'), Type.Literal('failed'), Type.Literal('mailbox')],
  {
    description:
      '`pending`: on its way; `sent`; `failed`: given up; `mailbox`: kept here, because no SMTP server is set.',
  },
);

const fields = {
  id: Type.String(),
  kind: Type.String({ description: `One of ${NOTICE_KINDS.map((kind) => `\`${kind}\``).join(', ')}.` }),
  to: Type.Object({ name: Type.String(), address: Type.String() }, { additionalProperties: false }),
  accountId: Type.Union([Type.String(), Type.Null()], {
    description: 'The account that the mail is for; null when the address belongs to none.',
  }),
  subject: Type.String(),
  locale: Type.Union([Type.Literal('en'), Type.Literal('ja')], { description: 'The language of the mail.' }),
  state: State,
  attempts: Type.Integer({ description: 'Tries so far.' }),
  lastError: Type.Union([Type.String(), Type.Null()], {
    description: 'Why the last try failed; for administrators.',
  }),
  createdAt: Type.String({ format: 'date-time' }),
  doneAt: NullableText,
};

export const MailSchema = Type.Object(fields, { $id: 'Mail', additionalProperties: false });
export const OpenedMailSchema = Type.Object(
  {
    ...fields,
    text: Type.String(),
    html: Type.String({
      description: 'A whole document without remote content. Show it in a sandboxed frame.',
    }),
    isMasked: Type.Boolean({
      description: 'True for everybody but the addressee: links and secrets are replaced by dots.',
    }),
  },
  { $id: 'OpenedMail', additionalProperties: false },
);
export const MailPageSchema = pageOf(refTo(MailSchema));
export const MailQuerySchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor, state: Type.Optional(State) },
  { additionalProperties: false },
);
export const MailParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
