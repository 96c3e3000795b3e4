export { isAction, isActionPattern } from './action.ts';
export { dropCoveredActions, isContainedIn, narrowKey, restrictToActions } from './narrow.ts';
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
