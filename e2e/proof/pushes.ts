import { createHash } from 'node:crypto';
import { buildNupkg } from '../../packages/testkit/src/nupkg-builder.ts';

/** What was told of pushes: the hash of each package that was acknowledged, by its version, and other answers. */
export interface Packages {
  readonly stored: Map<string, string>;
  /** Versions that were refused, or never answered. */
  readonly refused: Map<string, string>;
  readonly statuses: Map<number, number>;
}

export function openPackages(): Packages {
  return { stored: new Map(), refused: new Map(), statuses: new Map() };
}

const ID = 'Acme.Faults';
let versions = 0;

/** Pushes one small package, a new version each time; the status of its answer, 0 when none came. */
export async function pushPackage(
  url: string,
  fullKey: string,
  packages: Packages,
): Promise<Response | null> {
  versions += 1;
  const version = `1.0.${versions}`;
  const body = Buffer.from(buildNupkg({ id: ID, version }));
  const sha512 = createHash('sha512').update(body).digest('hex');
  packages.refused.set(version, sha512);
  const answer = await fetch(`${url}/api/v2/package`, {
    method: 'PUT',
    headers: { 'x-nuget-apikey': fullKey },
    body,
  }).catch(() => null);
  const status = answer?.status ?? 0;
  packages.statuses.set(status, (packages.statuses.get(status) ?? 0) + 1);
  if (status !== 201) return answer;
  packages.refused.delete(version);
  packages.stored.set(version, sha512);
  return answer;
}

/**
 * What is wrong with the packages: acknowledged ones that are not there byte for byte, and others that are there in
 * part. One that was refused may be there whole, when the fault came after it was stored.
 */
export async function findPackageFaults(url: string, packages: Packages): Promise<string[]> {
  const faults: string[] = [];
  for (const [version, sha512] of [...packages.stored, ...packages.refused]) {
    const answer = await fetch(`${url}/api/v2/package/${ID}/${version}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isWhole = answer.ok && createHash('sha512').update(bytes).digest('hex') === sha512;
    const mayBeMissing = packages.refused.has(version) && answer.status === 404;
    if (!isWhole && !mayBeMissing) faults.push(`the package ${version} is answered with ${answer.status}`);
  }
  return faults;
}
