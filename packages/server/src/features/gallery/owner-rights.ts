import type { AuthenticatedPrincipal } from '../../http/index.ts';
import type { Executor } from '../../storage/index.ts';
import { type AccountsService, reachOf } from '../accounts/index.ts';
import type { Actor } from './denials.ts';

/** May the key act for its owner now: its own account, or a service account that it still manages? */
export async function isOwnerUsable(
  exec: Executor,
  accounts: AccountsService,
  { account, key }: Actor,
): Promise<boolean> {
  if (key.ownerId === account.id) return true;
  const owner = await accounts.findIdentity(exec, account.workspaceId, key.ownerId);
  return (
    owner?.kind === 'service' &&
    owner.isActive &&
    (await accounts.isManagedBy(exec, account.workspaceId, owner.id, account.id))
  );
}

/** May the caller ask what an account owns? Whoever may see the account, and keys that may act for it now. */
export async function mayAskForOwner(
  exec: Executor,
  accounts: AccountsService,
  principal: AuthenticatedPrincipal,
  ownerId: string,
): Promise<boolean> {
  const { account } = principal;
  if (ownerId === account.id || reachOf(principal, { id: ownerId }) !== 'none') return true;
  if (principal.kind === 'session') return principal.managedIds.includes(ownerId);
  const { key } = principal;
  return ownerId === key.ownerId && (await isOwnerUsable(exec, accounts, { account, key }));
}
