import type { KeyChange, KeyFacts, KeyStop, KeyUse, NoticeKind } from '../../../jobs/index.ts';
import { type Block, type Fact, note, paragraph, plainLine } from './blocks.ts';
import type { BodyWords, Telling } from './words.ts';

type KeyKind = Exclude<Extract<NoticeKind, `key.${string}`>, 'key.delivery'>;

const NOT_YOU = 'If nobody on your team did this, disable the key on that page and tell your administrator.';
/** Why keys with a right secret are refused; what is not here is shown as it is. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['insufficient_scope', 'it asked for more than the key may do'],
  ['ip_not_allowed', 'it came from an address that is not allowed'],
  ['rate_limited', 'it came too often'],
]);
const FIELDS = { comment: 'Comment', patterns: 'Patterns', ipRanges: 'Allowed addresses' } as const;

function keyFacts(key: KeyFacts, { at }: Telling): readonly Fact[] {
  return [
    { label: 'Account', value: key.accountName },
    { label: 'API key', value: key.keyId, isCode: true },
    { label: 'Comment', value: key.comment },
    {
      label: key.access === 'full' ? 'Full access; works until' : 'Works until',
      value: key.expiresAt === null ? 'no expiry' : at(key.expiresAt),
    },
  ];
}

function actorFact({ actor, at: ms }: KeyChange, { at }: Telling): readonly Fact[] {
  const by = actor.name === null ? 'Keyreeve' : actor.name;
  return [
    { label: 'By', value: actor.ip === null ? by : `${by}, from ${actor.ip}` },
    { label: 'At', value: at(ms) },
  ];
}

function useText(use: KeyUse | null, { at }: Telling): string {
  if (use === null) return 'never';
  const from = [use.ip, use.userAgent].filter((part) => part !== null).map(plainLine);
  return from.length === 0 ? at(use.at) : `${at(use.at)}, from ${from.join(', ')}`;
}

function changeBody(what: string, change: KeyChange, telling: Telling, more: readonly Block[] = []) {
  return {
    opening: [
      paragraph(`The API key “${plainLine(change.comment)}” of ${plainLine(change.accountName)} ${what}.`),
    ],
    details: [
      { kind: 'facts', facts: [...keyFacts(change, telling), ...actorFact(change, telling)] },
      ...more,
      { kind: 'action', label: 'See the key', url: change.pageUrl },
      note(NOT_YOU),
    ],
  } as const;
}

function stopList(stop: KeyStop): readonly Block[] {
  if (stop.stops.length === 0) return [];
  const rest = stop.stopsCount - stop.stops.length;
  const items = rest > 0 ? [...stop.stops, `and ${rest} more`] : stop.stops;
  return [paragraph('These stop with it:'), { kind: 'list', items }];
}

function stopFacts(stop: KeyStop, telling: Telling): Block {
  const lastUse = { label: 'Last used', value: useText(stop.lastUse, telling) };
  return { kind: 'facts', facts: [...keyFacts(stop, telling), lastUse] };
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
    note('Regenerating gives a new secret and a new expiry; the API key, its comment and its rights stay.'),
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
    changeBody('got a new secret', change, telling, [
      paragraph(
        change.oldWorksUntil === null
          ? 'The old secret key stopped at once. Programs that still use it are refused.'
          : `The old secret key works until ${telling.at(change.oldWorksUntil)}.`,
      ),
    ]),
  'key.changed': (change, telling) =>
    changeBody('was changed', change, telling, [
      paragraph('What is new:'),
      {
        kind: 'facts',
        facts: change.changes.map(({ field, from, to }) => ({
          label: FIELDS[field],
          value: `${from === '' ? 'none' : from} → ${to === '' ? 'none' : to}`,
        })),
      },
    ]),
  'key.disabled': (change, telling) =>
    changeBody('was disabled and no longer works', change, telling, [
      ...(change.reason === null ? [] : [paragraph(`Reason: ${plainLine(change.reason)}`)]),
      paragraph('It can be enabled again, or deleted for good.'),
    ]),
  'key.enabled': (change, telling) => changeBody('was enabled and works again', change, telling),
  'key.deleted': (change, telling) => changeBody('was deleted for good and no longer works', change, telling),
  'key.expiring': (stop, telling) => ({
    opening: [
      paragraph(
        `The API key “${plainLine(stop.comment)}” of ${plainLine(stop.accountName)} stops working on ${stop.expiresAt === null ? 'its expiry' : telling.at(stop.expiresAt)}.`,
      ),
    ],
    details: [...stopList(stop), stopFacts(stop, telling), ...remedy(stop)],
  }),
  'key.expired': (stop, telling) => ({
    opening: [
      paragraph(
        `The API key “${plainLine(stop.comment)}” of ${plainLine(stop.accountName)} has expired and no longer works.`,
      ),
    ],
    details: [...stopList(stop), stopFacts(stop, telling), ...remedy(stop)],
  }),
  'key.refused': (refused, telling) => ({
    opening: [
      paragraph(
        `The API key “${plainLine(refused.comment)}” of ${plainLine(refused.accountName)} was refused ${refused.count} times within an hour, though its secret was right.`,
      ),
    ],
    details: [
      {
        kind: 'facts',
        facts: [
          ...keyFacts(refused, telling),
          { label: 'Reason', value: REASONS.get(refused.reason) ?? refused.reason },
          { label: 'Last refusal', value: useText(refused.lastRefusal, telling) },
        ],
      },
      paragraph('Either a program is set up wrongly, or somebody is trying out a key that leaked.'),
      { kind: 'action', label: 'See the key', url: refused.pageUrl },
      note('You get at most one mail like this per key and day.'),
    ],
  }),
};
