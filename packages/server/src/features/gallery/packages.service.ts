import { setImmediate } from 'node:timers/promises';
import { requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, requireAuthenticated } from '../../http/index.ts';
import { type CursorValues, decodeCursor, encodeCursor, type Page, toPage } from '../../lib/page.ts';
import { type Executor, inTransaction, type Storage, type Tx } from '../../storage/index.ts';
import { type Account, type AccountsService, accountErrors } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import { packageErrors } from './gallery.errors.ts';
import { canManageOwners, canSeePackage } from './gallery.policy.ts';
import type { Package, PackageVersion } from './packages.repo.ts';
import * as repo from './packages.repo.ts';
import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from './version/nuget-version.ts';

/** A package as those see it who manage it. */
export interface PackageView {
  readonly package: Package;
  readonly owners: readonly string[];
  readonly versionCount: number;
  readonly listedVersionCount: number;
  readonly latestVersion: string | null;
}

export interface PackageDetail extends PackageView {
  readonly versions: Page<PackageVersion>;
}

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface PackagesService {
  /** Packages that the caller may see, by id. `q` searches in ids. */
  list(
    caller: Caller,
    query: { q?: string | undefined; ownerId?: string | undefined },
    page: PageQuery,
  ): Promise<Page<PackageView>>;
  /** One package with a page of its versions, last pushed first. @throws request.not_found also when the caller may not see it */
  get(caller: Caller, id: string, page: PageQuery): Promise<PackageDetail>;
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
// What a caller may see is decided by patterns, not by SQL: pages are gathered until full or so many are read.
const SCAN_PACKAGES_MAX = 5_000;

class Packages implements PackagesService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(
    caller: Caller,
    query: { q?: string | undefined; ownerId?: string | undefined },
    page: PageQuery,
  ): Promise<Page<PackageView>> {
    const { storage } = this.#deps;
    const { principal, workspace } = requireAuthenticated(caller);
    let after = readCursor(page.cursor, ['']);
    const views: PackageView[] = [];
    const batch = page.limit + 1;
    for (let scanned = 0; ; ) {
      const rows = await repo.listPackages(
        storage.read,
        { workspaceId: workspace.id, ...query },
        after,
        batch,
      );
      const owners = await repo.listOwners(
        storage.read,
        workspace.id,
        rows.map((row) => row.id),
      );
      for (const row of rows) {
        if (views.length === page.limit)
          return { items: views, nextCursor: after === null ? null : encodeCursor(after) };
        after = [row.idLower];
        const ownerIds = owners.filter((owner) => owner.packageId === row.id).map((owner) => owner.accountId);
        if (canSeePackage(principal, row.displayId, ownerIds)) views.push(await this.#view(row, ownerIds));
      }
      scanned += rows.length;
      if (rows.length < batch) return { items: views, nextCursor: null };
      if (scanned >= SCAN_PACKAGES_MAX)
        return { items: views, nextCursor: after === null ? null : encodeCursor(after) };
      // Both engines answer a long scan without a pause in which others could be served.
      await setImmediate();
    }
  }

  async get(caller: Caller, id: string, page: PageQuery): Promise<PackageDetail> {
    const { storage } = this.#deps;
    const { found, owners } = await this.#findVisible(storage.read, caller, id);
    const after = readCursor(page.cursor, [0, '']);
    const rows = await repo.listVersions(storage.read, found.workspaceId, found.id, after, page.limit + 1);
    return {
      ...(await this.#view(found, owners)),
      versions: toPage(rows, page.limit, (row) => [row.pushedAt, row.id]),
    };
  }

  async addOwner(caller: Caller, id: string, accountId: string): Promise<void> {
    const { storage, accounts } = this.#deps;
    await inTransaction(storage, async (tx) => {
      const { found, owners } = await this.#findManageable(tx, caller, id);
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
      const { found, owners } = await this.#findManageable(tx, caller, id);
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
    const packages = await repo.listOwnedIds(tx, account.workspaceId, account.id, {
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
    const packages = await repo.listOwnedIds(tx, workspaceId, id, {
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

  async #view(found: Package, owners: readonly string[]): Promise<PackageView> {
    const { read } = this.#deps.storage;
    const versionCount = await repo.countVersions(read, found.workspaceId, found.id);
    const listed = await repo.listListedVersions(read, found.workspaceId, found.id);
    return {
      package: found,
      owners,
      versionCount,
      listedVersionCount: listed.length,
      latestVersion: findLatest(listed),
    };
  }

  async #findVisible(
    exec: Executor,
    caller: Caller,
    id: string,
  ): Promise<{ found: Package; owners: string[] }> {
    const { principal, workspace } = requireAuthenticated(caller);
    const found = await repo.findPackage(exec, workspace.id, id);
    const owners = found === null ? [] : await repo.listOwnerIds(exec, workspace.id, found.id);
    if (found === null || !canSeePackage(principal, found.displayId, owners)) {
      throw requestErrors.not_found({ detail: 'There is no such package, or you may not see it.' });
    }
    return { found, owners };
  }

  async #findManageable(
    exec: Executor,
    caller: Caller,
    id: string,
  ): Promise<{ found: Package; owners: string[] }> {
    const visible = await this.#findVisible(exec, caller, id);
    if (!canManageOwners(requireAuthenticated(caller).principal, visible.owners)) {
      throw authErrors.forbidden({
        detail: 'Only an owner of the package, a manager of one, or an administrator changes its owners.',
      });
    }
    return visible;
  }

  async #record(
    tx: Tx,
    caller: Caller,
    action: string,
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

function readCursor(cursor: string | undefined, sample: CursorValues): CursorValues | null {
  const after = cursor === undefined ? null : decodeCursor(cursor, sample);
  if (cursor !== undefined && after === null) {
    throw requestErrors.invalid({
      fields: [{ field: 'cursor', message: 'is not one that this list returned' }],
    });
  }
  return after;
}

/** The highest release; the highest prerelease when there is no release; null when there is nothing. */
function findLatest(versions: readonly string[]): string | null {
  let latest: NuGetVersion | null = null;
  for (const text of versions) {
    const version = parseNuGetVersion(text);
    if (version !== null && (latest === null || isLater(version, latest))) latest = version;
  }
  return latest?.normalized ?? null;
}

function isLater(version: NuGetVersion, latest: NuGetVersion): boolean {
  if (version.isPrerelease !== latest.isPrerelease) return latest.isPrerelease;
  return compareNuGetVersions(version, latest) > 0;
}

/** @see PackagesService */
export function createPackagesService(deps: Deps): PackagesService {
  return new Packages(deps);
}
