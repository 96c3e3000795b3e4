import type { AccountIdentity, AuthenticatedPrincipal } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { can, effectivePermissions, findExcess, grantsOf } from '../scopes/index.ts';
import type { Account } from './accounts.repo.ts';

/** How far the caller's rights over an account go. `self` and `manager` may change what describes it, not what it may. */
export type Reach = 'none' | 'read' | 'self' | 'manager' | 'full';

/** Rule 1: administrators everything; members themselves and the service accounts that they manage; keys what their scopes say. */
export function reachOf(principal: AuthenticatedPrincipal, target: { readonly id: string }): Reach {
  if (principal.kind !== 'session') {
    if (can(principal, 'iam:accounts:write', target.id)) return 'full';
    return can(principal, 'iam:accounts:read', target.id) ? 'read' : 'none';
  }
  if (principal.account.role === 'admin') return 'full';
  if (principal.account.id === target.id) return 'self';
  return principal.managedIds.includes(target.id) ? 'manager' : 'none';
}

/** The accounts that a list may show: null for all, otherwise these. */
export function visibleIds(principal: AuthenticatedPrincipal): readonly string[] | null {
  if (principal.kind === 'session') {
    return principal.account.role === 'admin' ? null : [principal.account.id, ...principal.managedIds];
  }
  if (can(principal, 'iam:accounts:read', '*') || can(principal, 'iam:accounts:write', '*')) return null;
  const named = principal.key.scopes
    .flatMap((scope) => scope.resources)
    .filter((resource) => !resource.includes('*'));
  return named.filter((id) => reachOf(principal, { id }) !== 'none');
}

/** What the caller could hand on. An administrator's session can hand out everything. */
function ownPermissions(principal: AuthenticatedPrincipal): readonly Permission[] | 'everything' {
  if (principal.kind !== 'session') return effectivePermissions(principal.account, principal.key);
  return principal.account.role === 'admin' ? 'everything' : grantsOf(principal.account);
}

/** The first part of `wanted` that the caller does not hold himself, or null. */
export function findGrantExcess(
  principal: AuthenticatedPrincipal,
  wanted: readonly Permission[],
): { action: string; resource: string } | null {
  const own = ownPermissions(principal);
  return own === 'everything' ? null : findExcess(own, wanted);
}

/**
 * True when the caller holds all that the account holds. Without it, changing the account's e-mail address or
 * password would be a way to become it and gain its rights, and a new manager could make keys with them.
 */
export function coversAccount(principal: AuthenticatedPrincipal, target: AccountIdentity): boolean {
  return findGrantExcess(principal, grantsOf(target)) === null;
}

/** What the identity of an account is made of. */
type AccountFacts = Pick<
  Account,
  | 'id'
  | 'workspaceId'
  | 'kind'
  | 'isActive'
  | 'role'
  | 'email'
  | 'displayName'
  | 'technicalName'
  | 'grants'
  | 'keyLimits'
  | 'epoch'
>;

export function toIdentity(account: AccountFacts): AccountIdentity {
  return {
    id: account.id,
    workspaceId: account.workspaceId,
    kind: account.kind,
    displayName: account.displayName,
    login: (account.kind === 'user' ? account.email : account.technicalName) ?? account.id,
    role: account.role,
    isActive: account.isActive,
    grants: account.grants,
    keyLimits: account.keyLimits,
    epoch: account.epoch,
  };
}
