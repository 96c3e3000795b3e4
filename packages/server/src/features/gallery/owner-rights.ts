import type { Executor } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
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
