export { isAction } from './action.ts';
export { coversPattern, findPatternFault, matchesPattern } from './pattern.ts';
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
  patternsFor,
} from './rights.ts';
export { PermissionSchema } from './scopes.schema.ts';
