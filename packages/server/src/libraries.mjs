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

/**
 * Has the libraries that `tools/build-libraries.mjs` has put into one file each loaded from there: seven hundred modules
 * less. Where they were not built, or others are installed by now, the packages are loaded as ever.
 */
export function useBuiltLibraries() {
  const list = path.join(FOLDER, 'list.json');
  if (!existsSync(list)) return;
  const { versions, files } = readJson(list);
  if (!Object.entries(versions).every(([name, version]) => hasVersion(name, version))) return;
  const places = Object.entries(files).map(([name, file]) => [name, path.join(FOLDER, file)]);
  if (!places.every(([, file]) => existsSync(file))) return;
  const urls = new Map(places.map(([name, file]) => [name, pathToFileURL(file).href]));
  registerHooks({
    resolve(name, context, resolveNext) {
      const url = urls.get(name);
      return url === undefined ? resolveNext(name, context) : { url, format: 'module', shortCircuit: true };
    },
  });
}
