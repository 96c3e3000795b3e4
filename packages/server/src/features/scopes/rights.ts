import type { AccountIdentity, AuthenticatedPrincipal, KeyIdentity, Principal } from '../../http/index.ts';
import { asciiLower } from '../../lib/ascii.ts';
import type { Permission } from '../../lib/permission.ts';
import { containersOf, coversAction } from './action.ts';
import { coversPattern, isPackageAction, matchesPattern } from './pattern.ts';

const ADMIN_GRANT: Permission = { actions: ['iam:*'], resources: ['*'] };

/**
 * The first pattern by which one permission allows the action on the resource, or null. Action and resource must
 * be allowed by the same permission.
 */
export function findAllowingPattern(
  permissions: readonly Permission[],
  action: string,
  resource: string,
): string | null {
  const isForPackages = isPackageAction(action);
  for (const { actions, resources } of permissions) {
    if (!actions.some((held) => coversAction(held, action))) continue;
    const found = resources.find((pattern) => matchesPattern(pattern, resource, isForPackages));
    if (found !== undefined) return found;
  }
  return null;
}

/** All patterns on which the permissions allow the action, each once. */
export function patternsFor(permissions: readonly Permission[], action: string): readonly string[] {
  const allowing = permissions.filter(({ actions }) => actions.some((held) => coversAction(held, action)));
  return [...new Set(allowing.flatMap(({ resources }) => resources))];
}

/** One permission allows the action on the resource. */
export function isPermitted(permissions: readonly Permission[], action: string, resource: string): boolean {
  return findAllowingPattern(permissions, action, resource) !== null;
}

function isHeldSomewhere(permissions: readonly Permission[], action: string): boolean {
  return permissions.some(
    (permission) =>
      permission.resources.length > 0 && permission.actions.some((held) => coversAction(held, action)),
  );
}

/** What the account may: its grants; for administrators also `iam:*`. Service accounts have nothing implicit. */
export function grantsOf(account: AccountIdentity): readonly Permission[] {
  return account.role === 'admin' ? [...account.grants, ADMIN_GRANT] : account.grants;
}

export function isIamAction(action: string): boolean {
  return action.startsWith('iam:');
}

/**
 * Effective right of a key = its scopes ∩ the grants of its account, at every decision, so that narrowing an
 * account narrows its keys at once. `account`: the grants without any `iam:` action, so that a key that was
 * made to call a service can never manage keys. `full`: imported, packages only.
 */
export function isKeyPermitted(
  account: AccountIdentity,
  key: KeyIdentity,
  action: string,
  resource: string,
): boolean {
  if (!account.isActive || !isPermitted(grantsOf(account), action, resource)) return false;
  if (key.access === 'account') return !isIamAction(action);
  if (key.access === 'full') return isPackageAction(action);
  return isPermitted(key.scopes, action, resource);
}

/** May the caller do the action on the resource? `resource` is a package id, an account id, or a name of the asking service. */
export function can(principal: Principal, action: string, resource: string): boolean {
  if (principal.kind === 'anonymous') return false;
  if (principal.kind === 'system') return true;
  if (principal.kind === 'session')
    return principal.account.isActive && isPermitted(grantsOf(principal.account), action, resource);
  return isKeyPermitted(principal.account, principal.key, action, resource);
}

/** True when the caller holds the action on at least one resource: the gate of a route, before the object is known. */
export function holdsAction(principal: AuthenticatedPrincipal, action: string): boolean {
  if (!principal.account.isActive || !isHeldSomewhere(grantsOf(principal.account), action)) return false;
  if (principal.kind === 'session') return true;
  if (principal.key.access === 'account') return !isIamAction(action);
  if (principal.key.access === 'full') return isPackageAction(action);
  return isHeldSomewhere(principal.key.scopes, action);
}

/** The first part of `wanted` that `held` does not contain, or null when all of it is contained. */
export function findExcess(
  held: readonly Permission[],
  wanted: readonly Permission[],
): { action: string; resource: string } | null {
  const isCovered = createCoverage(held);
  for (const permission of wanted) {
    for (const action of permission.actions) {
      for (const resource of permission.resources) {
        if (!isCovered(action, resource)) return { action, resource };
      }
    }
  }
  return null;
}

/** True when one of the permissions allows the action on every name that matches the pattern. */
type Coverage = (action: string, pattern: string) => boolean;

const [UNKNOWN, COVERS] = [0, 1];

/**
 * Answers many questions about the same permissions. Actions are looked up, and each pair of patterns is compared
 * once: the limits on entries, actions and patterns are small, but multiplied they allowed for seconds. Patterns are
 * numbered, since looking them up by their text would take most of the time.
 */
function createCoverage(held: readonly Permission[]): Coverage {
  const numbers = new Map<string, number>();
  const numbersByAction = new Map<string, Set<number>>();
  for (const { actions, resources } of held) {
    for (const resource of resources) if (!numbers.has(resource)) numbers.set(resource, numbers.size);
    for (const action of actions) {
      const known = numbersByAction.get(action) ?? new Set();
      for (const resource of resources) known.add(numbers.get(resource) ?? 0);
      numbersByAction.set(action, known);
    }
  }
  const outers = [...numbers.keys()];
  const lowerOuters = outers.map(asciiLower);
  const [forPackages, forOthers] = [new Map<string, Int8Array>(), new Map<string, Int8Array>()];
  return (action, pattern) => {
    const isForPackages = isPackageAction(action);
    const [inner, candidates, known] = isForPackages
      ? [asciiLower(pattern), lowerOuters, forPackages]
      : [pattern, outers, forOthers];
    const answers = known.get(inner) ?? new Int8Array(outers.length);
    // Stryker disable next-line CallExpression: to remember answers saves time only, which cost.test.ts holds
    known.set(inner, answers);
    for (const container of containersOf(action)) {
      const numbersOfOne = numbersByAction.get(container);
      if (numbersOfOne === undefined) continue;
      for (const number of numbersOfOne) {
        // Stryker disable next-line ConditionalExpression: to compare again gives the same answer, later
        if (answers[number] === UNKNOWN)
          // Stryker disable next-line StringLiteral: each number has its pattern, which the compiler cannot know
          answers[number] = coversPattern(candidates[number] ?? '', inner, false) ? COVERS : -COVERS;
        if (answers[number] === COVERS) return true;
      }
    }
    return false;
  };
}

/** The present rights of a key as permissions, for tokens: the parts of its scopes that its account still grants. */
export function effectivePermissions(account: AccountIdentity, key: KeyIdentity): readonly Permission[] {
  const grants = grantsOf(account);
  if (key.access === 'account') return withoutIam(grants);
  if (key.access === 'full')
    return grants
      .map((grant) => ({ ...grant, actions: grant.actions.filter(isPackageAction) }))
      .filter((grant) => grant.actions.length > 0);
  const isCovered = createCoverage(grants);
  return key.scopes
    .flatMap((scope) =>
      scope.actions.map((action) => ({
        actions: [action],
        resources: scope.resources.filter((resource) => isCovered(action, resource)),
      })),
    )
    .filter((permission) => permission.resources.length > 0);
}

function withoutIam(permissions: readonly Permission[]): readonly Permission[] {
  return permissions
    .map((permission) => ({
      ...permission,
      actions: permission.actions.filter((action) => !isIamAction(action)),
    }))
    .filter((permission) => permission.actions.length > 0);
}
