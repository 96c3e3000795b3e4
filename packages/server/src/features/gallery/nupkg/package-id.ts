import { MAX_DEPENDENCY_ID_CHARS, MAX_ID_CHARS } from './limits.ts';

// Without the flags i and u together: with them `[a-z]` would also match U+212A, the Kelvin sign.
const PACKAGE_ID = /^[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*$/;
const DEPENDENCY_ID = /^[\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]+(?:[.-][\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]+)*$/u;

/** Whether a new package may have this id: ASCII words joined by single dots or hyphens, at most 100 characters. */
export function isValidPackageId(id: string): boolean {
  return id.length <= MAX_ID_CHARS && PACKAGE_ID.test(id);
}

/** Whether a dependency may name this id: wider than for new ids, since old packages elsewhere have such names. */
export function isValidDependencyId(id: string): boolean {
  return id.length <= MAX_DEPENDENCY_ID_CHARS && DEPENDENCY_ID.test(id);
}
