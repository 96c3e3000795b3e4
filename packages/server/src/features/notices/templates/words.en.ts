import type { NoticePayloads } from '../../../jobs/index.ts';
import { type Block, formatInstant, note, paragraph, plainLine } from './blocks.ts';
import type { MailContext, MailWords } from './words.ts';

const at = (ms: number): string => formatInstant(ms, 'en');

function keyDelivery(payload: NoticePayloads['key.delivery']): readonly Block[] {
  const facts = [
    { label: 'Account', value: payload.accountName },
    { label: 'API key', value: payload.keyId, isCode: true },
    { label: 'Comment', value: payload.comment },
    { label: 'Works until', value: payload.expiresAt === null ? 'no expiry' : at(payload.expiresAt) },
  ];
  const opening = paragraph(`This is the API key for the account “${plainLine(payload.accountName)}”.`);
  if (payload.secretKey !== null) {
    return [
      opening,
      { kind: 'facts', facts: [...facts, { label: 'Secret key', value: payload.secretKey, isCode: true }] },
      paragraph('API key and secret key belong together. The secret key cannot be shown again.'),
      paragraph('Treat the secret key like a password: store it in a secret manager, then delete this mail.'),
      note('If you did not expect this key, tell your administrator. Until then, do not use it.'),
    ];
  }
  return [
    opening,
    { kind: 'facts', facts },
    paragraph(
      'Open the page below and press the button “Show the key” once. It shows the API key and the secret key.',
    ),
    { kind: 'action', label: 'Open the page', url: payload.linkUrl ?? '' },
    paragraph(
      `The button works only once${payload.linkExpiresAt === null ? '' : `; the link is valid until ${at(payload.linkExpiresAt)}`}. Opening the page uses nothing up.`,
    ),
    note(
      'If the link has been used and it was not you, somebody else may have the key: have it deleted or regenerated at once.',
    ),
    note('If you did not expect this key, tell your administrator.'),
  ];
}

function invitation(payload: NoticePayloads['account.invitation'], context: MailContext): readonly Block[] {
  return [
    paragraph(`Hello ${plainLine(payload.accountName)},`),
    paragraph(
      `you have been invited to Keyreeve at ${context.workspaceUrl}. Set your password, then you can sign in.`,
    ),
    { kind: 'action', label: 'Set the password', url: payload.linkUrl },
    paragraph(`The link works only once and is valid until ${at(payload.linkExpiresAt)}.`),
    note('If you did not expect this invitation, delete this mail; nothing will happen.'),
  ];
}

function passwordReset(payload: NoticePayloads['account.password_reset']): readonly Block[] {
  return [
    paragraph(`Hello ${plainLine(payload.accountName)},`),
    paragraph('a new password was asked for your account. Set it on the page below.'),
    { kind: 'action', label: 'Set a new password', url: payload.linkUrl },
    paragraph(`The link works only once and is valid until ${at(payload.linkExpiresAt)}.`),
    note('If you did not ask for this, delete this mail; your password stays as it is.'),
  ];
}

function footer(context: MailContext): readonly Block[] {
  const contacts = [context.supportEmail, context.supportUrl].filter((contact) => contact !== null);
  const help =
    contacts.length === 0
      ? 'Questions? Ask your administrator.'
      : `Questions? Support: ${contacts.join(' or ')}`;
  return [note(`This mail was sent by Keyreeve at ${context.workspaceUrl}.`), note(help)];
}

export const EN: MailWords = {
  subjects: {
    'key.delivery': (name) => `[Keyreeve] API key for ${name}`,
    'account.invitation': (name) => `[Keyreeve] Invitation for ${name}`,
    'account.password_reset': (name) => `[Keyreeve] New password for ${name}`,
  },
  bodies: {
    'key.delivery': keyDelivery,
    'account.invitation': invitation,
    'account.password_reset': passwordReset,
  },
  footer,
};
