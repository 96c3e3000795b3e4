import { createHash } from 'node:crypto';
import type { Caller } from '../../http/index.ts';
import { asciiLower } from '../../lib/ascii.ts';
import { newId } from '../../lib/ids.ts';
import type { Random } from '../../lib/random.ts';
import { inTransaction, type PackageVersionsTable, type Storage, type Tx } from '../../storage/index.ts';
import { insertFeedEntries } from './feed-entries.repo.ts';
import type { StoredMetadata } from './gallery.metadata.ts';
import { insertVersions } from './package-versions.repo.ts';
import { insertOwner, insertPackage, type Package } from './packages.repo.ts';
import { type NuGetVersion, parseNuGetVersion, versionKey } from './version/nuget-version.ts';

/** A package with all its versions, from the oldest push to the newest. */
export interface SeedPackage {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly tags: string;
  readonly authors: string;
  readonly versions: readonly string[];
  readonly dependencies: readonly string[];
}

export interface SeedDeps {
  readonly storage: Storage;
  readonly random: Random;
}

/**
 * Puts many packages into a gallery at once, through the functions that a push uses, for demonstrations and
 * measures. Their files are not there, and quotas do not count them: everything works but downloads.
 */
export async function seedPackages(
  { storage, random }: SeedDeps,
  caller: Caller,
  by: { readonly ownerId: string; readonly pushedAt: number },
  packages: readonly SeedPackage[],
): Promise<void> {
  await inTransaction(storage, async (tx) => {
    for (const seed of packages) await seedPackage(tx, random, caller.workspace.id, by, seed);
  });
}

async function seedPackage(
  tx: Tx,
  random: Random,
  workspaceId: string,
  { ownerId, pushedAt }: { ownerId: string; pushedAt: number },
  seed: SeedPackage,
): Promise<void> {
  const target: Package = {
    id: newId(random, 'package'),
    workspaceId,
    idLower: asciiLower(seed.id),
    displayId: seed.id,
    createdAt: pushedAt,
    lastPushedAt: pushedAt,
    description: seed.description,
    tags: seed.tags,
  };
  await insertPackage(tx, target);
  await insertOwner(tx, workspaceId, target.id, ownerId);
  const versions = seed.versions.map((text) => {
    const version = parseNuGetVersion(text);
    if (version === null) throw new Error(`${text} is no version.`);
    const metadata = toMetadata(seed, text);
    return { version: toRow(random, target, version, metadata, ownerId), metadata };
  });
  await insertVersions(
    tx,
    versions.map(({ version }) => version),
  );
  await insertFeedEntries(tx, target, versions);
}

function toRow(
  random: Random,
  target: Package,
  version: NuGetVersion,
  metadata: StoredMetadata,
  ownerId: string,
): PackageVersionsTable {
  return {
    id: newId(random, 'version'),
    workspace_id: target.workspaceId,
    package_id: target.id,
    version_lower: versionKey(version),
    version: version.normalized,
    version_full: version.full,
    is_prerelease: version.isPrerelease ? 1 : 0,
    is_semver2: version.isSemVer2 ? 1 : 0,
    listed: 1,
    size_bytes: 100_000,
    sha512: createHash('sha512').update(`${target.idLower} ${version.full}`).digest('hex'),
    metadata: JSON.stringify(metadata),
    pushed_at: target.lastPushedAt,
    pushed_by: ownerId,
    pushed_key_id: null,
  };
}

function toMetadata(seed: SeedPackage, versionText: string): StoredMetadata {
  const group = (targetFramework: string) => ({
    targetFramework,
    dependencies: seed.dependencies.map((id) => ({ id, range: '[1.0.0, )' })),
  });
  return {
    id: seed.id,
    versionText,
    authors: seed.authors,
    owners: null,
    description: seed.description,
    title: seed.title,
    summary: null,
    tags: seed.tags,
    iconUrl: null,
    projectUrl: `https://example.com/${asciiLower(seed.id)}`,
    licenseUrl: null,
    license: { kind: 'expression', value: 'MIT' },
    releaseNotes: 'See the change log.',
    copyright: null,
    language: null,
    requireLicenseAcceptance: false,
    developmentDependency: false,
    minClientVersion: null,
    readme: null,
    icon: null,
    repository: null,
    packageTypes: [],
    dependencyGroups: [group('net8.0'), group('netstandard2.0')],
    frameworkAssemblies: [],
    isSigned: false,
  };
}
