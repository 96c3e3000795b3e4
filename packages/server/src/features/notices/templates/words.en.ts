import type { NoticePayloads, NoticeRequest } from '../../../jobs/index.ts';
import { note, paragraph, quoted } from './blocks.ts';
import { actorFacts, EN_KEY_BODIES, EN_KEY_SUBJECTS, oldSecret } from './key-words.en.ts';
import { EN_PACKAGE_BODIES, EN_PACKAGE_SUBJECTS } from './package-words.en.ts';
import type { MailBody, MailContext, MailWords, Telling } from './words.ts';

function keyDelivery(payload: NoticePayloads['key.delivery'], telling: Telling): MailBody {
  const { at } = telling;
  const { change } = payload;
  const secretFact =
    payload.secretKey === null ? [] : [{ label: 'Secret key', value: payload.secretKey, isCode: true }];
  const facts = [
    { label: 'Account', value: payload.accountName },
    { label: 'API key', value: payload.keyId, isCode: true },
    ...secretFact,
    { label: 'Comment', value: payload.comment },
    { label: 'Works until', value: payload.expiresAt === null ? 'no expiry' : at(payload.expiresAt) },
    ...(change === undefined ? [] : actorFacts(change, telling)),
  ];
  const old = change?.kind === 'regenerated' ? [oldSecret(change.oldWorksUntil, telling)] : [];
  const opening = [paragraph(`This is the API key for the account “${quoted(payload.accountName)}”.`)];
  if (payload.secretKey !== null) {
    return {
      opening,
      details: [
        { kind: 'facts', facts },
        ...old,
        paragraph('API key and secret key belong together. The secret key cannot be shown again.'),
        paragraph(
          'Treat the secret key like a password: store it in a secret manager, then delete this mail.',
        ),
        note('If you did not expect this key, tell your administrator. Until then, do not use it.'),
      ],
    };
  }
  return {
    opening,
    details: [
      { kind: 'facts', facts },
      ...old,
      paragraph(
        'Open the page below and press the button “Show the key” once. It shows the API key and the secret key.',
      ),
      { kind: 'action', label: 'Open the page', url: payload.linkUrl ?? '' },
      paragraph(
        `The button works only once${payload.linkExpiresAt === null ? '' : `; the link is valid until ${at(payload.linkExpiresAt)}`}. Just opening the page does not use it up.`,
      ),
      note(
        'If the link has been used and it was not you, somebody else may have the key: have it deleted or regenerated at once.',
      ),
      note('If you did not expect this key, tell your administrator.'),
    ],
  };
}

function invitation(payload: NoticePayloads['account.invitation'], telling: Telling): MailBody {
  const { at, workspaceUrl } = telling;
  const { request } = payload;
  return {
    opening: [
      paragraph(`Hello ${quoted(payload.accountName)},`),
      paragraph(
        `You have been invited to Keyreeve at ${workspaceUrl}. Set your password on the page below, then sign in.`,
      ),
    ],
    details: [
      ...(request === undefined
        ? []
        : [{ kind: 'facts', facts: actorFacts(request, telling, 'Invited by') } as const]),
      { kind: 'action', label: 'Set the password', url: payload.linkUrl },
      paragraph(`The link works only once and is valid until ${at(payload.linkExpiresAt)}.`),
      note('If you did not expect this invitation, delete this mail; nothing will happen.'),
    ],
  };
}

/** Whoever has forgotten his password is not signed in: mostly there is an address alone. */
function requestFacts({ actor, at: ms }: NoticeRequest, { at }: Telling) {
  return [
    ...(actor.name === null ? [] : [{ label: 'By', value: actor.name }]),
    ...(actor.ip === null ? [] : [{ label: 'IP address', value: actor.ip, isCode: true }]),
    { label: 'At', value: at(ms) },
  ];
}

