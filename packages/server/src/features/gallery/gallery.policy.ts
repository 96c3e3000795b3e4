import type { AppError } from '../../errors/index.ts';
import type { AccountIdentity, AuthenticatedPrincipal, KeyIdentity } from '../../http/index.ts';
import { can, holdsAction, isKeyPermitted, isPermitted } from '../scopes/index.ts';
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
  return can(principal, 'package:read', packageId) || isOwnedByCaller(principal, ownerIds);
}

/** May the caller add and remove owners? Sessions only: administrators, owners, and managers of an owner. */
export function canManageOwners(principal: AuthenticatedPrincipal, ownerIds: readonly string[]): boolean {
  if (principal.kind !== 'session') return false;
  return principal.account.role === 'admin' || isOwnedByCaller(principal, ownerIds);
}

function isOwnedByCaller(principal: AuthenticatedPrincipal, ownerIds: readonly string[]): boolean {
  if (principal.kind !== 'session') return false;
  return ownerIds.some((id) => id === principal.account.id || principal.managedIds.includes(id));
}
