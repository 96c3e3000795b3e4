import type { Executor, PackageVersionsTable } from '../../storage/index.ts';
import type { StoredMetadata } from './gallery.metadata.ts';

/** What of a version never changes after its push. */
export interface StoredVersion {
  /** Of the row. */
  readonly id: string;
  readonly packageId: string;
  /** Normalised, in the casing of its push. */
  readonly version: string;
  readonly versionLower: string;
  /** With its metadata, if it has any. */
  readonly versionFull: string;
  readonly isPrerelease: boolean;
  readonly isSemVer2: boolean;
  readonly sizeBytes: number;
  /** Lower-case hex, of the bytes as they were pushed. */
  readonly sha512: string;
  readonly pushedAt: number;
  readonly metadata: StoredMetadata;
}

/** Versions that were read before, so that a page reads few manifests: most pages show what others showed before. */
export interface StoredVersions {
  /**
   * The versions of a workspace by their ids. Who may see them is decided before: only entries of the feed that somebody
   * may read name them.
   *
   * @returns also how many characters their manifests have, and how many of these had to be read
   */
  find(
    exec: Executor,
    workspaceId: string,
    ids: readonly string[],
  ): Promise<{ versions: ReadonlyMap<string, StoredVersion>; characters: number; readCharacters: number }>;
}

// Of the manifests that are kept, as the database has them.
const KEPT_CHARACTERS_MAX = 12_000_000;

interface KeptVersion {
  readonly version: StoredVersion;
  /** Of its manifest. */
  readonly characters: number;
}

/** @see StoredVersions */
export function createStoredVersions(keptCharactersMax = KEPT_CHARACTERS_MAX): StoredVersions {
  const kept = new Map<string, KeptVersion>();
  let keptCharacters = 0;
  const keep = (read: KeptVersion): void => {
    // Another page may have read it meanwhile.
    if (kept.has(read.version.id)) return;
    kept.set(read.version.id, read);
    keptCharacters += read.characters;
    for (const [id, oldest] of kept) {
      if (keptCharacters <= keptCharactersMax) break;
      kept.delete(id);
      keptCharacters -= oldest.characters;
    }
  };
  return {
    find: async (exec, workspaceId, ids) => {
      const versions = new Map<string, StoredVersion>();
      const missing: string[] = [];
      let characters = 0;
      for (const id of ids) {
        const known = kept.get(id);
        if (known === undefined) {
          missing.push(id);
          continue;
        }
        versions.set(id, known.version);
        characters += known.characters;
        // The one that was shown last is the last to go.
        kept.delete(id);
        kept.set(id, known);
      }
      let readCharacters = 0;
      for (const row of await listRows(exec, workspaceId, missing)) {
        const read = { version: toStoredVersion(row), characters: row.metadata.length };
        versions.set(row.id, read.version);
        readCharacters += read.characters;
        keep(read);
      }
      return { versions, characters: characters + readCharacters, readCharacters };
    },
  };
}

const COLUMNS = [
  'id',
  'package_id',
  'version',
  'version_lower',
  'version_full',
  'is_prerelease',
  'is_semver2',
  'size_bytes',
  'sha512',
  'pushed_at',
  'metadata',
] as const;

type VersionRow = Pick<PackageVersionsTable, (typeof COLUMNS)[number]>;

async function listRows(exec: Executor, workspaceId: string, ids: readonly string[]): Promise<VersionRow[]> {
  if (ids.length === 0) return [];
  return await exec
    .selectFrom('package_versions')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', ids)
    .limit(ids.length)
    .execute();
}

function toStoredVersion(row: VersionRow): StoredVersion {
  return {
    id: row.id,
    packageId: row.package_id,
    version: row.version,
    versionLower: row.version_lower,
    versionFull: row.version_full,
    isPrerelease: row.is_prerelease === 1,
    isSemVer2: row.is_semver2 === 1,
    sizeBytes: row.size_bytes,
    sha512: row.sha512,
    pushedAt: row.pushed_at,
    metadata: JSON.parse(row.metadata) as StoredMetadata,
  };
}
