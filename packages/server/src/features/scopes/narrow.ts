import type { KeyIdentity } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { containersOf } from './action.ts';
import { isPackageAction } from './pattern.ts';
import { isIamAction } from './rights.ts';

/**
 * The part of the permissions that lies within these actions; each stays on the resources on which it was held. Of
 * two actions that have anything in common, one contains the other.
 */
export function restrictToActions(
  permissions: readonly Permission[],
  actions: readonly string[],
): readonly Permission[] {
  const wanted = new Set(actions);
  const within = new Map<string, string[]>();
  for (const action of wanted) {
    for (const container of containersOf(action))
      within.set(container, [...(within.get(container) ?? []), action]);
  }
  return keepActions(permissions, (held) =>
    isContainedIn(wanted, held) ? [held] : (within.get(held) ?? []),
  );
}

/** One of the held actions contains it. */
export function isContainedIn(held: ReadonlySet<string>, action: string): boolean {
  return containersOf(action).some((container) => held.has(container));
}

/** Without actions that another one of the list contains. */
export function dropCoveredActions(actions: readonly string[]): readonly string[] {
  const unique = new Set(actions);
  return [...unique].filter(
    (action) => !containersOf(action).some((container) => container !== action && unique.has(container)),
  );
}

/**
 * The key as something narrower may use it: these rights ∩ the present grants of its account, whatever its access
 * is. What its access excludes stays out even if the rights name it: `iam:` for `account`, all but packages for
 * `full`.
 */
export function narrowKey(key: KeyIdentity, rights: readonly Permission[]): KeyIdentity {
  const isPossible = (action: string): boolean => {
    if (key.access === 'account') return !isIamAction(action);
    return key.access === 'full' ? isPackageAction(action) : true;
  };
  const scopes = keepActions(rights, (action) => (isPossible(action) ? [action] : []));
  return { ...key, access: 'scoped', scopes };
}

function keepActions(
  permissions: readonly Permission[],
  keep: (action: string) => readonly string[],
): readonly Permission[] {
  return permissions
    .map(({ actions, resources }) => ({ actions: [...new Set(actions.flatMap(keep))], resources }))
    .filter(({ actions, resources }) => actions.length > 0 && resources.length > 0);
}