function passwordReset(payload: NoticePayloads['account.password_reset'], telling: Telling): MailBody {
  const { at } = telling;
  const { request } = payload;
  return {
    opening: [
      paragraph(`Hello ${quoted(payload.accountName)},`),
      paragraph('Somebody asked for a new password for your account. Set it on the page below.'),
    ],
    details: [
      ...(request === undefined ? [] : [{ kind: 'facts', facts: requestFacts(request, telling) } as const]),
      { kind: 'action', label: 'Set a new password', url: payload.linkUrl },
      paragraph(`The link works only once and is valid until ${at(payload.linkExpiresAt)}.`),
      note('If you did not ask for this, delete this mail; your password stays as it is.'),
    ],
  };
}

function newPlace(payload: NoticePayloads['session.new_place'], { at }: Telling): MailBody {
  return {
    opening: [
      paragraph(`Hello ${quoted(payload.accountName)},`),
      paragraph(
        'Somebody signed in to your account from a network or with a browser that you had not used for 90 days.',
      ),
    ],
    details: [
      {
        kind: 'facts',
        facts: [
          { label: 'At', value: at(payload.at) },
          { label: 'IP address', value: payload.ip, isCode: true },
          { label: 'Browser', value: payload.userAgent ?? 'unknown' },
        ],
      },
      paragraph('If it was you, there is nothing to do.'),
      { kind: 'action', label: 'See your sessions', url: payload.pageUrl },
      paragraph('If it was not you, end that session on the page above and change your password at once.'),
    ],
  };
}

function webhookDisabled(payload: NoticePayloads['webhook.disabled'], { at }: Telling): MailBody {
  const why =
    payload.reason === 'gone'
      ? 'Its receiver answered that it is gone for good.'
      : 'A delivery was tried for three days, and every try failed.';
  const lastAnswer = payload.lastStatus === null ? 'none' : `HTTP ${payload.lastStatus}`;
  return {
    opening: [
      paragraph(`Keyreeve has disabled the webhook to ${quoted(payload.host)}. ${why}`),
      paragraph('Programs behind it no longer hear what becomes of keys.'),
    ],
    details: [
      {
        kind: 'facts',
        facts: [
          { label: 'Receiver', value: payload.host, isCode: true },
          { label: 'Description', value: payload.description === '' ? 'none' : payload.description },
          { label: 'At', value: at(payload.at) },
          { label: 'Last answer', value: lastAnswer },
        ],
      },
      { kind: 'action', label: 'See the webhook', url: payload.pageUrl },
      note(
        'Once it is enabled again, it sends new events; deliveries that were given up can be sent again one by one.',
      ),
    ],
  };
}

function footer(context: MailContext) {
  const contacts = [context.supportEmail, context.supportUrl].filter((contact) => contact !== null);
  const help =
    contacts.length === 0
      ? 'Questions? Ask your administrator.'
      : `Questions? Support: ${contacts.join(' or ')}`;
  return [note(`This mail was sent by Keyreeve at ${context.workspaceUrl}.`), note(help)];
}

export const EN: MailWords = {
  subjects: {
    ...EN_KEY_SUBJECTS,
    ...EN_PACKAGE_SUBJECTS,
    'key.delivery': (name) => `[Keyreeve] API key for ${name}`,
    'account.invitation': (name) => `[Keyreeve] Invitation for ${name}`,
    'account.password_reset': (name) => `[Keyreeve] Password reset for ${name}`,
    'session.new_place': () => '[Keyreeve] Sign-in from a new place',
    'webhook.disabled': (host) => `[Keyreeve] Webhook to ${host} was disabled`,
  },
  bodies: {
    ...EN_KEY_BODIES,
    ...EN_PACKAGE_BODIES,
    'key.delivery': keyDelivery,
    'account.invitation': invitation,
    'account.password_reset': passwordReset,
    'session.new_place': newPlace,
    'webhook.disabled': webhookDisabled,
  },
  footer,
};
