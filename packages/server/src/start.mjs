// Where the process begins. In JavaScript, and before `main.ts` is loaded, so that the cache is on by then: what Node.js
// has compiled at an earlier start it takes from there, and it need not even load what takes the types out of our
// sources. That is a sixth of a start (docs/decisions/0037-memory.md).
import { existsSync, lstatSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { useBuiltLibraries } from './libraries.mjs';

const OTHERS_MAY_WRITE = 0o002;

/** The server alone, as `main.ts` tells it: root runs other commands, and would leave files in the server's folder. */
function isServer() {
  const command = process.argv[2] ?? 'serve';
  return command === 'serve' || command.startsWith('-');
}

/**
 * Only in a folder that an earlier start has made, and by the rules of `serving/compile-cache.ts`: what lies there is
 * run. Nothing is known yet of the configuration, or of who has the lock of the data folder.
 */
function reuseCompiled() {
  const dataDir = process.env['KEYREEVE_DATA_DIR']?.trim() || './data';
  const folder = path.join(dataDir, 'compile-cache');
  const info = lstatSync(folder, { throwIfNoEntry: false });
  if (info?.isDirectory() !== true) return;
  // Windows has neither.
  const user = process.getuid?.();
  if (user === undefined || (info.uid === user && (info.mode & OTHERS_MAY_WRITE) === 0))
    enableCompileCache(folder);
}

try {
  // Here too, since it may say where the data folder is.
  if (existsSync('.env')) process.loadEnvFile('.env');
  if (isServer()) reuseCompiled();
} catch {
  // `main.ts` meets the same fault, and explains it.
}
try {
  useBuiltLibraries();
} catch {
  // What was built is damaged: it is only quicker.
}
await import('./main.ts');
