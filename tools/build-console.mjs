/**
 * Builds the console into packages/console/dist when its sources have changed since the last build
 * (`prestart`, `pretest`): the server serves what lies there. When nothing changed it reads the sources and leaves.
 *
 * Every file that shrinks gets a brotli and a gzip twin beside it, so that no request pays for compressing.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { runBuild } from './installed-node.mjs';

const self = fileURLToPath(import.meta.url);
const root = resolve(self, '../..');
const packageRoot = join(root, 'packages/console');
const dist = join(packageRoot, 'dist');
const stampFile = join(dist, '.build-stamp');
const COMPRESSIBLE = new Set(['.js', '.css', '.svg', '.json', '.map']);

main();

function main() {
  const stamp = digestSources();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  process.stdout.write('Building the console (once after each change; a few seconds) ...\n');
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  runBuild([vite, 'build', '--logLevel', 'warn'], {
    cwd: packageRoot,
    fault: 'The console could not be built.',
  });
  compressAll();
  writeFileSync(stampFile, stamp);
}

/** One digest over everything that the build reads: sources of console and SDK, settings, dependencies. */
function digestSources() {
  const hash = createHash('sha256');
  const files = [
    self,
    join(root, 'package-lock.json'),
    join(root, 'tsconfig.base.json'),
    ...['index.html', 'vite.config.ts', 'tsconfig.json', 'package.json'].map((name) =>
      join(packageRoot, name),
    ),
    ...filesBelow(join(packageRoot, 'src')),
    ...filesBelow(join(packageRoot, 'public')),
    ...filesBelow(join(root, 'packages/sdk/src')),
  ];
  const sources = files.filter((name) => !name.endsWith('.test.ts'));
  for (const file of sources.toSorted((a, b) => (a < b ? -1 : 1))) {
    hash.update(`${file.slice(root.length)}\0`);
    hash.update(readFileSync(file));
  }
  return `${hash.digest('hex')}\n`;
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function compressAll() {
  for (const file of filesBelow(dist)) {
    if (!COMPRESSIBLE.has(extname(file))) continue;
    const content = readFileSync(file);
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
    for (const [ending, packed] of [
      ['.br', brotliCompressSync(content, { params })],
      ['.gz', gzipSync(content, { level: 9 })],
    ]) {
      if (packed.length < content.length) writeFileSync(file + ending, packed);
    }
  }
}
