/**
 * `npm run build:sdk` makes the package that others install: JavaScript and types of packages/sdk in packages/sdk/dist,
 * with a package.json of its own. `npm pack ./packages/sdk/dist` makes the tarball.
 *
 * In the repository the SDK is its TypeScript sources; whoever installs it has no compiler that reads these.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const source = join(root, 'packages/sdk');
const NODE_MIN = '20.3';

/** `./src/tokens.ts` is built to `./lib/tokens.js` and `./lib/tokens.d.ts`. */
function toBuiltExport(file) {
  const stem = file.replace(/^\.\/src\/(.+)\.ts$/, './lib/$1');
  return { types: `${stem}.d.ts`, default: `${stem}.js` };
}

function buildManifest() {
  const { name, version, license, exports, dependencies, peerDependencies, peerDependenciesMeta } =
    JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  return {
    name,
    version,
    description:
      'Client of Keyreeve, a self-hosted API-key authority: typed API, key and token verification, middlewares.',
    keywords: ['api-key', 'authentication', 'authorization', 'jwt', 'express', 'fastify', 'hono', 'next'],
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: `>=${NODE_MIN}` },
    exports: Object.fromEntries(Object.entries(exports).map(([path, file]) => [path, toBuiltExport(file)])),
    files: ['lib'],
    dependencies,
    peerDependencies,
    peerDependenciesMeta,
  };
}

/**
 * @param {string} target A folder; what is in it goes.
 * @param {{ isChecked?: boolean }} options Without the check the same files come out in half the time: for tests,
 * beside which the whole repository is checked.
 * @throws Error with what the compiler says
 */
export function buildSdk(target, { isChecked = true } = {}) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', join(source, 'tsconfig.build.json'), '--outDir', join(target, 'lib')];
  if (!isChecked) args.push('--noCheck');
  const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`The SDK could not be built:\n${result.stdout}${result.stderr}`);
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(buildManifest(), null, 2)}\n`);
  copyFileSync(join(source, 'README.md'), join(target, 'README.md'));
  copyFileSync(join(root, 'LICENSE'), join(target, 'LICENSE'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = join(source, 'dist');
  buildSdk(target);
  process.stdout.write(`The package lies in ${target}.\n`);
}
