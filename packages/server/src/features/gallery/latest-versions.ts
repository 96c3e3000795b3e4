import type { Turns } from '../../lib/turns.ts';
import type { Executor, Storage } from '../../storage/index.ts';
import { countVersions, listLatestVersions, type VersionCounts } from './package-versions.repo.ts';

/** What the versions of a package add up to. */
export interface VersionSummary extends VersionCounts {
  /** The highest listed release; a prerelease only if there is no release; null when nothing is listed. */
  readonly latest: string | null;
  /** Of the latest. */
  readonly hasIcon: boolean;
}

const COUNTED_AT_ONCE = 50;

/** Sums up the versions of these packages. */
export async function summarizeVersions(
  { read, engine }: Storage,
  workspaceId: string,
  packageIds: readonly string[],
  turns: Turns,
): Promise<Map<string, VersionSummary>> {
  const counts = await countVersionsOfAll(read, workspaceId, packageIds, turns);
  const latest = await findLatestVersions({ read, engine }, workspaceId, packageIds, turns);
  return new Map(
    packageIds.map((id) => {
      const { versions = 0, listed = 0 } = counts.get(id) ?? {};
      const { version = null, hasIcon = false } = latest.get(id) ?? {};
      return [id, { versions, listed, latest: version, hasIcon }];
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
  { read, engine }: Pick<Storage, 'read' | 'engine'>,
  workspaceId: string,
  packageIds: readonly string[],
  turns: Turns,
): Promise<Map<string, { readonly version: string; readonly hasIcon: boolean }>> {
  const latest = new Map<string, { readonly version: string; readonly hasIcon: boolean }>();
  for (let start = 0; start < packageIds.length; start += COUNTED_AT_ONCE) {
    const ids = packageIds.slice(start, start + COUNTED_AT_ONCE);
    const rows = await listLatestVersions(read, engine, workspaceId, ids);
    for (const { packageId, version, hasIcon, isRelease } of rows) {
      if (isRelease || !latest.has(packageId)) latest.set(packageId, { version, hasIcon });
    }
    await turns.step();
  }
  return latest;
}
