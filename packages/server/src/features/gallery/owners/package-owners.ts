import { requestErrors } from '../../../errors/index.ts';
import { authErrors, type Caller, requireAuthenticated } from '../../../http/index.ts';
import { type Executor, inTransaction, type Tx } from '../../../storage/index.ts';
import { type Account, accountErrors } from '../../accounts/index.ts';
import { packageErrors } from '../gallery.errors.ts';
import { mayActFor } from '../gallery.policy.ts';
import { findManageable, type OwnedPackage } from '../package-access.ts';
import * as repo from '../packages.repo.ts';
import { removeFromPrefixes } from '../prefixes/prefixes.repo.ts';
import { createOwnerChanges, type OwnerChanges } from './owner-changes.ts';
import type { OwnerDeps } from './owner-deps.ts';
import type { OwnerRequest } from './owner-requests.repo.ts';
import * as requests from './owner-requests.repo.ts';
import { createRequestBook, type RequestBook } from './request-book.ts';

export interface PackageOwners
  extends Pick<RequestBook, 'listRequests' | 'accept' | 'decline' | 'withdraw' | 'sweepRequests'> {
  /**
   * Makes an active account of the workspace an owner, at once when the caller is an administrator or may act for
   * it. Everybody else's account is asked: the request is returned. `account` is an id, an e-mail address or a
   * technical name. It may be an owner already.
   *
   * @throws request.not_found, auth.forbidden, package.too_many_owners, too_many_requests, quota_reached
   */
  addOwner(caller: Caller, id: string, account: string): Promise<OwnerRequest | null>;
  /**
   * Hands the ownership of one owner over to another account: of `fromId`, or of the one owner that the caller acts
   * for. At once or by request as in `addOwner`.
   *
   * @throws request.not_found, request.invalid, auth.forbidden, package.too_many_requests, quota_reached
   */
  transfer(
    caller: Caller,
    id: string,
    wish: { readonly account: string; readonly fromId?: string | undefined },
  ): Promise<OwnerRequest | null>;
  /** @throws request.not_found, auth.forbidden, package.last_owner */
  removeOwner(caller: Caller, id: string, accountId: string): Promise<void>;
  /** For the deletion of an account. @throws account.owns_packages naming up to 100 of them */
  refuseIfSoleOwner(tx: Tx, account: Account): Promise<void>;
  /** For the deletion of an account, after `refuseIfSoleOwner`: its packages keep their other owners. */
  removeOwnership(tx: Tx, caller: Caller, account: Account): Promise<void>;
}

const NAMED_PACKAGES_MAX = 100;

class Owners implements PackageOwners {
  readonly #deps: OwnerDeps;
  readonly #changes: OwnerChanges;
  readonly #book: RequestBook;
  readonly listRequests: RequestBook['listRequests'];
  readonly accept: RequestBook['accept'];
  readonly decline: RequestBook['decline'];
  readonly withdraw: RequestBook['withdraw'];
  readonly sweepRequests: RequestBook['sweepRequests'];

  constructor(deps: OwnerDeps) {
    this.#deps = deps;
    this.#changes = createOwnerChanges(deps);
    this.#book = createRequestBook(deps, this.#changes);
    this.listRequests = (caller, query) => this.#book.listRequests(caller, query);
    this.accept = (caller, requestId) => this.#book.accept(caller, requestId);
    this.decline = (caller, requestId) => this.#book.decline(caller, requestId);
    this.withdraw = (caller, requestId) => this.#book.withdraw(caller, requestId);
    this.sweepRequests = () => this.#book.sweepRequests();
  }

  async addOwner(caller: Caller, id: string, account: string): Promise<OwnerRequest | null> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const owned = await findManageable(tx, caller, id);
      const target = await this.#findAccount(tx, owned, account);
      if (owned.owners.includes(target.id)) return null;
      return await this.#makeOrAsk(tx, caller, owned, { accountId: target.id, fromId: null });
    });
  }

  async transfer(
    caller: Caller,
    id: string,
    { account, fromId }: { readonly account: string; readonly fromId?: string | undefined },
  ): Promise<OwnerRequest | null> {
    return await inTransaction(this.#deps.storage, async (tx) => {
      const owned = await findManageable(tx, caller, id);
      const target = await this.#findAccount(tx, owned, account);
      const from = chooseFormerOwner(caller, owned, fromId);
      if (from === target.id) {
        throw requestErrors.invalid({
          fields: [{ field: 'account', message: 'is the owner who hands the package over' }],
        });
      }
      return await this.#makeOrAsk(tx, caller, owned, { accountId: target.id, fromId: from });
    });
  }

  async removeOwner(caller: Caller, id: string, accountId: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const owned = await findManageable(tx, caller, id);
      if (!owned.owners.includes(accountId)) {
        throw requestErrors.not_found({ detail: 'This account is not an owner of the package.' });
      }
      if (owned.owners.length === 1) throw packageErrors.last_owner();
      await this.#changes.remove(tx, caller, owned, accountId);
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
    await requests.deleteRequestsAbout(tx, workspaceId, id);
    await removeFromPrefixes(tx, workspaceId, id);
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

  async #makeOrAsk(
    tx: Tx,
    caller: Caller,
    owned: OwnedPackage,
    change: { readonly accountId: string; readonly fromId: string | null },
  ): Promise<OwnerRequest | null> {
    const { principal } = requireAuthenticated(caller);
    // An owner already has agreed to be one: taking over the share of another needs no second yes.
    const isAgreed = mayActFor(principal, change.accountId) || owned.owners.includes(change.accountId);
    if (!isAgreed) return await this.#book.ask(tx, caller, owned, change);
    await this.#changes.apply(tx, caller, owned, change);
    return null;
  }

  async #findAccount(exec: Executor, { found }: OwnedPackage, text: string): Promise<Account> {
    const { accounts } = this.#deps;
    const { workspaceId } = found;
    const account =
      (await accounts.find(exec, workspaceId, text)) ??
      (await accounts.findByLogin(exec, workspaceId, text.includes('@') ? 'user' : 'service', text));
    if (account === null || !account.isActive) {
      throw requestErrors.not_found({ detail: 'There is no such account, or it is disabled.' });
    }
    return account;
  }
}

/** Whose ownership is handed over: the one named, or the only one that the caller acts for. */
function chooseFormerOwner(caller: Caller, { owners }: OwnedPackage, fromId: string | undefined): string {
  const { principal } = requireAuthenticated(caller);
  if (fromId !== undefined) {
    if (!owners.includes(fromId))
      throw requestErrors.not_found({ detail: 'This account is not an owner of the package.' });
    if (!mayActFor(principal, fromId))
      throw authErrors.forbidden({ detail: 'You may hand over your own ownership only.' });
    return fromId;
  }
  const isAdmin = principal.kind === 'session' && principal.account.role === 'admin';
  const own = owners.filter((id) => mayActFor(principal, id));
  const personal = isAdmin ? own.filter((id) => id === principal.account.id) : own;
  const [only, ...others] = personal.length === 0 ? own : personal;
  if (only !== undefined && others.length === 0) return only;
  throw requestErrors.invalid({
    detail: 'You act for several owners of the package; name in `from` the one who hands it over.',
    fields: [{ field: 'from', message: 'must name the owner who hands the package over' }],
  });
}

/** @see PackageOwners */
export function createPackageOwners(deps: OwnerDeps): PackageOwners {
  return new Owners(deps);
}
