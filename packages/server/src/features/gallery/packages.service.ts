import { type Caller, requireAuthenticated } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { inTransaction, type Keyring, type Storage } from '../../storage/index.ts';
import type { AccountsService } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';
import { can } from '../scopes/index.ts';
import { packageErrors } from './gallery.errors.ts';
import { actingOwnerId } from './gallery.policy.ts';
import { findOwn } from './package-access.ts';
import { createFindCoverage, type FindCoverage } from './package-coverage.ts';
import { createFindPackageKeys, type FindPackageKeys } from './package-keys.ts';
import { createPackageLister, type PackageLister } from './package-list.ts';
import { createPackageOwners, type PackageOwners } from './package-owners.ts';
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
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
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
    addOwner: (caller, id, accountId) => owners.addOwner(caller, id, accountId),
    removeOwner: (caller, id, accountId) => owners.removeOwner(caller, id, accountId),
    refuseIfSoleOwner: (tx, account) => owners.refuseIfSoleOwner(tx, account),
    removeOwnership: (tx, caller, account) => owners.removeOwnership(tx, caller, account),
    findCoverage: createFindCoverage(deps),
    findKeys: createFindPackageKeys(deps),
    setListed: (caller, id, version, isListed) =>
      inTransaction(storage, async (tx) => {
        const own = await findOwn(tx, caller, id);
        const { principal } = requireAuthenticated(caller);
        const { displayId, workspaceId } = own.found;
        if (!can(principal, 'package:unlist', displayId)) {
          throw packageErrors.not_permitted({
            detail: `Your account is not granted package:unlist on ${displayId}. Ask an administrator.`,
          });
        }
        const found = await findVersionByText(tx, workspaceId, id, version);
        if (found === null) throw packageErrors.not_found();
        const ownerId = actingOwnerId(principal, own.owners);
        await setVersionListed(tx, audit, caller, { found, isListed, ownerId, keyId: null });
      }),
  };
}
