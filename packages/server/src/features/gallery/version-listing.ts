import type { Caller } from '../../http/index.ts';
import type { Executor, Tx } from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import { saveEntryListed } from './feed-entries.repo.ts';
import { findVersion, type PackageVersion, saveListed } from './package-versions.repo.ts';
import { findPackage, type Package } from './packages.repo.ts';
import { parseNuGetVersion, versionKey } from './version/nuget-version.ts';

export interface FoundVersion {
  readonly package: Package;
  readonly version: PackageVersion;
}

/**
 * Id and version in any spelling that clients use; null when there is no such version. The same is asked whether there
 * is a package or not, so that the time tells nobody that there is one which he may not read.
 */
export async function findVersionByText(
  exec: Executor,
  workspaceId: string,
  id: string,
  version: string,
): Promise<FoundVersion | null> {
  const parsed = parseNuGetVersion(version);
  if (parsed === null) return null;
  const found = await findPackage(exec, workspaceId, id);
  const row = await findVersion(exec, workspaceId, found?.id ?? '', versionKey(parsed));
  return found === null || row === null ? null : { package: found, version: row };
}

/** Hides a version or shows it again, and writes that down; nothing when it is so already. */
export async function setVersionListed(
  tx: Tx,
  audit: AuditService,
  caller: Caller,
  change: {
    readonly found: FoundVersion;
    readonly isListed: boolean;
    /** The owner in whose name it is done. */
    readonly ownerId: string;
    readonly keyId: string | null;
  },
): Promise<void> {
  const { found, isListed, ownerId, keyId } = change;
  if (found.version.isListed === isListed) return;
  await saveListed(tx, found.version, isListed);
  await saveEntryListed(tx, found.version, isListed);
  await audit.record(tx, caller, {
    action: isListed ? 'package.relisted' : 'package.unlisted',
    target: versionTarget(found.package, found.version.version),
    accountId: ownerId,
    keyId,
  });
}

/** A version as the audit log names it. */
export function versionTarget(target: Package, version: string) {
  return { kind: 'package', id: target.idLower, name: `${target.displayId} ${version}` };
}
