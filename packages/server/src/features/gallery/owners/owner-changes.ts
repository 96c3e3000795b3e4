import type { Caller } from '../../../http/index.ts';
import type { Tx } from '../../../storage/index.ts';
import { packageErrors } from '../gallery.errors.ts';
import type { OwnedPackage } from '../package-access.ts';
import * as repo from '../packages.repo.ts';
import type { OwnerDeps } from './owner-deps.ts';
import { createOwnerNotices } from './owner-notices.ts';
import * as requests from './owner-requests.repo.ts';

/** Who becomes an owner, and who is one no more for it (null: nobody). */
export interface NewOwner {
  readonly accountId: string;
  readonly fromId: string | null;
}

/** The changes themselves: rows, audit, mails. Whoever calls has decided that they may be made. */
export interface OwnerChanges {
  /** @throws package.too_many_owners, quota_reached */
  apply(tx: Tx, caller: Caller, owned: OwnedPackage, change: NewOwner): Promise<void>;
  remove(tx: Tx, caller: Caller, owned: OwnedPackage, accountId: string): Promise<void>;
}

const OWNERS_MAX = 100;

/** @see OwnerChanges */
export function createOwnerChanges(deps: OwnerDeps): OwnerChanges {
  const { audit, accounts, quotas } = deps;
  const notices = createOwnerNotices(deps);
  return {
    apply: async (tx, caller, { found, owners }, { accountId, fromId }) => {
      const { workspaceId, id } = found;
      if (!owners.includes(accountId)) {
        if (fromId === null && owners.length >= OWNERS_MAX) {
          throw packageErrors.too_many_owners({ detail: `A package has at most ${OWNERS_MAX} owners.` });
        }
        await quotas.checkNewOwner(tx, found, accountId);
        await repo.insertOwner(tx, workspaceId, id, accountId);
      }
      if (fromId !== null) {
        await repo.deleteOwner(tx, workspaceId, id, fromId);
        await requests.deleteHandOvers(tx, id, fromId);
      }
      await requests.deleteRequestsOf(tx, id, accountId);
      const account = await accounts.find(tx, workspaceId, accountId);
      const from = fromId === null ? null : await accounts.find(tx, workspaceId, fromId);
      await audit.record(tx, caller, {
        action: fromId === null ? 'package.owner_added' : 'package.transferred',
        target: targetOf(found),
        accountId,
        detail: { owner: loginOf(account), ...(fromId === null ? {} : { from: loginOf(from) }) },
      });
      const change = fromId === null ? 'added' : 'transferred';
      const to = [...owners, accountId];
      await notices.tellChange(tx, caller, { found, change, account, from, to });
    },
    remove: async (tx, caller, { found, owners }, accountId) => {
      const { workspaceId, id } = found;
      await repo.deleteOwner(tx, workspaceId, id, accountId);
      await requests.deleteHandOvers(tx, id, accountId);
      const account = await accounts.find(tx, workspaceId, accountId);
      await audit.record(tx, caller, {
        action: 'package.owner_removed',
        target: targetOf(found),
        accountId,
        detail: { owner: account === null ? accountId : loginOf(account) },
      });
      await notices.tellChange(tx, caller, { found, change: 'removed', account, to: owners });
    },
  };
}

export function targetOf(found: repo.Package) {
  return { kind: 'package', id: found.idLower, name: found.displayId };
}

export function loginOf(
  account: { email: string | null; technicalName: string | null } | null,
): string | null {
  return account?.technicalName ?? account?.email ?? null;
}
