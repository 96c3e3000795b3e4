import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = resolve(fileURLToPath(import.meta.url), '../../node_modules');

/** The Node.js that is among the dependencies, whether it is there or not: `setup.mjs` installs it. */
export const installedNode = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

/**
 * Runs a script of a build tool with that Node.js, not with the one that started us: such tools need a new one.
 * Ends the process with `fault` when it does not succeed, after `tidyUp`.
 */
export function runBuild(args, { cwd, fault, tidyUp = () => {} }) {
  const result = spawnSync(existsSync(installedNode) ? installedNode : process.execPath, args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status === 0) return;
  tidyUp();
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}\n${fault}\n`);
  process.exit(1);
}
