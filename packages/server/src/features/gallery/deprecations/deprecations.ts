import { type FieldFault, requestErrors } from '../../../errors/index.ts';
import type { Caller } from '../../../http/index.ts';
import type { Clock } from '../../../lib/clock.ts';
import { hasHiddenText } from '../../../lib/text.ts';
import type { Executor, Tx } from '../../../storage/index.ts';
import type { AuditService } from '../../audit/index.ts';
import { packageErrors } from '../gallery.errors.ts';
import { findVersion, type PackageVersion } from '../package-versions.repo.ts';
import { findPackage, type Package } from '../packages.repo.ts';
import type { GalleryReading } from '../reading/gallery-reading.ts';
import { parseNuGetVersion, versionKey } from '../version/nuget-version.ts';
import { versionTarget } from '../version-listing.ts';
import {
  DEPRECATION_REASONS,
  type Deprecation,
  type DeprecationReason,
  deleteDeprecation,
  listDeprecations,
  saveDeprecation,
} from './deprecations.repo.ts';

/** Without reasons, the versions are deprecated no more. */
export interface DeprecationWish {
  readonly versions: readonly string[];
  readonly reasons: readonly DeprecationReason[];
  readonly message?: string | null | undefined;
  readonly alternatePackage?:
    | { readonly id: string; readonly version?: string | null | undefined }
    | null
    | undefined;
}

export const DEPRECATED_AT_ONCE_MAX = 500;
export const MESSAGE_CHARACTERS_MAX = 1_000;

interface Deps {
  readonly clock: Clock;
  readonly audit: AuditService;
  readonly galleryReading: GalleryReading;
}

interface Change {
  readonly found: Package;
  readonly wish: DeprecationWish;
  /** The owner in whose name it is done. */
  readonly ownerId: string;
  readonly accountId: string;
  readonly keyId: string | null;
}

/**
 * Deprecates versions of a package, or takes that back, all of them or none. Each change is one row of the audit log;
 * what is so already changes nothing. Whoever calls has asked for the right.
 *
 * @throws request.invalid, package.not_found
 */
export async function setDeprecation(
  { clock, audit, galleryReading }: Deps,
  tx: Tx,
  caller: Caller,
  { found, wish, ownerId, accountId, keyId }: Change,
): Promise<void> {
  refuseFaults(wish);
  const versions = await findVersions(tx, found, wish.versions);
  const mayRead = (target: Package) => galleryReading.mayRead(tx, caller, target);
  const alternate = await findAlternate(tx, { found, versions, mayRead }, wish);
  const before = await listDeprecations(
    tx,
    found.workspaceId,
    versions.map((version) => version.id),
  );
  const reasons = DEPRECATION_REASONS.filter((reason) => wish.reasons.includes(reason));
  for (const version of versions) {
    const after = {
      versionId: version.id,
      reasons,
      message: toMessage(wish.message),
      ...alternate,
      deprecatedAt: clock.now(),
      deprecatedBy: accountId,
    };
    const isLifted = reasons.length === 0;
    if (isLifted && !(await deleteDeprecation(tx, version.id))) continue;
    if (!isLifted) {
      if (isSame(before.get(version.id), after)) continue;
      await saveDeprecation(tx, { workspaceId: found.workspaceId, packageId: found.id }, after);
    }
    await audit.record(tx, caller, {
      action: isLifted ? 'package.undeprecated' : 'package.deprecated',
      target: versionTarget(found, version.version),
      accountId: ownerId,
      keyId,
      ...(isLifted ? {} : { detail: { reasons, message: after.message, ...alternate } }),
    });
  }
}

function toMessage(message: string | null | undefined): string | null {
  const text = message?.trim() ?? '';
  return text === '' ? null : text;
}

function isSame(before: Deprecation | undefined, after: Deprecation): boolean {
  const told = (one: Deprecation | undefined) =>
    JSON.stringify([one?.reasons, one?.message, one?.alternateId, one?.alternateVersion]);
  return told(before) === told(after);
}

function refuse(faults: readonly FieldFault[]): void {
  if (faults.length === 0) return;
  const detail = faults.map(({ field, message }) => `${field} ${message}`).join('; ');
  throw requestErrors.invalid({ fields: faults, detail });
}

function refuseFaults({ versions, reasons, message }: DeprecationWish): void {
  const faults: FieldFault[] = [];
  const text = toMessage(message);
  if (versions.length === 0)
    faults.push({ field: 'versions', message: 'is empty; name at least one version' });
  if (versions.length > DEPRECATED_AT_ONCE_MAX)
    faults.push({ field: 'versions', message: `has more than ${DEPRECATED_AT_ONCE_MAX} versions` });
  if (reasons.includes('other') && text === null)
    faults.push({ field: 'message', message: 'is missing; the reason "other" needs one' });
  if (text !== null && text.length > MESSAGE_CHARACTERS_MAX)
    faults.push({ field: 'message', message: `is longer than ${MESSAGE_CHARACTERS_MAX} characters` });
  if (text !== null && hasHiddenText(text))
    faults.push({
      field: 'message',
      message: 'contains control or text-direction characters; remove them',
    });
  refuse(faults);
}

async function findVersions(
  exec: Executor,
  found: Package,
  texts: readonly string[],
): Promise<PackageVersion[]> {
  const versions = new Map<string, PackageVersion>();
  for (const text of texts) {
    const parsed = parseNuGetVersion(text);
    const version =
      parsed === null ? null : await findVersion(exec, found.workspaceId, found.id, versionKey(parsed));
    if (version === null) {
      throw packageErrors.not_found({
        detail:
          parsed === null
            ? 'One of the versions is not a version.'
            : `A package with ID '${found.displayId}' and version '${parsed.normalized}' does not exist.`,
      });
    }
    versions.set(version.id, version);
  }
  return [...versions.values()];
}

async function findAlternate(
  exec: Executor,
  place: {
    readonly found: Package;
    readonly versions: readonly PackageVersion[];
    readonly mayRead: (target: Package) => Promise<boolean>;
  },
  { reasons, alternatePackage }: DeprecationWish,
): Promise<Pick<Deprecation, 'alternateId' | 'alternateVersion'>> {
  if (alternatePackage == null || reasons.length === 0) return { alternateId: null, alternateVersion: null };
  const { found, versions, mayRead } = place;
  const named = await findPackage(exec, found.workspaceId, alternatePackage.id);
  const other = named !== null && (named.id === found.id || (await mayRead(named))) ? named : null;
  const wanted = alternatePackage.version ?? null;
  const parsed = wanted === null ? null : parseNuGetVersion(wanted);
  const version =
    other === null || parsed === null
      ? null
      : await findVersion(exec, other.workspaceId, other.id, versionKey(parsed));
  if (other === null || (wanted !== null && version === null)) {
    refuse([{ field: 'alternatePackage', message: 'does not exist in this gallery' }]);
  } else if (other.id === found.id && (version === null || versions.some(({ id }) => id === version.id))) {
    refuse([{ field: 'alternatePackage', message: 'is the deprecated version itself; name another' }]);
  }
  return { alternateId: other?.displayId ?? null, alternateVersion: version?.version ?? null };
}
