/**
 * What ought to be allowed, thought out once more from DESIGN (rules 1 to 3, 13 to 15) and docs/actions.md. It
 * imports nothing of the server, on purpose: two readings of one rule that disagree show where one is wrong.
 */
import { accountAccessOf, CAST, heldBy, PACKAGES, type Person, type Right } from './cast.ts';
import type { Credential, Facts } from './credential.ts';

/** `allow`: the request gets through to its work; a number: it is refused with this status. */
export type Verdict = 'allow' | number;

/** What an id in a request stands for. */
export interface Target {
  readonly name: string;
  /** Whose thing it is; null for things of nobody. */
  readonly person: Person | null;
  /** In the workspace of the caller, in the other one, or nowhere at all. */
  readonly place: 'home' | 'away' | 'nowhere';
  /** The text that stands in the request. */
  readonly id: (who: Credential) => string;
}

type Kind = 'session' | 'key' | 'token';

export interface Demand {
  readonly kinds: readonly Kind[];
  /** What keys and tokens must hold on something; null when being somebody is enough. */
  readonly action?: string;
  readonly resource?: string;
  readonly isAdminOnly?: boolean;
  readonly isSystemOnly?: boolean;
}

export const ALL: readonly Kind[] = ['session', 'key', 'token'];

/** Does the first action say the second? `service:*` is the only wildcard; `package:push` is two actions in one. */
function covers(held: string, asked: string): boolean {
  if (held === asked) return true;
  if (held.endsWith(':*') && asked.startsWith(held.slice(0, -1))) return true;
  return held === 'package:push' && ['package:pushnew', 'package:pushversion'].includes(asked);
}

/** `*` is any run of characters; packages ignore ASCII case. */
function matches(pattern: string, name: string, action: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, action.startsWith('package:') ? 'i' : '').test(name);
}

export function includes(rights: readonly Right[], action: string, resource?: string): boolean {
  return rights.some(
    ({ actions, resources }) =>
      actions.some((held) => covers(held, action)) &&
      (resource === undefined || resources.some((pattern) => matches(pattern, resource, action))),
  );
}

/** Rights of the credential itself: for a session those of its user. */
function rightsOf(facts: Facts): readonly Right[] {
  if (facts.kind === 'session') return heldBy(facts.person);
  return 'rights' in facts ? facts.rights : [];
}

export function holds(facts: Facts, action: string, resource?: string): boolean {
  return includes(rightsOf(facts), action, resource);
}

export function isAdmin(facts: Facts): boolean {
  return facts.kind === 'session' && CAST[facts.person].isAdmin;
}

/** The refusal of whoever may not even ask, or null for those who may. */
export function gate(who: Credential, method: string, demand: Demand): number | null {
  const { facts } = who;
  if (facts.kind === 'astray') return 421;
  if (facts.kind === 'ambiguous') return 400;
  if (facts.kind === 'nobody' || facts.kind === 'bad') return 401;
  if (facts.kind === 'session' && who.isCrossSite && !['GET', 'HEAD'].includes(method)) return 403;
  if (!demand.kinds.includes(facts.kind)) return 403;
  if (demand.isSystemOnly === true && !who.home.isDefault) return 403;
  if (facts.kind === 'session') {
    const isAdminNeeded = demand.isAdminOnly === true || demand.isSystemOnly === true;
    return isAdminNeeded && !isAdmin(facts) ? 403 : null;
  }
  return demand.action !== undefined && !holds(facts, demand.action, demand.resource) ? 403 : null;
}

/** Anybody at all, as long as the host is a workspace. `fromSite`: nobody whom another site has sent. */
export function anybody(who: Credential, isOwnSiteOnly = false): Verdict {
  if (who.facts.kind === 'astray') return 421;
  return isOwnSiteOnly && who.isCrossSite ? 403 : 'allow';
}

/** How a session stands to the owner of a thing: administrators reach everybody of their workspace. */
export type Relation = 'admin' | 'self' | 'manager' | 'none';

