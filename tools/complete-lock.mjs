/**
 * Adds to package-lock.json the optional platform packages that npm left out because the registry it asked
 * does not have them. `npm ci` calls a lock file without them out of date. Run it after each change of the
 * dependencies: `node tools/complete-lock.mjs`.
 *
 * An added entry carries what its parent and its name tell: exact version, `os`, `cpu`, `libc`. It has no
 * `integrity` until somebody re-locks against a registry that has the package.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const file = join(root, 'package-lock.json');
const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32'];

const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue;
    lock.packages[`node_modules/${name}`] = platformEntry(path, name, version);
    added.push(`${name}@${version}`);
  }
}
const withAddress = Object.keys(lock.packages).filter((path) =>
  /^https?:/.test(lock.packages[path].resolved ?? ''),
);
if (withAddress.length > 0) {
  fail(
    `package-lock.json names a registry host for ${withAddress.length} packages; .npmrc must say omit-lockfile-registry-resolved=true.`,
  );
}
if (added.length > 0) {
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')),
  );
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
process.stdout.write(`${added.length} entries added${added.length > 0 ? `: ${added.join(', ')}` : ''}\n`);

/** Looks where Node.js would: beside the parent, then in each enclosing node_modules up to the root. */
function isLocked(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (!at.includes('/node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined;
  }
}

function platformEntry(parent, name, version) {
  if (!/^\d+\.\d+\.\d+/.test(version)) {
    fail(
      `${parent} wants ${name}@${version}, which the registry does not have; only exact versions can be completed.`,
    );
  }
  const words = name.split(/[/.-]/);
  const os = OS.find((word) => words.includes(word));
  const cpu = CPU.find((word) => words.includes(word));
  if (os === undefined && cpu !== 'wasm32') {
    fail(`${parent} wants ${name}@${version}, whose name tells no platform; add its entry by hand.`);
  }
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  const inherited = lock.packages[parent];
  return {
    version,
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(inherited.dev === true ? { dev: true } : {}),
    ...(os === 'linux' && libc !== undefined ? { libc: [libc] } : {}),
    optional: true,
    ...(os === undefined ? {} : { os: [os] }),
  };
}

/** @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
