import { requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, requireAuthenticated } from '../../http/index.ts';
import type { Executor } from '../../storage/index.ts';
import { canManagePackage, canSeePackage } from './gallery.policy.ts';
import { findPackage, listOwnerIds, type Package } from './packages.repo.ts';

export interface OwnedPackage {
  readonly found: Package;
  readonly owners: readonly string[];
}

async function findWithOwners(exec: Executor, workspaceId: string, id: string): Promise<OwnedPackage | null> {
  const found = await findPackage(exec, workspaceId, id);
  // Asked in any case: the time of the answer tells nobody that there is a package which he may not see.
  const owners = await listOwnerIds(exec, workspaceId, found?.id ?? '');
  return found === null ? null : { found, owners };
}

/** @throws request.not_found also for a package that the caller may not see */
export async function findVisible(exec: Executor, caller: Caller, id: string): Promise<OwnedPackage> {
  const { principal, workspace } = requireAuthenticated(caller);
  const owned = await findWithOwners(exec, workspace.id, id);
  if (owned === null || !canSeePackage(principal, owned.found.displayId, owned.owners)) {
    throw requestErrors.not_found({ detail: 'There is no such package, or you may not see it.' });
  }
  return owned;
}

/** For changes of its owners. @throws request.not_found, auth.forbidden when the caller may only see it */
export async function findManageable(exec: Executor, caller: Caller, id: string): Promise<OwnedPackage> {
  const visible = await findVisible(exec, caller, id);
  if (!canManagePackage(requireAuthenticated(caller).principal, visible.owners)) {
    throw authErrors.forbidden({
      detail: 'Only an owner of the package, a manager of one, or an administrator changes its owners.',
    });
  }
  return visible;
}

/** A package that the caller manages. @throws request.not_found for all others, whether he may see them or not */
export async function findOwn(exec: Executor, caller: Caller, id: string): Promise<OwnedPackage> {
  const { principal, workspace } = requireAuthenticated(caller);
  const owned = await findWithOwners(exec, workspace.id, id);
  if (owned === null || !canManagePackage(principal, owned.owners)) {
    throw requestErrors.not_found({ detail: 'There is no such package, or it is not yours to manage.' });
  }
  return owned;
}