export function relation(facts: Facts, target: Target): Relation {
  if (facts.kind !== 'session' || target.place !== 'home' || target.person === null) return 'none';
  if (isAdmin(facts)) return 'admin';
  if (facts.person === target.person) return 'self';
  return CAST[facts.person].manages.includes(target.person) ? 'manager' : 'none';
}

/** Which of two actions a key or token holds on the account of the target. */
export function reach(
  who: Credential,
  target: Target,
  read: string,
  write: string,
): 'write' | 'read' | 'none' {
  const { facts, home } = who;
  if (target.place !== 'home' || target.person === null) return 'none';
  const id = home.accounts[target.person];
  if (holds(facts, write, id)) return 'write';
  return holds(facts, read, id) ? 'read' : 'none';
}

/** May the caller see that the account is there? */
function seesAccount(who: Credential, target: Target): boolean {
  if (who.facts.kind === 'session') return relation(who.facts, target) !== 'none';
  return reach(who, target, 'iam:accounts:read', 'iam:accounts:write') !== 'none';
}

/** Not his and not there are one answer; seen but not his to change is another. */
export function onAccount(who: Credential, target: Target, allowed: readonly Relation[]): Verdict {
  if (!seesAccount(who, target)) return 404;
  if (who.facts.kind === 'session') return allowed.includes(relation(who.facts, target)) ? 'allow' : 403;
  return reach(who, target, 'iam:accounts:read', 'iam:accounts:write') === 'write' ? 'allow' : 403;
}

export function onKeys(who: Credential, target: Target, intent: 'read' | 'write'): Verdict {
  if (who.facts.kind === 'session') return relation(who.facts, target) === 'none' ? 404 : 'allow';
  const held = reach(who, target, 'iam:keys:read', 'iam:keys:write');
  if (held === 'none') return 404;
  return held === 'write' || intent === 'read' ? 'allow' : 403;
}

/** Nobody hands out a right that he lacks: keys and tokens pass on only what they hold; sessions act for the account. */
export function mayHandOut(who: Credential, rights: readonly Right[]): boolean {
  if (who.facts.kind === 'session') return true;
  return rights.every(({ actions, resources }) =>
    actions.every((action) => resources.every((resource) => holds(who.facts, action, resource))),
  );
}

/** To make or revive a key of the target that has these rights; 400 when its account lacks them itself. */
export function onNewKey(who: Credential, target: Target, rights: readonly Right[]): Verdict {
  const reached = onKeys(who, target, 'write');
  if (reached !== 'allow' || target.person === null) return reached;
  const held = heldBy(target.person);
  const isGranted = rights.every(({ actions, resources }) =>
    actions.every((action) => resources.every((resource) => includes(held, action, resource))),
  );
  if (!isGranted) return 400;
  return mayHandOut(who, rights) ? 'allow' : 403;
}

/** To give a key with account access, as all spare keys are, a new life. */
export function onRevival(who: Credential, target: Target): Verdict {
  return target.person === null
    ? onNewKey(who, target, PACKAGES)
    : onNewKey(who, target, accountAccessOf(target.person));
}

/** The people whose things a list shows to the caller. */
export function visibleIn(who: Credential, read: string, write: string): (person: Person) => boolean {
  return (person) => {
    const target: Target = { name: '', person, place: 'home', id: () => '' };
    if (who.facts.kind === 'session') return relation(who.facts, target) !== 'none';
    return reach(who, target, read, write) !== 'none';
  };
}

/** Whose packages the caller may manage by his session: his own and those of the service accounts that he manages. */
export function ownsPackage(facts: Facts, target: Target): boolean {
  return relation(facts, target) !== 'none';
}

/** Seen by owners, managers, administrators and whoever may read packages of this name. */
export function seesPackage(who: Credential, target: Target): boolean {
  if (target.place !== 'home') return false;
  return ownsPackage(who.facts, target) || holds(who.facts, 'package:read', target.id(who));
}
