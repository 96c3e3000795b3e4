import { requestErrors } from '../../errors/index.ts';
import type { AccountIdentity, KeyAccess } from '../../http/index.ts';
import { type AuthenticatedPrincipal, type Caller, requireAuthenticated } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { reachOf } from '../accounts/index.ts';
import { can, effectivePermissions, findExcess, grantsOf, isIamAction } from '../scopes/index.ts';
import { keyErrors } from './keys.errors.ts';

/**
 * May the caller see, or change, the keys of an account? Sessions: administrators all, members their own and
 * those of the service accounts that they manage. Keys and tokens: only by a scope that names `iam:keys:…`.
 */
export function canReachKeys(
  principal: AuthenticatedPrincipal,
  accountId: string,
  intent: 'read' | 'write',
): boolean {
  if (principal.kind === 'session') return reachOf(principal, { id: accountId }) !== 'none';
  return (
    can(principal, 'iam:keys:write', accountId) ||
    (intent === 'read' && can(principal, 'iam:keys:read', accountId))
  );
}

/** May the caller be told how an account is called? Whoever may see it or its keys, and a key for whom it acts. */
export function mayKnowName(principal: AuthenticatedPrincipal, accountId: string): boolean {
  return (
    canReachKeys(principal, accountId, 'read') ||
    reachOf(principal, { id: accountId }) !== 'none' ||
    (principal.kind !== 'session' && principal.key.ownerId === accountId)
  );
}

/** An id as accounts have it, and none of them has. */
const NOBODY = 'acc_00000000000000000000';

/**
 * "Not yours" and "does not exist" are the same answer, and take the same time: rights are looked for either way.
 *
 * @throws request.not_found, key.write_not_permitted
 */
export function requireReach(
  caller: Caller,
  accountId: string | null,
  intent: 'read' | 'write',
): AuthenticatedPrincipal {
  const { principal } = requireAuthenticated(caller);
  const isReadable = canReachKeys(principal, accountId ?? NOBODY, 'read');
  if (accountId === null || !isReadable)
    throw requestErrors.not_found({ detail: 'There is no such key or account, or you may not see it.' });
  // A reader who may not write already knows that it exists.
  if (!canReachKeys(principal, accountId, intent)) throw keyErrors.write_not_permitted();
  return principal;
}

/** The accounts whose keys a list may show: null for all. */
export function visibleAccountIds(principal: AuthenticatedPrincipal): readonly string[] | null {
  if (principal.kind === 'session')
    return principal.account.role === 'admin' ? null : [principal.account.id, ...principal.managedIds];
  // Stryker disable next-line StringLiteral: a pattern that matches one of `*` and the empty name matches both
  if (canReachKeys(principal, '*', 'read')) return null;
  const named = principal.key.scopes
    .flatMap((scope) => scope.resources)
    .filter((resource) => !resource.includes('*'));
  return named.filter((id) => canReachKeys(principal, id, 'read'));
}

/** What a key with this access may do at most. */
export function rightsOfNewKey(
  account: AccountIdentity,
  access: KeyAccess,
  scopes: readonly Permission[],
): readonly Permission[] {
  if (access === 'scoped') return scopes;
  return grantsOf(account).map((grant) => ({
    ...grant,
    actions: grant.actions.filter((action) => !isIamAction(action)),
  }));
}

/**
 * Each key counts for itself: a limited key that makes other keys, gets the secrets of others, or loosens limits, would
 * have no limit.
 *
 * @param keyId whose secret it gets; its own it may have
 * @throws key.limits_exceed_caller
 */
export function requireUnlimitedCaller(caller: Caller, keyId: string | null = null): void {
  const { principal } = requireAuthenticated(caller);
  if (principal.kind === 'session' || principal.key.limits === null) return;
  if (principal.key.id !== keyId) throw keyErrors.limits_exceed_caller();
}

/**
 * A key or token that makes or renews a key hands its rights on: they must be its own.
 *
 * @throws key.scope_exceeds_caller
 */
export function requireCallerHolds(principal: AuthenticatedPrincipal, rights: readonly Permission[]): void {
  if (principal.kind === 'session') return;
  const excess = findExcess(effectivePermissions(principal.account, principal.key), rights);
  if (excess !== null)
    throw keyErrors.scope_exceeds_caller({
      detail: `Your key does not hold ${excess.action} on ${excess.resource}, so it cannot hand it on.`,
    });
}
