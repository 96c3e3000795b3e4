import type { AuthenticatedPrincipal } from '../../http/index.ts';
import { can, findAllowingPattern, grantsOf, isKeyPermitted } from '../scopes/index.ts';
import type { Actor } from './denials.ts';

/**
 * May the caller see the package in lists? Whoever may read it, and its owners; administrators see all. Unlisted
 * versions hide nothing here: the list is for those who manage packages.
 */
export function canSeePackage(
  principal: AuthenticatedPrincipal,
  packageId: string,
  ownerIds: readonly string[],
): boolean {
  if (principal.kind === 'session' && principal.account.role === 'admin') return true;
  return can(principal, 'package:read', packageId) || ownsPackages(principal, ownerIds);
}

/** May the caller change owners and listing? Sessions only: administrators, owners, and managers of an owner. */
export function canManagePackage(principal: AuthenticatedPrincipal, ownerIds: readonly string[]): boolean {
  if (principal.kind !== 'session') return false;
  return principal.account.role === 'admin' || ownsPackages(principal, ownerIds);
}

/** Is one of the owners the caller's user, or a service account that he manages? Sessions only. */
export function ownsPackages(principal: AuthenticatedPrincipal, ownerIds: readonly string[]): boolean {
  if (principal.kind !== 'session') return false;
  return ownerIds.some((id) => id === principal.account.id || principal.managedIds.includes(id));
}

/** May the caller say yes for the account? Sessions only: himself, its managers, and administrators. */
export function mayActFor(principal: AuthenticatedPrincipal, accountId: string): boolean {
  if (principal.kind !== 'session') return false;
  return principal.account.role === 'admin' || ownsPackages(principal, [accountId]);
}

/** The pattern by which a key may do this to the package now, in its scopes or, without scopes, in the grants. */
export function findKeyPattern({ account, key }: Actor, action: string, packageId: string): string | null {
  if (!isKeyPermitted(account, key, action, packageId)) return null;
  const permissions = key.access === 'scoped' ? key.scopes : grantsOf(account);
  return findAllowingPattern(permissions, action, packageId);
}

/** The owner in whose name a session acts: its user, a service account that he manages, or else the first one. */
export function actingOwnerId(principal: AuthenticatedPrincipal, ownerIds: readonly string[]): string {
  const { id } = principal.account;
  const managed = principal.kind === 'session' ? principal.managedIds : [];
  return [id, ...managed].find((one) => ownerIds.includes(one)) ?? ownerIds[0] ?? id;
}

/** The accounts whose packages are the caller's own: himself and those that he acts for. */
export function ownIdsOf(principal: AuthenticatedPrincipal): readonly string[] {
  const acting = principal.kind === 'session' ? principal.managedIds : [principal.key.ownerId];
  return [...new Set([principal.account.id, ...acting])];
}
