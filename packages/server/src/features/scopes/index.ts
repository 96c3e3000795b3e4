export { isAction } from './action.ts';
export { isPackageAction, matchesPattern } from './pattern.ts';
export { findPermissionFaults, normalizePermissions, PATTERNS_MAX } from './permission-rules.ts';
export {
  can,
  effectivePermissions,
  findExcess,
  grantsOf,
  holdsAction,
  isIamAction,
  isKeyPermitted,
  isPermitted,
} from './rights.ts';
export { PermissionSchema } from './scopes.schema.ts';
