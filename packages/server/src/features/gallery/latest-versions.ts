import type { Turns } from '../../lib/turns.ts';
import type { Executor } from '../../storage/index.ts';
import { countVersions, listLatestVersions, type VersionCounts } from './package-versions.repo.ts';

/** What the versions of a package add up to. */
export interface VersionSummary extends VersionCounts {
  /** The highest listed release; a prerelease only if there is no release; null when nothing is listed. */
  readonly latest: string | null;
}

const COUNTED_AT_ONCE = 50;

/** Sums up the versions of these packages. */
export async function summarizeVersions(
  exec: Executor,
  workspaceId: string,
  packageIds: readonly string[],
  turns: Turns,
): Promise<Map<string, VersionSummary>> {
  const counts = await countVersionsOfAll(exec, workspaceId, packageIds, turns);
  const latest = await findLatestVersions(exec, workspaceId, packageIds, turns);
  return new Map(
    packageIds.map((id) => {
      const { versions = 0, listed = 0 } = counts.get(id) ?? {};
      return [id, { versions, listed, latest: latest.get(id) ?? null }];
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
  packageIds: readonly string[],
  turns: Turns,
): Promise<Map<string, string>> {
  const latest = new Map<string, string>();
  for (let start = 0; start < packageIds.length; start += COUNTED_AT_ONCE) {
    const ids = packageIds.slice(start, start + COUNTED_AT_ONCE);
    const rows = await listLatestVersions(exec, workspaceId, ids);
    for (const { packageId, version, isRelease } of rows) {
      if (isRelease || !latest.has(packageId)) latest.set(packageId, version);
    }
    await turns.step();
  }
  return latest;
}
