import { OWNERS, PEOPLE, type Person, SERVICES, USERS } from './cast.ts';
import type { Credential } from './credential.ts';
import type { Target } from './oracle.ts';
import type { Belongings, Town } from './town.ts';

/** The same shape as a real id, and surely nobody's. */
function unlike(id: string): string {
  return `${id.slice(0, -12)}Zz9Zz9Zz9Zz9`;
}

interface Wish {
  /** What the ids are of, for messages. */
  readonly noun: string;
  readonly people: readonly Person[];
  readonly pick: (town: Town, person: Person) => string | undefined;
  /** An id of something that was deleted. */
  readonly gone?: (town: Town) => string;
}

const AWAY: readonly Person[] = ['admin', 'member', 'robot'];

/** Everybody's thing, those of people in the other workspace, a deleted one, a random and a malformed id. */
function targetsOf({ noun, people, pick, gone }: Wish): Target[] {
  const idOf = (town: Town, person: Person): string => {
    const id = pick(town, person);
    if (id === undefined) throw new Error(`${person} of ${town.name} has no ${noun}.`);
    return id;
  };
  const nowhere = (name: string, id: (who: Credential) => string): Target => ({
    name,
    person: null,
    place: 'nowhere',
    id,
  });
  const [first] = people;
  if (first === undefined) throw new Error(`Nobody has a ${noun}.`);
  return [
    ...people.map((person) => ({
      name: `${noun} of ${person}`,
      person,
      place: 'home' as const,
      id: (who: Credential) => idOf(who.home, person),
    })),
    ...people
      .filter((person) => AWAY.includes(person))
      .map((person) => ({
        name: `${noun} of ${person} in the other workspace`,
        person,
        place: 'away' as const,
        id: (who: Credential) => idOf(who.away, person),
      })),
    ...(gone === undefined ? [] : [nowhere(`${noun} that was deleted`, (who) => gone(who.home))]),
    nowhere(`random ${noun}`, (who) => unlike(idOf(who.home, first))),
    nowhere(MALFORMED, () => 'not~an~id'),
  ];
}

export const MALFORMED = 'malformed id';

const CALLABLE_USERS = USERS.filter((person) => person !== 'deputy');
const CALLABLE_SERVICES = SERVICES.filter((person) => person !== 'pruned');
const goneAccount = (town: Town): string => town.gone.account;

/** An account asked for as if it were of the other kind is not there. */
function ofOtherKind(target: Target): Target {
  return { ...target, name: `${target.name}, as the other kind`, person: null, place: 'nowhere' };
}

const pickAccount = (town: Town, person: Person): string => town.accounts[person];
const userTargets = targetsOf({ noun: 'user', people: CALLABLE_USERS, pick: pickAccount, gone: goneAccount });
const serviceTargets = targetsOf({ noun: 'service account', people: CALLABLE_SERVICES, pick: pickAccount });

const ownRobot = serviceTargets.filter(({ person, place }) => person === 'robot' && place === 'home');
const ownMember = userTargets.filter(({ person, place }) => person === 'member' && place === 'home');
export const USER_TARGETS: readonly Target[] = [...userTargets, ...ownRobot.map(ofOtherKind)];
export const SERVICE_TARGETS: readonly Target[] = [...serviceTargets, ...ownMember.map(ofOtherKind)];

export const ACCOUNT_TARGETS = targetsOf({
  noun: 'account',
  people: OWNERS,
  pick: pickAccount,
  gone: goneAccount,
});

export function keyTargets(which: 'spare' | 'off' | 'overlap'): Target[] {
  return targetsOf({
    noun: 'key',
    people: OWNERS,
    pick: (town, person) => town.belongings[person]?.[which].apiKey,
    gone: (town) => town.gone.key,
  });
}

export const SESSION_TARGETS = targetsOf({
  noun: 'session',
  people: CALLABLE_USERS,
  pick: (town, person) => town.sessions[person],
  gone: (town) => town.gone.session,
});

/** The mail about the key of `cron` went to an address that is no account's. */
export const MAIL_TARGETS = targetsOf({
  noun: 'mail',
  people: OWNERS,
  pick: (town, person) => town.mails[person],
}).map((target) =>
  target.person === 'cron' ? { ...target, name: 'mail to nobody here', person: null } : target,
);

export const FEED_LINK_TARGETS = targetsOf({
  noun: 'feed link',
  people: CALLABLE_USERS,
  pick: (town, person) => town.feeds[person]?.id,
});

/** The tokens of the same links. */
export const FEED_TARGETS = targetsOf({
  noun: 'feed',
  people: CALLABLE_USERS,
  pick: (town, person) => town.feeds[person]?.token,
});

/** Webhooks are the workspace's; they stand under the name of the administrator who made them. */
export const WEBHOOK_TARGETS = targetsOf({
  noun: 'webhook',
  people: ['admin'],
  pick: (town) => town.webhook.id,
});

/** They stand under the name of the account that is asked. */
export const REQUEST_TARGETS = targetsOf({
  noun: 'request to own a package',
  people: OWNERS.filter((person) => person !== 'member'),
  pick: (town, person) => town.requests[person],
});

/** Reservations are the workspace's, as webhooks are. */
export const PREFIX_TARGETS = targetsOf({
  noun: 'reserved prefix',
  people: ['admin'],
  pick: (town) => town.prefixId,
});

const packageTargets = targetsOf({
  noun: 'package',
  people: OWNERS,
  pick: (town, person) => town.belongings[person]?.packageId,
});
export const PACKAGE_TARGETS: readonly Target[] = [
  ...packageTargets.filter(({ name }) => name !== MALFORMED),
  { name: 'second package of member', person: 'member', place: 'home', id: (who) => who.home.outsideId },
];

/** Ids of accounts in the body or the query of a request. */
export function accountOf(who: Credential, person: Person): string {
  return who.home.accounts[person];
}

export function belongingsOf(town: Town, person: Person): Belongings {
  const found = town.belongings[person];
  if (found === undefined) throw new Error(`${person} has nothing.`);
  return found;
}

export function personOf(town: Town, accountId: string | null): Person | null {
  return PEOPLE.find((person) => town.accounts[person] === accountId) ?? null;
}
