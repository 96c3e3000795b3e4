import type { AppError } from '../../errors/index.ts';
import type { AccountIdentity, AuthenticatedPrincipal, KeyIdentity } from '../../http/index.ts';
import { reachOf } from '../accounts/index.ts';
import {
  can,
  findAllowingPattern,
  grantsOf,
  holdsAction,
  isKeyPermitted,
  isPermitted,
} from '../scopes/index.ts';
import { packageErrors } from './gallery.errors.ts';

export type GalleryAction = 'package:pushnew' | 'package:pushversion' | 'package:unlist';

/** A key and the account behind it, as they are at the moment of the decision. */
export interface Actor {
  readonly account: AccountIdentity;
  readonly key: KeyIdentity;
}

const VERBS: Readonly<Record<GalleryAction, string>> = {
  'package:pushnew': 'push new packages',
  'package:pushversion': 'push new versions of packages',
  'package:unlist': 'unlist or relist packages',
};
const PATTERNS_SHOWN = 5;

/**
 * Why the key may not do this to the package, precisely, since only the holder of the secret gets here; null
 * when it may. The id stands last, so that a reason phrase that is cut off still says what was wrong.
 */
export function findScopeRefusal(actor: Actor, action: GalleryAction, packageId: string): AppError | null {
  const { account, key } = actor;
  if (isKeyPermitted(account, key, action, packageId)) return null;
  if (key.access === 'scoped') {
    const patterns = patternsFor(key, action);
    if (patterns.length === 0) {
      return packageErrors.not_permitted({ detail: `This API key may not ${VERBS[action]}.` });
    }
    if (!isPermitted(key.scopes, action, packageId)) {
      return packageErrors.not_permitted({
        detail: `This API key may ${VERBS[action]} that match ${shorten(patterns)}, which does not match ${packageId}`,
      });
    }
  }
  return packageErrors.not_permitted({
    detail: `The account of this API key is not granted ${action} on ${packageId}`,
  });
}

/** The refusal of a key that can push nothing at all; known before the package is. */
export function findPushRefusal(actor: Actor): AppError | null {
  const principal = { kind: 'key', ...actor } as const;
  const isPusher = holdsAction(principal, 'package:pushnew') || holdsAction(principal, 'package:pushversion');
  return isPusher
    ? null
    : packageErrors.not_permitted({
        detail: 'This API key may not push packages, neither new ones nor new versions.',
      });
}

function patternsFor(key: KeyIdentity, action: GalleryAction): string[] {
  const scopes = key.scopes.filter(({ actions }) =>
    isPermitted([{ actions, resources: ['*'] }], action, '*'),
  );
  return [...new Set(scopes.flatMap((scope) => scope.resources))];
}

function shorten(patterns: readonly string[]): string {
  const shown = patterns.slice(0, PATTERNS_SHOWN).join(', ');
  return patterns.length <= PATTERNS_SHOWN ? shown : `${shown} and ${patterns.length - PATTERNS_SHOWN} more`;
}

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

/** May the caller ask which packages an account owns? Whoever may see the account, and keys that act for it. */
export function canAskForOwner(principal: AuthenticatedPrincipal, ownerId: string): boolean {
  return ownIdsOf(principal).includes(ownerId) || reachOf(principal, { id: ownerId }) !== 'none';
}
