import type { Principal } from '../../../http/index.ts';
import { asciiLower } from '../../../lib/ascii.ts';
import { coversPattern, grantsOf, matchesPattern, patternsFor } from '../../scopes/index.ts';

/** Patterns of package ids in lower case, none of which is contained in another; or all ids. */
export type Patterns = 'all' | readonly string[];

/**
 * What somebody may read in a private gallery: packages that match one of each, where owning a package is as good as
 * a grant. It never takes the place of a scope: a key is narrower than its account on purpose.
 */
export interface ReadRights {
  readonly scopes: Patterns;
  readonly grants: Patterns;
  /** The accounts whose packages are the caller's own. */
  readonly ownerIds: readonly string[];
}

const ACTION = 'package:read';
const EVERYTHING: ReadRights = { scopes: 'all', grants: 'all', ownerIds: [] };
const NOTHING: ReadRights = { scopes: [], grants: [], ownerIds: [] };

/** `ownerIds` are those that the caller acts for; see `ownIdsOf`. */
export function toReadRights(principal: Principal, ownerIds: readonly string[]): ReadRights {
  if (principal.kind === 'system') return EVERYTHING;
  if (principal.kind === 'anonymous' || !principal.account.isActive) return NOTHING;
  const { account } = principal;
  if (principal.kind === 'session' && account.role === 'admin') return EVERYTHING;
  const isScoped = principal.kind !== 'session' && principal.key.access === 'scoped';
  const scopes = isScoped ? reduce(patternsFor(principal.key.scopes, ACTION)) : 'all';
  const grants = reduce(patternsFor(grantsOf(account), ACTION));
  if (scopes !== 'all' && scopes.length === 0) return NOTHING;
  // Most accounts are granted everything, and then their grants narrow no scope.
  return { scopes, grants: containsAll(grants, scopes) ? 'all' : grants, ownerIds };
}

export function allowsReading(
  rights: ReadRights,
  packageId: string,
  packageOwnerIds: readonly string[],
): boolean {
  if (!matchesAny(rights.scopes, packageId)) return false;
  return (
    matchesAny(rights.grants, packageId) ||
    packageOwnerIds.some((ownerId) => rights.ownerIds.includes(ownerId))
  );
}

function matchesAny(patterns: Patterns, packageId: string): boolean {
  return patterns === 'all' || patterns.some((pattern) => matchesPattern(pattern, packageId, true));
}

/** Without those that others contain: fewer conditions, the same names. */
function reduce(patterns: readonly string[]): Patterns {
  const lower = [...new Set(patterns.map((pattern) => asciiLower(pattern).replace(/\*+/g, '*')))];
  if (lower.includes('*')) return 'all';
  return lower.filter((one) => !lower.some((other) => other !== one && coversPattern(other, one, true)));
}

function containsAll(outer: Patterns, inner: Patterns): boolean {
  if (outer === 'all') return true;
  if (inner === 'all') return false;
  return inner.every((one) => outer.some((other) => coversPattern(other, one, true)));
}
