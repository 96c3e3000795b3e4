// Where the process begins. In JavaScript, and before `main.ts` is loaded, so that the cache is on by then: what Node.js
// has compiled at an earlier start it takes from there, and it need not even load what takes the types out of our
// sources. That is a sixth of a start (docs/decisions/0037-memory.md).
import { existsSync } from 'node:fs';
import process from 'node:process';
import { useBuiltLibraries } from './libraries.mjs';
import { reuseCompileCache } from './serving/compile-cache.mjs';

/** The server alone, as `main.ts` tells it: root runs other commands, and would leave files in the server's folder. */
function isServer() {
  const command = process.argv[2] ?? 'serve';
  return command === 'serve' || command.startsWith('-');
}

try {
  // Here too, since it may say where the data folder is.
  if (existsSync('.env')) process.loadEnvFile('.env');
  // Nothing is known yet of who has the lock of the data folder, so nothing is made in it.
  if (isServer()) reuseCompileCache(process.env['KEYREEVE_DATA_DIR']?.trim() || './data');
} catch {
  // `main.ts` meets the same fault, and explains it.
}
try {
  useBuiltLibraries();
} catch {
  // What was built is damaged: it is only quicker.
}
await import('./main.ts');
