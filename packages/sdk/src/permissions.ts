/** What a scope, a grant or a token says: these actions, on resources that match one of the patterns. */
export interface TokenPermission {
  readonly actions: readonly string[];
  /** `*` stands for any run of characters; for `package:` actions ASCII case does not count. */
  readonly resources: readonly string[];
}

const ACTION_CHARACTERS_MAX = 64;
const RESOURCE = /^[!-~]{1,1024}$/;
const ACTION = /^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*(?::[a-z][a-z0-9-]*)?$/;
const EVERYTHING = '*';

/** True for `service:verb` and `service:resource:verb`: lower case, at most 64 characters. */
export function isAction(text: string): boolean {
  return text.length <= ACTION_CHARACTERS_MAX && ACTION.test(text);
}

/** True for what a right can be held on: 1 to 1024 printable ASCII characters without blanks. */
export function isResource(text: string): boolean {
  return RESOURCE.test(text);
}

// A right that contains others: push is new ids and new versions.
const IMPLIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['package:push', ['package:pushnew', 'package:pushversion']],
]);

function coversAction(held: string, wanted: string): boolean {
  if (held === wanted) return true;
  if (held.endsWith(':*')) return wanted.startsWith(held.slice(0, -1));
  return IMPLIES.get(held)?.includes(wanted) === true;
}

/** A to Z only: `toLowerCase` would fold U+212A (KELVIN SIGN) to "k", and two names would meet in one. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * Two pointers and one place to come back to, so the time is at most length × length: a backtracking
 * expression made from `a*a*a*…` takes minutes on the same input.
 */
function matchesExactly(pattern: string, name: string): boolean {
  let [p, n, star, resume] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/**
 * Do the permissions allow the action on the resource? The same answer as the server's, which a test holds
 * against this one: action and resource must be allowed by the same permission; `service:*` is the only
 * wildcard of actions; `package:push` contains `package:pushnew` and `package:pushversion`.
 *
 * @param resource without one: on everything, which only the pattern `*` allows
 * @throws TypeError when `action` is not one: that is a fault of the program, not of the caller
 */
export function isPermittedBy(
  permissions: readonly TokenPermission[],
  action: string,
  resource: string = EVERYTHING,
): boolean {
  if (!isAction(action))
    throw new TypeError('action must look like service:verb or service:resource:verb, in lower case.');
  if (!isResource(resource)) return false;
  const fold = action.startsWith('package:') ? asciiLower : (text: string) => text;
  const name = fold(resource);
  return permissions.some(
    ({ actions, resources }) =>
      actions.some((held) => coversAction(held, action)) &&
      resources.some((pattern) => matchesExactly(fold(pattern), name)),
  );
}
