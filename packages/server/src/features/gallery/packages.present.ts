import type { Static } from 'typebox';
import { toIso } from '../../lib/clock.ts';
import type { PackageVersion } from './packages.repo.ts';
import type { PackageDetailSchema, PackageSchema, PackageVersionSchema } from './packages.schema.ts';
import type { PackageDetail, PackageView } from './packages.service.ts';

export function presentPackage(view: PackageView): Static<typeof PackageSchema> {
  return {
    id: view.package.idLower,
    displayId: view.package.displayId,
    owners: [...view.owners],
    versionCount: view.versionCount,
    listedVersionCount: view.listedVersionCount,
    latestVersion: view.latestVersion,
    createdAt: toIso(view.package.createdAt),
  };
}

function presentVersion(version: PackageVersion): Static<typeof PackageVersionSchema> {
  return {
    version: version.version,
    listed: version.isListed,
    sizeBytes: version.sizeBytes,
    sha512: version.sha512,
    pushedAt: toIso(version.pushedAt),
    pushedBy: version.pushedBy,
  };
}

export function presentPackageDetail(detail: PackageDetail): Static<typeof PackageDetailSchema> {
  return {
    ...presentPackage(detail),
    versions: detail.versions.items.map(presentVersion),
    nextCursor: detail.versions.nextCursor,
  };
}
