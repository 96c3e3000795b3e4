import type {
  KeyChange,
  KeyFacts,
  KeyStop,
  KeyUse,
  NoticeKind,
  NoticePayloads,
  NoticeRequest,
} from '../../../jobs/index.ts';
import { type Block, type Fact, note, paragraph, quoted } from './blocks.ts';
import type { BodyWords, MailBody, Telling } from './words.ts';

type KeyKind = Exclude<Extract<NoticeKind, `key.${string}`>, 'key.delivery'>;

const NOT_YOU = 'If nobody on your team did this, disable the key on that page and tell your administrator.';
/** Of a key that does not work any more. */
const NOT_YOU_EITHER = 'If nobody on your team did this, tell your administrator.';
/** Why keys with a right secret are refused; what is not here is shown as it is. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['insufficient_scope', 'it asked for more than the key may do'],
  ['ip_not_allowed', 'it came from an address that is not allowed'],
  ['rate_limited', 'it came too often'],
  ['account_disabled', 'its account was disabled'],
  ['disabled', 'it was disabled'],
  ['expired', 'it had expired'],
]);
const FIELDS = {
  comment: 'Comment',
  patterns: 'Patterns',
  ipRanges: 'Allowed addresses',
  limits: 'Limits',
} as const;

function nameFacts(key: KeyFacts): readonly Fact[] {
  return [
    { label: 'Account', value: key.accountName },
    { label: 'API key', value: key.keyId, isCode: true },
    { label: 'Comment', value: key.comment },
    ...(key.access === 'full' ? [{ label: 'Access', value: 'full access' }] : []),
  ];
}

function keyFacts(key: KeyFacts, { at }: Telling, label = 'Works until'): readonly Fact[] {
  return [...nameFacts(key), { label, value: key.expiresAt === null ? 'no expiry' : at(key.expiresAt) }];
}

export function actorFacts({ actor, at: ms }: NoticeRequest, { at }: Telling, label = 'By'): readonly Fact[] {
  const by = actor.name === null ? 'Keyreeve' : actor.name;
  return [
    { label, value: actor.ip === null ? by : `${by}, from ${actor.ip}` },
    { label: 'At', value: at(ms) },
  ];
}

function useText(use: KeyUse | null, { at }: Telling): string {
  if (use === null) return 'never';
  const from = [use.ip, use.userAgent].filter((part) => part !== null);
  return from.length === 0 ? at(use.at) : `${at(use.at)}, from ${from.join(', ')}`;
}

function opening(key: KeyFacts, what: string): readonly Block[] {
  return [paragraph(`The API key “${quoted(key.comment)}” of ${quoted(key.accountName)} ${what}.`)];
}

function changeBody(
  what: string,
  change: KeyChange,
  telling: Telling,
  more: readonly Block[] = [],
): MailBody {
  return {
    opening: opening(change, what),
    details: [
      { kind: 'facts', facts: [...keyFacts(change, telling), ...actorFacts(change, telling)] },
      ...more,
      { kind: 'action', label: 'See the key', url: change.pageUrl },
      note(NOT_YOU),
    ],
  };
}

/** What became of the secret that a regenerated key had before. */
export function oldSecret(oldWorksUntil: number | null, { at }: Telling): Block {
  return paragraph(
    oldWorksUntil === null
      ? 'The old secret key stopped working at once. Programs that still use it are refused.'
      : `The old secret key works until ${at(oldWorksUntil)}.`,
  );
}

function disabled(payload: NoticePayloads['key.disabled'], telling: Telling): MailBody {
  const isRevoked = payload.isRevoked === true;
  const reason = isRevoked || payload.reason === null ? [] : [{ label: 'Reason', value: payload.reason }];
  return {
    opening: opening(
      payload,
      isRevoked
        ? 'was revoked by a program or person that has its secret key, and no longer works'
        : 'was disabled and no longer works',
    ),
    details: [
      {
        kind: 'facts',
        facts: [...keyFacts(payload, telling, 'Expires'), ...actorFacts(payload, telling), ...reason],
      },
      paragraph(
        isRevoked
          ? 'Its secret key never works again, also when the key is enabled. Regenerate the key and enable it to use it again, or delete it for good.'
          : 'It can be enabled again, or deleted for good.',
      ),
      { kind: 'action', label: 'See the key', url: payload.pageUrl },
      note(NOT_YOU_EITHER),
    ],
  };
}

