import type { Executor, Tx } from '../../../storage/index.ts';
import type { Settings, SettingsService } from '../../settings/index.ts';
import { packageErrors } from '../gallery.errors.ts';
import type { Package } from '../packages.repo.ts';
import { findAccountUsage, findPackageUsage, type GalleryUsage } from './gallery-usage.repo.ts';

/** What an account holds, and how much it may. */
export interface QuotaReport {
  readonly usage: GalleryUsage;
  readonly maxPackages: number | null;
  readonly maxBytes: number | null;
  readonly maxVersionsPerPackage: number | null;
}

export interface Quotas {
  /**
   * Refuses a push that would exceed a limit of the workspace. The owner in whose name it is done is asked, and not
   * the other owners: nobody can use up the room of another by sharing a package with him.
   *
   * @throws package.quota_reached naming the limit and what helps
   */
  checkPush(
    exec: Executor,
    push: {
      readonly workspaceId: string;
      readonly ownerId: string;
      readonly found: Package | null;
      readonly sizeBytes: number;
    },
  ): Promise<void>;
  /** Refuses a new owner who has no room for the package. @throws package.quota_reached */
  checkNewOwner(tx: Tx, found: Package, accountId: string): Promise<void>;
  report(exec: Executor, workspaceId: string, accountId: string): Promise<QuotaReport>;
}

type Limit = 'maxPackagesPerAccount' | 'maxVersionsPerPackage' | 'maxGalleryBytesPerAccount';

const REMEDIES: Readonly<Record<Limit, string>> = {
  maxPackagesPerAccount: 'Push new versions of its packages, use another owner',
  maxVersionsPerPackage: 'Go on under a new id',
  maxGalleryBytesPerAccount: 'Push smaller packages, use another owner',
};

/** The name of the limit stands first: a client shows the beginning of what is told. */
function refusal(what: string, limit: Limit) {
  return packageErrors.quota_reached({
    detail: `${what} (${limit}). ${REMEDIES[limit]}, or have an administrator raise the limit.`,
  });
}

const count = (value: number): string => value.toLocaleString('en-US');

function checkRoom(settings: Settings, usage: GalleryUsage, more: { packages: number; bytes: number }): void {
  const { maxPackagesPerAccount, maxGalleryBytesPerAccount } = settings;
  if (maxPackagesPerAccount !== null && more.packages > 0 && usage.count >= maxPackagesPerAccount) {
    throw refusal(
      `The owner has ${count(usage.count)} of ${count(maxPackagesPerAccount)} packages`,
      'maxPackagesPerAccount',
    );
  }
  if (maxGalleryBytesPerAccount !== null && usage.bytes + more.bytes > maxGalleryBytesPerAccount) {
    throw refusal(
      `The packages of the owner have ${count(usage.bytes)} of ${count(maxGalleryBytesPerAccount)} bytes, and this needs ${count(more.bytes)}`,
      'maxGalleryBytesPerAccount',
    );
  }
}

/** @see Quotas */
export function createQuotas({ settings }: { readonly settings: SettingsService }): Quotas {
  return {
    checkPush: async (exec, { workspaceId, ownerId, found, sizeBytes }) => {
      const current = await settings.get(workspaceId, exec);
      const limit = current.maxVersionsPerPackage;
      if (found !== null && limit !== null) {
        const versions = (await findPackageUsage(exec, found.id)).count;
        if (versions >= limit) {
          throw refusal(
            `The package has ${count(versions)} of ${count(limit)} versions`,
            'maxVersionsPerPackage',
          );
        }
      }
      const usage = await findAccountUsage(exec, workspaceId, ownerId);
      checkRoom(current, usage, { packages: found === null ? 1 : 0, bytes: sizeBytes });
    },
    checkNewOwner: async (tx, found, accountId) => {
      const current = await settings.get(found.workspaceId, tx);
      const usage = await findAccountUsage(tx, found.workspaceId, accountId);
      const { bytes } = await findPackageUsage(tx, found.id);
      checkRoom(current, usage, { packages: 1, bytes });
    },
    report: async (exec, workspaceId, accountId) => {
      const current = await settings.get(workspaceId, exec);
      return {
        usage: await findAccountUsage(exec, workspaceId, accountId),
        maxPackages: current.maxPackagesPerAccount,
        maxBytes: current.maxGalleryBytesPerAccount,
        maxVersionsPerPackage: current.maxVersionsPerPackage,
      };
    },
  };
}
