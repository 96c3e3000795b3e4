import type { FieldFault } from '../../errors/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { isActionPattern } from './action.ts';
import { findPatternFault, isPackageAction } from './pattern.ts';

export const PATTERNS_MAX = 100;
export const PERMISSIONS_MAX = 50;
export const ACTIONS_MAX = 50;

/**
 * Faults of a list of grants or scopes. `*` alone is a pattern; nothing is ever widened by being empty, so an
 * empty list of actions or resources is a fault, not "everything".
 */
export function findPermissionFaults(
  permissions: readonly Permission[],
  field: string,
): readonly FieldFault[] {
  const faults: FieldFault[] = [];
  const patternCount = permissions.reduce((sum, permission) => sum + permission.resources.length, 0);
  if (permissions.length > PERMISSIONS_MAX)
    faults.push({
      field,
      message: `has ${permissions.length} entries; at most ${PERMISSIONS_MAX} are allowed`,
    });
  if (patternCount > PATTERNS_MAX)
    faults.push({ field, message: `has ${patternCount} patterns; at most ${PATTERNS_MAX} are allowed` });
  for (const [index, permission] of permissions.entries()) {
    faults.push(...findFaultsOfOne(permission, `${field}[${index}]`));
  }
  return faults.slice(0, 20);
}

function findFaultsOfOne(permission: Permission, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  if (permission.actions.length === 0)
    faults.push({ field: `${field}.actions`, message: 'is empty; name at least one action' });
  if (permission.actions.length > ACTIONS_MAX)
    faults.push({ field: `${field}.actions`, message: `has more than ${ACTIONS_MAX} actions` });
  if (permission.resources.length === 0)
    faults.push({
      field: `${field}.resources`,
      message: 'is empty; name at least one pattern (* for everything)',
    });
  for (const [index, action] of permission.actions.entries()) {
    if (!isActionPattern(action)) {
      faults.push({
        field: `${field}.actions[${index}]`,
        message:
          'must look like service:verb, service:resource:verb or service:*, in lower case, at most 64 characters',
      });
    }
  }
  const isForPackages = permission.actions.some(isPackageAction);
  for (const [index, pattern] of permission.resources.entries()) {
    const fault = findPatternFault(pattern, isForPackages);
    if (fault !== null)
      faults.push({ field: `${field}.resources[${index}]`, message: `"${pattern.slice(0, 140)}" ${fault}` });
  }
  return faults;
}

/** Drops repeats while keeping the order: two spellings of the same scopes are the same scopes. */
export function normalizePermissions(permissions: readonly Permission[]): readonly Permission[] {
  return permissions.map((permission) => ({
    actions: [...new Set(permission.actions)],
    resources: [...new Set(permission.resources)],
  }));
}
