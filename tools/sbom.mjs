/**
 * `npm run sbom` prints the bill of materials (CycloneDX 1.6) of what runs in production: the server, the command line
 * and the SDK, with all that they need, from the lockfile. Console and docs are built from other packages and have
 * their scripts within. `npm sbom` refuses an override by another package, of which there is one here.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const ROOTS = ['packages/server', 'packages/cli', 'packages/sdk'];

/** @typedef {{ version?: string, name?: string, integrity?: string, license?: string, link?: boolean, optional?: boolean, resolved?: string, os?: string[], cpu?: string[], libc?: string[], hasInstallScript?: boolean, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} Entry */

/** @returns {Record<string, Entry>} by place, as npm writes them */
export function readLockfile(folder = root) {
  return JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
}

/** Where Node.js finds a package from the place of another: in the nearest `node_modules` above it. */
function findPlace(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (folder === '') return null;
  }
}

/**
 * All packages that are installed for production, by their places, without our own: those for other systems too, of
 * which an installation takes one in place of the other.
 *
 * @param {Record<string, Entry>} packages
 * @returns {string[]}
 */
export function listProductionPlaces(packages) {
  const found = new Set();
  const waiting = ROOTS.map((place) => [place, packages[place]]);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [place, entry] = next;
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
      const target = findPlace(packages, place, name);
      if (target === null || found.has(target)) continue;
      found.add(target);
      waiting.push(
        packages[target].link
          ? [packages[target].resolved, packages[packages[target].resolved]]
          : [target, packages[target]],
      );
    }
  }
  return [...found].filter((place) => !packages[place].link).toSorted((one, other) => (one < other ? -1 : 1));
}

const nameOf = (place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** @param {Record<string, Entry>} packages */
export function buildBillOfMaterials(packages) {
  const { version } = packages['packages/server'];
  const components = listProductionPlaces(packages).map((place) => {
    const entry = packages[place];
    const name = entry.name ?? nameOf(place);
    const purl = `pkg:npm/${name.replace('@', '%40')}@${entry.version}`;
    const [algorithm, digest] = entry.integrity?.split('-') ?? [];
    return {
      type: 'library',
      'bom-ref': `${purl}#${place}`,
      name,
      version: entry.version,
      purl,
      ...(entry.license === undefined ? {} : { licenses: [{ expression: entry.license }] }),
      ...(algorithm === 'sha512'
        ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }
        : {}),
      ...(entry.optional === true ? { scope: 'optional' } : {}),
    };
  });
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: 'keyreeve', version } },
    components,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${JSON.stringify(buildBillOfMaterials(readLockfile()), null, 2)}\n`);
