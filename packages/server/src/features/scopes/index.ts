export { isAction } from './action.ts';
export { findPatternFault, matchesPattern } from './pattern.ts';
export { findPermissionFaults, normalizePermissions } from './permission-rules.ts';
export {
  can,
  effectivePermissions,
  findAllowingPattern,
  findExcess,
  grantsOf,
  holdsAction,
  isIamAction,
  isKeyPermitted,
  isPermitted,
} from './rights.ts';
export { PermissionSchema } from './scopes.schema.ts';
