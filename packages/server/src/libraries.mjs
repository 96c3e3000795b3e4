import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON, registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const FOLDER = path.resolve(import.meta.dirname, '../dist/libraries');

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Throws when there is no such package. */
function hasVersion(name, version) {
  return readJson(findPackageJSON(name, import.meta.url)).version === version;
}

/** Throws when there is no such file. */
function hasDigest(file, digest) {
  return createHash('sha256').update(readFileSync(file)).digest('hex') === digest;
}

/**
 * Has the libraries that `tools/build-libraries.mjs` has put into one file each loaded from there: seven hundred modules
 * less. Where they were not built, or not all of it is there as it was built, or others are installed by now, the
 * packages are loaded as ever: a library that is half there would be found out by its import, and end the start.
 */
export function useBuiltLibraries() {
  const listFile = path.join(FOLDER, 'list.json');
  if (!existsSync(listFile)) return;
  const { madeOf, folder, files, entries } = readJson(listFile);
  const place = path.join(FOLDER, folder);
  if (!Object.entries(madeOf.versions).every(([name, version]) => hasVersion(name, version))) return;
  if (!Object.entries(files).every(([name, digest]) => hasDigest(path.join(place, name), digest))) return;
  const urls = new Map(
    Object.entries(entries).map(([name, file]) => [name, pathToFileURL(path.join(place, file)).href]),
  );
  registerHooks({
    resolve(name, context, resolveNext) {
      const url = urls.get(name);
      return url === undefined ? resolveNext(name, context) : { url, format: 'module', shortCircuit: true };
    },
  });
}
