/**
 * Puts each library that comes in hundreds of small modules into one file, in packages/server/dist/libraries
 * (`npm run build`). Node.js takes half a millisecond to find, read and link a module, and these were two of five
 * modules of a start; `packages/server/src/libraries.mjs` uses the files for as long as they are of the versions that
 * are installed. Does nothing when what lies there is of these versions and of this script.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** By what our sources import, the package and the name of the file. Only libraries of ECMAScript modules. */
const LIBRARIES = {
  jose: { of: 'jose', file: 'jose' },
  kysely: { of: 'kysely', file: 'kysely' },
  'kysely/migration': { of: 'kysely', file: 'kysely-migration' },
  typebox: { of: 'typebox', file: 'typebox' },
};

const self = fileURLToPath(import.meta.url);
const root = resolve(self, '../..');
const server = join(root, 'packages/server');
const { values } = parseArgs({
  options: { to: { type: 'string', default: join(server, 'dist/libraries') }, bundle: { type: 'string' } },
});

if (values.bundle === undefined) main(values.to);
else await bundle(values.bundle);

function main(folder) {
  const list = { madeBy: digestSelf(), versions: readVersions(), files: nameFiles() };
  const text = `${JSON.stringify(list, null, 2)}\n`;
  const listFile = join(folder, 'list.json');
  if (existsSync(listFile) && readFileSync(listFile, 'utf8') === text) return;
  // Beside the place and then into it: a server that starts meanwhile finds all of the files or none.
  const next = `${folder}.${process.pid}`;
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });
  // The Node.js that was installed, not the one that started us: the build tool needs a new one.
  const node = join(root, 'node_modules/.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  const result = spawnSync(existsSync(node) ? node : process.execPath, [self, '--bundle', next], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    rmSync(next, { recursive: true, force: true });
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}\nThe libraries could not be built.\n`);
    process.exit(1);
  }
  writeFileSync(join(next, 'list.json'), text);
  rmSync(folder, { recursive: true, force: true });
  renameSync(next, folder);
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

function digestSelf() {
  return createHash('sha256').update(readFileSync(self)).digest('hex');
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

function nameFiles() {
  return Object.fromEntries(Object.entries(LIBRARIES).map(([name, { file }]) => [name, `${file}.mjs`]));
}
