import type { Static } from 'typebox';
import { toIso, toIsoOrNull } from '../../lib/clock.ts';
import { presentAccountName } from '../accounts/index.ts';
import type { Deprecation } from './deprecations/deprecations.repo.ts';
import type { DeprecationSchema } from './deprecations/deprecations.schema.ts';
import type { Coverage, CoverageGroup } from './package-coverage.ts';
import type { PackageKeys } from './package-keys.ts';
import type { PackageDetail, PackageView } from './package-list.ts';
import type { PackageVersion } from './package-versions.repo.ts';
import type {
  CoverageSchema,
  PackageDetailSchema,
  PackageKeysSchema,
  PackageSchema,
  PackageVersionSchema,
} from './packages.schema.ts';

// PowerShell's own publishing commands put these among the tags.
const MODULE_TAG = /(?:^|[\s,;])PS(?:Module|Script)(?:$|[\s,;])/i;

export function presentPackage(view: PackageView): Static<typeof PackageSchema> {
  const { found, owners, ownerAccounts, summary } = view;
  return {
    id: found.idLower,
    displayId: found.displayId,
    description: found.description,
    kind: MODULE_TAG.test(found.tags ?? '') ? 'module' : 'package',
    owners: [...owners],
    ownerAccounts: ownerAccounts.map(presentAccountName),
    versionCount: summary.versions,
    listedVersionCount: summary.listed,
    latestVersion: summary.latest,
    hasIcon: summary.hasIcon,
    lastPushedAt: toIso(found.lastPushedAt),
    createdAt: toIso(found.createdAt),
  };
}

export function presentDeprecation(deprecation: Deprecation): Static<typeof DeprecationSchema> {
  const { alternateId: id, alternateVersion: version } = deprecation;
  return {
    reasons: [...deprecation.reasons],
    message: deprecation.message,
    alternatePackage: id === null ? null : { id, version },
    deprecatedAt: toIso(deprecation.deprecatedAt),
  };
}

function presentVersion(
  version: PackageVersion,
  { names, deprecations, downloads }: PackageDetail,
): Static<typeof PackageVersionSchema> {
  const deprecation = deprecations.get(version.id);
  return {
    version: version.version,
    isPrerelease: version.isPrerelease,
    listed: version.isListed,
    sizeBytes: version.sizeBytes,
    downloads: downloads.get(version.id) ?? 0,
    sha512: version.sha512,
    pushedAt: toIso(version.pushedAt),
    pushedBy: version.pushedBy,
    pushedByName: names.get(version.pushedBy) ?? null,
    pushedKeyId: version.pushedKeyId,
    deprecation: deprecation === undefined ? null : presentDeprecation(deprecation),
  };
}

export function presentPackageDetail(detail: PackageDetail): Static<typeof PackageDetailSchema> {
  return {
    ...presentPackage(detail),
    versions: detail.versions.items.map((version) => presentVersion(version, detail)),
    nextCursor: detail.versions.nextCursor,
  };
}

function presentGroup(group: CoverageGroup) {
  return {
    count: group.count,
    packages: group.packages.map(({ idLower, displayId, latestVersion }) => ({
      id: idLower,
      displayId,
      latestVersion,
    })),
  };
}

export function presentCoverage(coverage: Coverage): Static<typeof CoverageSchema> {
  return {
    ownedCount: coverage.ownedCount,
    coveredCount: coverage.coveredCount,
    groups: coverage.groups.map((group) => ({ pattern: group.pattern, ...presentGroup(group) })),
    notCovered: presentGroup(coverage.notCovered),
    isPartial: coverage.isPartial,
  };
}

export function presentPackageKeys({ items, isPartial }: PackageKeys): Static<typeof PackageKeysSchema> {
  return {
    items: items.map(({ key, account, owner, actions, pattern }) => ({
      id: key.id,
      comment: key.comment,
      account: presentAccountName(account),
      owner: presentAccountName(owner),
      actions: [...actions],
      pattern,
      expiresAt: toIsoOrNull(key.expiresAt),
    })),
    isPartial,
  };
}
