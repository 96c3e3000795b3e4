import type { KeyIdentity } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { coversAction } from './action.ts';
import { isPackageAction } from './pattern.ts';
import { isIamAction } from './rights.ts';

/** What two actions have in common: the narrower one, or null when neither contains the other. */
function meetActions(one: string, other: string): string | null {
  if (coversAction(one, other)) return other;
  return coversAction(other, one) ? one : null;
}

/** The part of the permissions that lies within these actions; each stays on the resources on which it was held. */
export function restrictToActions(
  permissions: readonly Permission[],
  actions: readonly string[],
): readonly Permission[] {
  return keepActions(permissions, (held) => actions.flatMap((action) => meetActions(held, action) ?? []));
}

/** Without actions that another one of the list contains. */
export function dropCoveredActions(actions: readonly string[]): readonly string[] {
  const unique = [...new Set(actions)];
  return unique.filter((action) => !unique.some((other) => other !== action && coversAction(other, action)));
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
