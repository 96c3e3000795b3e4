import { requestErrors } from '../../../errors/index.ts';
import { type Caller, readCursor, requireAuthenticated } from '../../../http/index.ts';
import { DAY_MS } from '../../../lib/clock.ts';
import { newId } from '../../../lib/ids.ts';
import { type Page, toPage } from '../../../lib/page.ts';
import { type Executor, inTransaction, type Tx } from '../../../storage/index.ts';
import type { Account } from '../../accounts/index.ts';
import { packageErrors } from '../gallery.errors.ts';
import { canManagePackage, mayActFor, ownIdsOf } from '../gallery.policy.ts';
import { findOwn, type OwnedPackage } from '../package-access.ts';
import * as repo from '../packages.repo.ts';
import { loginOf, type NewOwner, type OwnerChanges, targetOf } from './owner-changes.ts';
import type { OwnerDeps } from './owner-deps.ts';
import { createOwnerNotices } from './owner-notices.ts';
import type { OwnerRequest } from './owner-requests.repo.ts';
import * as requests from './owner-requests.repo.ts';

/** A request with the names of all that it is about. */
export interface OwnerRequestView {
  readonly request: OwnerRequest;
  readonly found: repo.Package;
  readonly account: Account;
  readonly from: Account | null;
  /** Null when the account is gone. */
  readonly requestedBy: Account | null;
  /** The caller may accept and decline it. */
  readonly isForCaller: boolean;
}

export interface RequestQuery {
  /** Of one package, by its id: for those who manage it. Else the caller's own. */
  readonly packageId?: string | undefined;
  /** What he, or a service account that he manages, is asked; or what he has asked. */
  readonly direction?: 'incoming' | 'outgoing' | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Requests to own packages. They run out after 30 days. */
export interface RequestBook {
  /** @throws package.too_many_requests */
  ask(tx: Tx, caller: Caller, owned: OwnedPackage, change: NewOwner): Promise<OwnerRequest>;
  /** Open requests, newest first. @throws request.not_found for a package that the caller does not manage */
  listRequests(caller: Caller, query: RequestQuery): Promise<Page<OwnerRequestView>>;
  /**
   * For the account that is asked, its managers, and administrators.
   *
   * @throws request.not_found, package.request_void, too_many_owners, quota_reached
   */
  accept(caller: Caller, requestId: string): Promise<void>;
  /** As `accept`. @throws request.not_found */
  decline(caller: Caller, requestId: string): Promise<void>;
  /** For whoever made it and whoever manages the package. @throws request.not_found */
  withdraw(caller: Caller, requestId: string): Promise<void>;
  /** Deletes those that have run out; nobody is shown them before either. */
  sweepRequests(): Promise<void>;
}

const OPEN_DAYS = 30;
const OPEN_REQUESTS_MAX = 20;
const SWEPT_AT_ONCE = 500;
const NONE = 'There is no such request, or it has run out, or it is not yours.';

class Book implements RequestBook {
  readonly #deps: OwnerDeps;
  readonly #changes: OwnerChanges;
  readonly #notices: ReturnType<typeof createOwnerNotices>;

  constructor(deps: OwnerDeps, changes: OwnerChanges) {
    this.#deps = deps;
    this.#changes = changes;
    this.#notices = createOwnerNotices(deps);
  }

  async ask(tx: Tx, caller: Caller, { found }: OwnedPackage, change: NewOwner): Promise<OwnerRequest> {
    const { clock, random } = this.#deps;
    const { principal } = requireAuthenticated(caller);
    const { workspaceId, id: packageId } = found;
    const now = clock.now();
    const open = await requests.listRequests(tx, { workspaceId, now, packageId }, null, OPEN_REQUESTS_MAX);
    const same = open.find(({ accountId }) => accountId === change.accountId);
    // Asking again sends no second mail.
    if (same?.fromId === change.fromId && same.requestedBy === principal.account.id) return same;
    if (same === undefined && open.length >= OPEN_REQUESTS_MAX) {
      throw packageErrors.too_many_requests({
        detail: `A package has at most ${OPEN_REQUESTS_MAX} open requests. Wait for answers, or withdraw some.`,
      });
    }
    const request = {
      id: newId(random, 'ownerRequest'),
      workspaceId,
      packageId,
      ...change,
      requestedBy: principal.account.id,
      createdAt: now,
      expiresAt: now + OPEN_DAYS * DAY_MS,
    };
    await requests.insertRequest(tx, request);
    await this.#record(tx, caller, 'package.owner_requested', found, request);
    await this.#notices.tellRequest(tx, caller, found, request);
    return request;
  }

  async listRequests(caller: Caller, query: RequestQuery): Promise<Page<OwnerRequestView>> {
    const { storage, clock } = this.#deps;
    const { principal, workspace } = requireAuthenticated(caller);
    const { packageId, direction, limit, cursor } = query;
    const filter = { workspaceId: workspace.id, now: clock.now() };
    const after = readCursor(cursor, [0, '']);
    const chosen =
      packageId !== undefined
        ? { ...filter, packageId: (await findOwn(storage.read, caller, packageId)).found.id }
        : direction === 'outgoing'
          ? { ...filter, requestedBy: principal.account.id }
          : { ...filter, accountIds: ownIdsOf(principal) };
    const rows = await requests.listRequests(storage.read, chosen, after, limit + 1);
    const { items, nextCursor } = toPage(rows, limit, (row) => [row.createdAt, row.id]);
    return { items: await this.#views(storage.read, caller, items), nextCursor };
  }

  async accept(caller: Caller, requestId: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const request = await this.#findForCaller(tx, caller, requestId);
      const owned = await this.#findStanding(tx, request);
      if (owned.owners.includes(request.accountId) && request.fromId === null) {
        await requests.deleteRequestsOf(tx, request.packageId, request.accountId);
        return;
      }
      await this.#changes.apply(tx, caller, owned, request);
    });
  }

