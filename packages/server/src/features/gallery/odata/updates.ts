import { parseNuGetVersion, parseVersionRange } from '../version/nuget-version.ts';
import { type FeedParameters, readArgument } from './feed-options.ts';
import { odataErrors } from './odata.errors.ts';
import type { InstalledPackage } from './sources.repo.ts';

const PACKAGES_MAX = 200;

/**
 * The packages that `GetUpdates()` is asked about: `packageIds='A|B'`, `versions='1.0|2.0'` and perhaps
 * `versionConstraints='|[2.0,3.0)'`. As on nuget.org, lists that do not fit together are about nothing, and a version
 * that cannot be read leaves its package out.
 */
export function readInstalled(parameters: FeedParameters): readonly InstalledPackage[] {
  const ids = readList(parameters, 'packageIds');
  const versions = readList(parameters, 'versions');
  const ranges = readList(parameters, 'versionConstraints');
  if (ids.length !== versions.length || (ranges.length > 0 && ranges.length !== ids.length)) return [];
  if (ids.length > PACKAGES_MAX)
    throw odataErrors.option_invalid({ detail: `packageIds may name at most ${PACKAGES_MAX} packages.` });
  return ids.flatMap((text, index) => {
    const id = text.trim();
    const version = parseNuGetVersion(versions[index] ?? '');
    const range = ranges[index]?.trim() ?? '';
    if (id === '' || version === null) return [];
    return [{ id, version, allowed: range === '' ? null : parseVersionRange(range) }];
  });
}

function readList(parameters: FeedParameters, name: string): string[] {
  const text = readArgument(parameters, name) ?? '';
  return text.trim() === '' ? [] : text.split('|');
}
