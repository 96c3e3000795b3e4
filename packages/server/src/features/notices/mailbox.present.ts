import type { Static } from 'typebox';
import { toIso, toIsoOrNull } from '../../lib/clock.ts';
import type { MailSchema, OpenedMailSchema } from './mailbox.schema.ts';
import type { MailView, OpenedMail } from './mailbox.service.ts';
import { renderSubject, toLocale } from './templates/render.ts';

type MailState = Static<typeof MailSchema>['state'];

export function presentMail({ mail, lastError, mailTexts }: MailView): Static<typeof MailSchema> {
  return {
    id: mail.id,
    kind: mail.kind,
    to: { name: mail.to_name, address: mail.to_address },
    accountId: mail.account_id,
    subject: renderSubject(mail.kind, toLocale(mail.locale), mail.about ?? mail.to_name, mailTexts),
    locale: toLocale(mail.locale),
    state: mail.state as MailState,
    attempts: mail.attempts,
    lastError,
    createdAt: toIso(mail.created_at),
    doneAt: toIsoOrNull(mail.done_at),
  };
}

export function presentOpenedMail(opened: OpenedMail): Static<typeof OpenedMailSchema> {
  const { text, html } = opened.rendered;
  return { ...presentMail(opened), text, html, isMasked: opened.isMasked };
}
