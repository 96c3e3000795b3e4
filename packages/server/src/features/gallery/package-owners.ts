import { requestErrors } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import { inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { type Account, type AccountsService, accountErrors } from '../accounts/index.ts';
import type { AuditAction, AuditService } from '../audit/index.ts';
import { packageErrors } from './gallery.errors.ts';
import { findManageable } from './package-access.ts';
import type { Package } from './packages.repo.ts';
import * as repo from './packages.repo.ts';

export interface PackageOwners {
  /** Makes an active account of the workspace an owner; it may be one already. @throws request.not_found, auth.forbidden, package.too_many_owners */
  addOwner(caller: Caller, id: string, accountId: string): Promise<void>;
  /** @throws request.not_found, auth.forbidden, package.last_owner */
  removeOwner(caller: Caller, id: string, accountId: string): Promise<void>;
  /** For the deletion of an account. @throws account.owns_packages naming up to 100 of them */
  refuseIfSoleOwner(tx: Tx, account: Account): Promise<void>;
  /** For the deletion of an account, after `refuseIfSoleOwner`: its packages keep their other owners. */
  removeOwnership(tx: Tx, caller: Caller, account: Account): Promise<void>;
}

interface Deps {
  readonly storage: Storage;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
}

const OWNERS_MAX = 100;
const NAMED_PACKAGES_MAX = 100;

class Owners implements PackageOwners {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async addOwner(caller: Caller, id: string, accountId: string): Promise<void> {
    const { storage, accounts } = this.#deps;
    await inTransaction(storage, async (tx) => {
      const { found, owners } = await findManageable(tx, caller, id);
      const account = await accounts.findIdentity(tx, found.workspaceId, accountId);
      if (account === null || !account.isActive) {
        throw requestErrors.not_found({ detail: 'There is no such account, or it is disabled.' });
      }
      if (owners.includes(accountId)) return;
      if (owners.length >= OWNERS_MAX) {
        throw packageErrors.too_many_owners({ detail: `A package has at most ${OWNERS_MAX} owners.` });
      }
      await repo.insertOwner(tx, found.workspaceId, found.id, accountId);
      await this.#record(tx, caller, 'package.owner_added', found, account);
    });
  }

  async removeOwner(caller: Caller, id: string, accountId: string): Promise<void> {
    const { storage, accounts } = this.#deps;
    await inTransaction(storage, async (tx) => {
      const { found, owners } = await findManageable(tx, caller, id);
      if (!owners.includes(accountId)) {
        throw requestErrors.not_found({ detail: 'This account is not an owner of the package.' });
      }
      if (owners.length === 1) throw packageErrors.last_owner();
      await repo.deleteOwner(tx, found.workspaceId, found.id, accountId);
      const account = await accounts.findIdentity(tx, found.workspaceId, accountId);
      await this.#record(
        tx,
        caller,
        'package.owner_removed',
        found,
        account ?? { id: accountId, login: accountId },
      );
    });
  }

  async refuseIfSoleOwner(tx: Tx, account: Account): Promise<void> {
    const packages = await repo.listOwnedDisplayIds(tx, account.workspaceId, account.id, {
      isSoleOwner: true,
      limit: NAMED_PACKAGES_MAX + 1,
    });
    if (packages.length === 0) return;
    const count =
      packages.length > NAMED_PACKAGES_MAX ? `more than ${NAMED_PACKAGES_MAX}` : String(packages.length);
    throw accountErrors.owns_packages({
      detail: `The account is the sole owner of ${count} package(s). Give each of them another owner first.`,
      extra: { packages: packages.slice(0, NAMED_PACKAGES_MAX) },
    });
  }

  async removeOwnership(tx: Tx, caller: Caller, account: Account): Promise<void> {
    const { id, workspaceId } = account;
    const packages = await repo.listOwnedDisplayIds(tx, workspaceId, id, {
      isSoleOwner: false,
      limit: NAMED_PACKAGES_MAX,
    });
    const count = await repo.deleteOwnerEverywhere(tx, workspaceId, id);
    if (count === 0) return;
    // One row for all of them: an account may own thousands, and its deletion is one event.
    await this.#deps.audit.record(tx, caller, {
      action: 'package.owner_removed',
      target: { kind: 'account', id, name: account.displayName },
      accountId: id,
      detail: { because: 'account deleted', count, packages },
    });
  }

  async #record(
    tx: Tx,
    caller: Caller,
    action: AuditAction,
    found: Package,
    owner: { id: string; login: string },
  ): Promise<void> {
    await this.#deps.audit.record(tx, caller, {
      action,
      target: { kind: 'package', id: found.idLower, name: found.displayId },
      accountId: owner.id,
      detail: { owner: owner.login },
    });
  }
}

/** @see PackageOwners */
export function createPackageOwners(deps: Deps): PackageOwners {
  return new Owners(deps);
}
