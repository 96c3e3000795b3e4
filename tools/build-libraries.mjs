/**
 * Puts each library that comes in hundreds of small modules into one file, in packages/server/dist/libraries
 * (`npm run build`). Node.js takes half a millisecond to find, read and link a module, and these were two of five
 * modules of a start; `packages/server/src/libraries.mjs` uses the files for as long as they are of the versions that
 * are installed. Does nothing when what lies there is whole, of these versions and of this script.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runBuild } from './installed-node.mjs';

/** By what our sources import, the package and the name of the file. Only libraries of ECMAScript modules. */
const LIBRARIES = {
  jose: { of: 'jose', file: 'jose' },
  kysely: { of: 'kysely', file: 'kysely' },
  'kysely/migration': { of: 'kysely', file: 'kysely-migration' },
  typebox: { of: 'typebox', file: 'typebox' },
};
const LIST = 'list.json';

const self = fileURLToPath(import.meta.url);
const root = resolve(self, '../..');
const server = join(root, 'packages/server');
const { values } = parseArgs({
  options: { to: { type: 'string', default: join(server, 'dist/libraries') }, bundle: { type: 'string' } },
});

if (values.bundle === undefined) main(values.to);
else await bundle(values.bundle);

function main(place) {
  const madeOf = { script: digestFile(self), rolldown: readVersion('rolldown'), versions: readVersions() };
  const before = readList(place);
  if (before !== null && isWhole(place, before) && isSame(before.madeOf, madeOf)) return;
  const next = join(place, `next.${process.pid}`);
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });
  runBuild([self, '--bundle', next], {
    fault: 'The libraries could not be built.',
    tidyUp: () => rmSync(next, { recursive: true, force: true }),
  });
  const names = readdirSync(next).toSorted();
  const files = Object.fromEntries(names.map((name) => [name, digestFile(join(next, name))]));
  const entries = Object.entries(LIBRARIES).map(([name, { file }]) => [name, `${file}.mjs`]);
  // Named by what is in it: a server that starts meanwhile has the old folder or the new one, each of them whole.
  const folder = digest(JSON.stringify(files)).slice(0, 16);
  const list = { madeOf, folder, files, entries: Object.fromEntries(entries) };
  if (!isWhole(place, list)) putInPlace(next, place, list);
  rmSync(next, { recursive: true, force: true });
  const listFile = join(place, `list.${process.pid}`);
  writeFileSync(listFile, `${JSON.stringify(list, null, 2)}\n`);
  renameSync(listFile, join(place, LIST));
  // One that was replaced just now may be read by a server that is starting.
  const kept = [LIST, folder, before?.folder];
  for (const name of readdirSync(place))
    if (!kept.includes(name) && !name.includes('.'))
      rmSync(join(place, name), { recursive: true, force: true });
}

function putInPlace(next, place, list) {
  rmSync(join(place, list.folder), { recursive: true, force: true });
  try {
    renameSync(next, join(place, list.folder));
  } catch (error) {
    // Another build, at the same moment, has put the same there.
    if (!isWhole(place, list)) throw error;
  }
}

/** Null when there is none that can be read. */
function readList(place) {
  try {
    return JSON.parse(readFileSync(join(place, LIST), 'utf8'));
  } catch {
    return null;
  }
}

function isWhole(place, { folder, files = {} }) {
  return Object.entries(files).every(([name, expected]) => {
    const file = join(place, `${folder}`, name);
    return existsSync(file) && digestFile(file) === expected;
  });
}

function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function bundle(folder) {
  const { rolldown } = await import('rolldown');
  const input = Object.fromEntries(Object.entries(LIBRARIES).map(([name, { file }]) => [file, name]));
  const build = await rolldown({ cwd: server, input, platform: 'node', external: /^node:/ });
  await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'shared-[hash].mjs',
  });
  await build.close();
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}

function digestFile(file) {
  return digest(readFileSync(file));
}

function readVersions() {
  const packages = new Set(Object.values(LIBRARIES).map(({ of }) => of));
  return Object.fromEntries([...packages].map((name) => [name, readVersion(name)]));
}

/** As Node.js looks for it from the server; by hand, since the Node.js that started us may be an older one. */
function readVersion(name) {
  const places = [server, root].map((folder) => join(folder, 'node_modules', name, 'package.json'));
  return JSON.parse(readFileSync(places.find(existsSync), 'utf8')).version;
}
