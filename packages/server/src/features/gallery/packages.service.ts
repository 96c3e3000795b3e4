import { requestErrors } from '../../errors/index.ts';
import { type Caller, requireAuthenticated } from '../../http/index.ts';
import type { BlobStore } from '../../storage/blobs/index.ts';
import { inTransaction, type Keyring, type Tx } from '../../storage/index.ts';
import type { KeyAuthenticator, KeysService } from '../keys/index.ts';
import { can } from '../scopes/index.ts';
import { type DeprecationWish, setDeprecation } from './deprecations/deprecations.ts';
import { packageErrors } from './gallery.errors.ts';
import { actingOwnerId } from './gallery.policy.ts';
import { mayAskForOwner } from './owner-rights.ts';
import type { OwnerDeps } from './owners/owner-deps.ts';
import { createPackageOwners, type PackageOwners } from './owners/package-owners.ts';
import { findOwn } from './package-access.ts';
import { createFindCoverage, type FindCoverage } from './package-coverage.ts';
import { createFindPackageKeys, type FindPackageKeys } from './package-keys.ts';
import { createPackageLister, type PackageLister } from './package-list.ts';
import { createPreviewPackage, type PreviewPackage } from './package-preview.ts';
import { createPreviewPush, type PreviewPush } from './push-preview.ts';
import type { QuotaReport } from './quotas/quotas.ts';
import type { GalleryReading } from './reading/gallery-reading.ts';
import { findVersionByText, setVersionListed } from './version-listing.ts';

/** Packages as their managers see and change them. */
export interface PackagesService extends PackageLister, PackageOwners {
  readonly findCoverage: FindCoverage;
  readonly findKeys: FindPackageKeys;
  /**
   * Hides a version from search or shows it again by a session of the console; doing so twice is no fault.
   *
   * @throws request.not_found unless the caller manages the package, package.not_found, package.not_permitted
   */
  setListed(caller: Caller, id: string, version: string, isListed: boolean): Promise<void>;
  /** Deprecates versions or takes that back, for those who may unlist. @throws as `setListed`, request.invalid */
  deprecate(caller: Caller, id: string, wish: DeprecationWish): Promise<void>;
  /** What an account holds. @throws request.not_found for one that the caller may not ask about */
  findUsage(caller: Caller, accountId: string): Promise<QuotaReport>;
  readonly previewPush: PreviewPush;
  readonly previewPackage: PreviewPackage;
}

interface Deps extends OwnerDeps {
  readonly keyring: Keyring;
  readonly blobs: BlobStore;
  readonly keys: KeysService;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly galleryReading: GalleryReading;
  readonly uploadsMax?: number;
}

/** A package that the caller manages and may unlist, and the owner in whose name he does so. */
async function findToUnlist(tx: Tx, caller: Caller, id: string) {
  const own = await findOwn(tx, caller, id);
  const { principal } = requireAuthenticated(caller);
  const { displayId } = own.found;
  if (!can(principal, 'package:unlist', displayId)) {
    throw packageErrors.not_permitted({
      detail: `Your account is not granted package:unlist on ${displayId}. Ask an administrator.`,
    });
  }
  return {
    found: own.found,
    accountId: principal.account.id,
    ownerId: actingOwnerId(principal, own.owners),
  };
}

/** @see PackagesService */
export function createPackagesService(deps: Deps): PackagesService {
  const { storage, audit } = deps;
  const lister = createPackageLister(deps);
  const owners = createPackageOwners(deps);
  return {
    list: (caller, query, page) => lister.list(caller, query, page),
    summarize: (caller, q) => lister.summarize(caller, q),
    get: (caller, id, page) => lister.get(caller, id, page),
    addOwner: (caller, id, account) => owners.addOwner(caller, id, account),
    transfer: (caller, id, wish) => owners.transfer(caller, id, wish),
    listRequests: (caller, query) => owners.listRequests(caller, query),
    accept: (caller, requestId) => owners.accept(caller, requestId),
    decline: (caller, requestId) => owners.decline(caller, requestId),
    withdraw: (caller, requestId) => owners.withdraw(caller, requestId),
    sweepRequests: () => owners.sweepRequests(),
    removeOwner: (caller, id, accountId) => owners.removeOwner(caller, id, accountId),
    refuseIfSoleOwner: (tx, account) => owners.refuseIfSoleOwner(tx, account),
    removeOwnership: (tx, caller, account) => owners.removeOwnership(tx, caller, account),
    findCoverage: createFindCoverage(deps),
    findKeys: createFindPackageKeys(deps),
    setListed: (caller, id, version, isListed) =>
      inTransaction(storage, async (tx) => {
        const { found: target, ownerId } = await findToUnlist(tx, caller, id);
        const found = await findVersionByText(tx, target.workspaceId, id, version);
        if (found === null) throw packageErrors.not_found();
        await setVersionListed(tx, audit, caller, { found, isListed, ownerId, keyId: null });
      }),
    deprecate: (caller, id, wish) =>
      inTransaction(storage, async (tx) => {
        const own = await findToUnlist(tx, caller, id);
        await setDeprecation(deps, tx, caller, { ...own, wish, keyId: null });
      }),
    findUsage: async (caller, accountId) => {
      const { principal, workspace } = requireAuthenticated(caller);
      const isKnown =
        (await mayAskForOwner(storage.read, deps.accounts, principal, accountId)) &&
        (await deps.accounts.findIdentity(storage.read, workspace.id, accountId)) !== null;
      if (!isKnown)
        throw requestErrors.not_found({ detail: 'There is no such account, or you may not see it.' });
      return await deps.quotas.report(storage.read, workspace.id, accountId);
    },
    previewPush: createPreviewPush(deps),
    previewPackage: createPreviewPackage(deps),
  };
}
