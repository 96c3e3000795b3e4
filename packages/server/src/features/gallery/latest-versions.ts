import type { Turns } from '../../lib/turns.ts';
import type { Executor } from '../../storage/index.ts';
import { countVersions, listListedVersions, type VersionCounts } from './package-versions.repo.ts';
import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from './version/nuget-version.ts';

/** What the versions of a package add up to. */
export interface VersionSummary extends VersionCounts {
  /** The highest listed release; a prerelease only if there is no release; null when nothing is listed. */
  readonly latest: string | null;
}

const COUNTED_AT_ONCE = 50;
const CHUNK_VERSIONS = 200;
// A little more than a chunk holds, for versions that are pushed between counting and reading.
const READ_VERSIONS = 250;

/** Sums up the versions of these packages: reads them in chunks of bounded size, however many each of them has. */
export async function summarizeVersions(
  exec: Executor,
  workspaceId: string,
  packageIds: readonly string[],
  turns: Turns,
): Promise<Map<string, VersionSummary>> {
  const counts = await countVersionsOfAll(exec, workspaceId, packageIds, turns);
  const latest = await findLatestVersions(exec, workspaceId, counts, turns);
  return new Map(
    packageIds.map((id) => {
      const { versions = 0, listed = 0 } = counts.get(id) ?? {};
      return [id, { versions, listed, latest: latest.get(id)?.normalized ?? null }];
    }),
  );
}

export async function countVersionsOfAll(
  exec: Executor,
  workspaceId: string,
  packageIds: readonly string[],
  turns: Turns,
): Promise<Map<string, VersionCounts>> {
  const all = new Map<string, VersionCounts>();
  for (let start = 0; start < packageIds.length; start += COUNTED_AT_ONCE) {
    const ids = packageIds.slice(start, start + COUNTED_AT_ONCE);
    for (const [id, counts] of await countVersions(exec, workspaceId, ids)) all.set(id, counts);
    await turns.step();
  }
  return all;
}

async function findLatestVersions(
  exec: Executor,
  workspaceId: string,
  counts: ReadonlyMap<string, VersionCounts>,
  turns: Turns,
): Promise<Map<string, NuGetVersion>> {
  const latest = new Map<string, NuGetVersion>();
  for (const ids of chunksOf(counts)) {
    for (let after = ''; ; ) {
      const rows = await listListedVersions(exec, workspaceId, ids, after, READ_VERSIONS);
      for (const { packageId, version } of rows) {
        const parsed = parseNuGetVersion(version);
        const best = latest.get(packageId);
        if (parsed !== null && (best === undefined || isLater(parsed, best))) latest.set(packageId, parsed);
      }
      await turns.step();
      const last = rows.at(-1);
      if (ids.length > 1 || rows.length < READ_VERSIONS || last === undefined) break;
      after = last.versionLower;
    }
  }
  return latest;
}

/** Packages whose listed versions together fill a chunk; one with more than that is alone in its own. */
function chunksOf(counts: ReadonlyMap<string, VersionCounts>): string[][] {
  const chunks: string[][] = [];
  let ids: string[] = [];
  let size = 0;
  for (const [id, { listed }] of counts) {
    if (listed === 0) continue;
    if (ids.length > 0 && size + listed > CHUNK_VERSIONS) {
      chunks.push(ids);
      ids = [];
      size = 0;
    }
    ids.push(id);
    size += listed;
  }
  return ids.length > 0 ? [...chunks, ids] : chunks;
}

function isLater(version: NuGetVersion, latest: NuGetVersion): boolean {
  if (version.isPrerelease !== latest.isPrerelease) return latest.isPrerelease;
  return compareNuGetVersions(version, latest) > 0;
}
