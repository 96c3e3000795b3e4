export { isAction } from './action.ts';
export { findPermissionFaults, normalizePermissions } from './permission-rules.ts';
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
