/**
 * Who may do what, written once more from the vocabulary and the rules of the design and from nothing else: slow, plain,
 * and without a line of the engine. Where the two differ, one of them is wrong.
 */

export interface OraclePermission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export interface OracleAccount {
  readonly isActive: boolean;
  readonly role: 'admin' | 'member' | null;
  readonly grants: readonly OraclePermission[];
}

export interface OracleKey {
  readonly access: 'account' | 'scoped' | 'full';
  readonly scopes: readonly OraclePermission[];
}

/** "In grants and scopes `service:*` is the only wildcard"; "`package:push` = both" new ids and new versions. */
function isWithin(held: string, action: string): boolean {
  const [service, rest] = [action.split(':')[0] ?? '', action.split(':').slice(1)];
  if (held === `${service}:*`) return rest.length > 0;
  if (held === 'package:push')
    return ['package:push', 'package:pushnew', 'package:pushversion'].includes(action);
  return held === action;
}

function toAsciiLower(letter: string): string {
  const code = letter.charCodeAt(0);
  return code >= 65 && code <= 90 ? String.fromCharCode(code + 32) : letter;
}

/**
 * "`*` stands for any run of characters and nothing else is special; anchored", "ASCII case-insensitive" for packages.
 * Letter by letter, with the set of all places of the pattern where one may stand.
 */
export function isMatch(pattern: string, name: string, isForPackages: boolean): boolean {
  const letters = (text: string) =>
    Array.from(text, (letter) => (isForPackages ? toAsciiLower(letter) : letter));
  const wanted = letters(pattern);
  const passStars = (places: Set<number>) => {
    for (const place of places) if (wanted[place] === '*') places.add(place + 1);
    return places;
  };
  let places = passStars(new Set([0]));
  for (const letter of letters(name)) {
    const next = new Set<number>();
    for (const place of places) {
      if (wanted[place] === '*') next.add(place);
      else if (wanted[place] === letter) next.add(place + 1);
    }
    places = passStars(next);
  }
  return places.has(wanted.length);
}

function isAllowedBy(permissions: readonly OraclePermission[], action: string, resource: string): boolean {
  const isForPackages = action.split(':')[0] === 'package';
  return permissions.some(
    ({ actions, resources }) =>
      actions.some((held) => isWithin(held, action)) &&
      resources.some((pattern) => isMatch(pattern, resource, isForPackages)),
  );
}

/** Rule 1: grants; "admin (everything in the workspace)", which adds the actions of the authority itself. */
function isGranted({ role, grants }: OracleAccount, action: string, resource: string): boolean {
  return isAllowedBy(grants, action, resource) || (role === 'admin' && action.startsWith('iam:'));
}

/** Rules 1, 2, 10 and 15: what a key may do. Without a resource: on everything, which only `*` itself names. */
export function mayByKey(
  account: OracleAccount,
  key: OracleKey,
  action: string,
  resource: string | null,
): boolean {
  const name = resource ?? '*';
  if (!account.isActive || !isGranted(account, action, name)) return false;
  if (key.access === 'account') return !action.startsWith('iam:');
  if (key.access === 'full') return action.startsWith('package:');
  return isAllowedBy(key.scopes, action, name);
}

/** Rule 1: what a person may do in a session. */
export function mayBySession(account: OracleAccount, action: string, resource: string): boolean {
  return account.isActive && isGranted(account, action, resource);
}

/** A letter that stands in no pattern: what a `*` may stand for, once and for all names. */
const FRESH = '\u0001';

/** "A key whose scopes exceed its account's grants is refused": every name of the wanted pattern lies in one held. */
export function isWithinHeld(held: readonly OraclePermission[], action: string, pattern: string): boolean {
  const isForPackages = action.split(':')[0] === 'package';
  const name = pattern.replaceAll('*', FRESH);
  return held.some(
    ({ actions, resources }) =>
      actions.some((one) => isWithin(one, action)) &&
      resources.some((outer) => isMatch(outer, name, isForPackages)),
  );
}