function deleted(change: KeyChange, telling: Telling): MailBody {
  return {
    opening: opening(change, 'was deleted for good and no longer works'),
    details: [
      { kind: 'facts', facts: [...nameFacts(change), ...actorFacts(change, telling)] },
      paragraph('It cannot be brought back. Programs that still use it need another key.'),
      { kind: 'action', label: 'See the other keys', url: change.pageUrl },
      note(NOT_YOU_EITHER),
    ],
  };
}

function stopList(stop: KeyStop, when: string): readonly Block[] {
  if (stop.stops.length === 0) return [];
  const rest = stop.stopsCount - stop.stops.length;
  const items = rest > 0 ? [...stop.stops, `and ${rest} more`] : stop.stops;
  return [
    paragraph(`${when} it can no longer push or unlist these packages, or do these actions:`),
    { kind: 'list', items },
  ];
}

function stopFacts(stop: KeyStop, telling: Telling, label?: string): Block {
  const lastUse = { label: 'Last used', value: useText(stop.lastUse, telling) };
  return { kind: 'facts', facts: [...keyFacts(stop, telling, label), lastUse] };
}

function remedy(stop: KeyStop): readonly Block[] {
  if (stop.access === 'full') {
    return [
      paragraph('A full-access key cannot be regenerated. Create a scoped key to take its place.'),
      { kind: 'action', label: 'Create a key', url: stop.pageUrl },
    ];
  }
  return [
    { kind: 'action', label: 'Regenerate the key', url: stop.pageUrl },
    note(
      'Regenerating gives a new secret key and a new expiry; the API key, its comment and its rights stay.',
    ),
  ];
}

export const EN_KEY_SUBJECTS = {
  'key.created': (key: string) => `[Keyreeve] API key “${key}” was created`,
  'key.regenerated': (key: string) => `[Keyreeve] API key “${key}” was regenerated`,
  'key.changed': (key: string) => `[Keyreeve] API key “${key}” was changed`,
  'key.disabled': (key: string) => `[Keyreeve] API key “${key}” was disabled`,
  'key.enabled': (key: string) => `[Keyreeve] API key “${key}” was enabled`,
  'key.deleted': (key: string) => `[Keyreeve] API key “${key}” was deleted`,
  'key.expiring': (key: string) => `[Keyreeve] API key “${key}” is about to expire`,
  'key.expired': (key: string) => `[Keyreeve] API key “${key}” has expired`,
  'key.refused': (key: string) => `[Keyreeve] API key “${key}” is being refused repeatedly`,
};

export const EN_KEY_BODIES: BodyWords<KeyKind> = {
  'key.created': (change, telling) => changeBody('was created', change, telling),
  'key.regenerated': (change, telling) =>
    changeBody('got a new secret key', change, telling, [oldSecret(change.oldWorksUntil, telling)]),
  'key.changed': (change, telling) =>
    changeBody('was changed', change, telling, [
      paragraph('What was changed:'),
      {
        kind: 'facts',
        facts: change.changes.map(({ field, from, to }) => ({
          label: FIELDS[field],
          value: `${from === '' ? 'none' : from} → ${to === '' ? 'none' : to}`,
          isCode: field !== 'comment',
        })),
      },
    ]),
  'key.disabled': disabled,
  'key.enabled': (change, telling) => changeBody('was enabled and works again', change, telling),
  'key.deleted': deleted,
  'key.expiring': (stop, telling) => ({
    opening: opening(
      stop,
      stop.expiresAt === null ? 'is about to expire' : `stops working on ${telling.at(stop.expiresAt)}`,
    ),
    details: [...stopList(stop, 'From then on'), stopFacts(stop, telling), ...remedy(stop)],
  }),
  'key.expired': (stop, telling) => ({
    opening: opening(stop, 'has expired and no longer works'),
    details: [...stopList(stop, 'Since then'), stopFacts(stop, telling, 'Expired'), ...remedy(stop)],
  }),
  'key.refused': (refused, telling) => ({
    opening: opening(
      refused,
      `was refused ${refused.count} times within an hour, although its secret key was right`,
    ),
    details: [
      {
        kind: 'facts',
        facts: [
          ...keyFacts(refused, telling),
          { label: 'Reason', value: REASONS.get(refused.reason) ?? refused.reason },
          { label: 'Last refusal', value: useText(refused.lastRefusal, telling) },
        ],
      },
      paragraph(
        'Either a program is set up wrongly, or somebody is trying out a key that leaked. Correct the program; if you do not recognize it, disable the key or regenerate it.',
      ),
      { kind: 'action', label: 'See the key', url: refused.pageUrl },
      note('You get at most one mail like this per key and day.'),
    ],
  }),
};