  async decline(caller: Caller, requestId: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const request = await this.#findForCaller(tx, caller, requestId);
      const { accountId, packageId, workspaceId, requestedBy } = request;
      await requests.deleteRequestsOf(tx, packageId, accountId);
      const found = await repo.findPackageByRow(tx, workspaceId, packageId);
      if (found === null) return;
      await this.#record(tx, caller, 'package.owner_declined', found, request);
      const account = await this.#deps.accounts.find(tx, workspaceId, accountId);
      await this.#notices.tellChange(tx, caller, { found, change: 'declined', account, to: [requestedBy] });
    });
  }

  async withdraw(caller: Caller, requestId: string): Promise<void> {
    const { storage, clock } = this.#deps;
    await inTransaction(storage, async (tx) => {
      const { principal, workspace } = requireAuthenticated(caller);
      const request = await requests.findRequest(tx, workspace.id, requestId, clock.now());
      const found =
        request === null ? null : await repo.findPackageByRow(tx, workspace.id, request.packageId);
      if (request === null || found === null) throw requestErrors.not_found({ detail: NONE });
      const owners = await repo.listOwnerIds(tx, workspace.id, found.id);
      const isHis = request.requestedBy === principal.account.id || canManagePackage(principal, owners);
      if (!isHis) throw requestErrors.not_found({ detail: NONE });
      await requests.deleteRequestsOf(tx, request.packageId, request.accountId);
      await this.#record(tx, caller, 'package.owner_request_withdrawn', found, request);
    });
  }

  async sweepRequests(): Promise<void> {
    const { storage, clock } = this.#deps;
    const sweepSome = () =>
      inTransaction(storage, (tx) => requests.deleteExpiredRequests(tx, clock.now(), SWEPT_AT_ONCE));
    while ((await sweepSome()) === SWEPT_AT_ONCE);
  }

  async #findForCaller(tx: Tx, caller: Caller, requestId: string): Promise<OwnerRequest> {
    const { principal, workspace } = requireAuthenticated(caller);
    const request = await requests.findRequest(tx, workspace.id, requestId, this.#deps.clock.now());
    if (request === null || !mayActFor(principal, request.accountId))
      throw requestErrors.not_found({ detail: NONE });
    return request;
  }

  /** A request is worth what its maker may do when it is accepted, not when he made it. @throws package.request_void */
  async #findStanding(tx: Tx, request: OwnerRequest): Promise<OwnedPackage> {
    const { accounts } = this.#deps;
    const { workspaceId, packageId, accountId, fromId, requestedBy } = request;
    const found = await repo.findPackageByRow(tx, workspaceId, packageId);
    const maker = await accounts.findIdentity(tx, workspaceId, requestedBy);
    const account = await accounts.findIdentity(tx, workspaceId, accountId);
    if (found === null || maker === null || account === null || !maker.isActive || !account.isActive)
      throw packageErrors.request_void();
    const owners = await repo.listOwnerIds(tx, workspaceId, packageId);
    if (fromId !== null && !owners.includes(fromId)) throw packageErrors.request_void();
    const ownIds = [maker.id, ...(await accounts.listManagedIds(tx, workspaceId, maker.id))];
    const needed = fromId === null ? owners : [fromId];
    if (maker.role !== 'admin' && !needed.some((id) => ownIds.includes(id)))
      throw packageErrors.request_void();
    return { found, owners };
  }

  async #record(
    tx: Tx,
    caller: Caller,
    action: 'package.owner_requested' | 'package.owner_declined' | 'package.owner_request_withdrawn',
    found: repo.Package,
    { accountId, fromId }: NewOwner,
  ): Promise<void> {
    const { accounts, audit } = this.#deps;
    const account = await accounts.find(tx, found.workspaceId, accountId);
    const from = fromId === null ? null : await accounts.find(tx, found.workspaceId, fromId);
    await audit.record(tx, caller, {
      action,
      target: targetOf(found),
      accountId,
      detail: { owner: loginOf(account), ...(fromId === null ? {} : { from: loginOf(from) }) },
    });
  }

  async #views(exec: Executor, caller: Caller, rows: readonly OwnerRequest[]): Promise<OwnerRequestView[]> {
    const { principal, workspace } = requireAuthenticated(caller);
    const packages = await repo.findPackagesByRow(exec, workspace.id, [
      ...new Set(rows.map((row) => row.packageId)),
    ]);
    const people = new Map<string, Account>();
    for (const ids of [
      rows.map((row) => row.accountId),
      rows.map((row) => row.requestedBy),
      rows.flatMap((row) => row.fromId ?? []),
    ])
      for (const account of await this.#deps.accounts.findMany(exec, workspace.id, [...new Set(ids)]))
        people.set(account.id, account);
    return rows.flatMap((request) => {
      const found = packages.find(({ id }) => id === request.packageId);
      const account = people.get(request.accountId);
      if (found === undefined || account === undefined) return [];
      return [
        {
          request,
          found,
          account,
          from: request.fromId === null ? null : (people.get(request.fromId) ?? null),
          requestedBy: people.get(request.requestedBy) ?? null,
          isForCaller: mayActFor(principal, request.accountId),
        },
      ];
    });
  }
}

/** @see RequestBook */
export function createRequestBook(deps: OwnerDeps, changes: OwnerChanges): RequestBook {
  return new Book(deps, changes);
}
