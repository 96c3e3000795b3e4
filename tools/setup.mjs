/**
 * Brings the dependencies to the state of the lock file before anything else runs (`prestart`, `pretest`).
 *
 * It is started by whatever Node.js the machine has (20 or newer) and installs, among the dependencies, the
 * Node.js 24 that serves. When nothing changed since the last run it reads two files and leaves.
 * Plain JavaScript without dependencies: nothing is installed yet when it runs.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedNode } from './installed-node.mjs';

const NODE_NEEDED = 24;
const NODE_TO_START = 20;
const self = fileURLToPath(import.meta.url);
const root = resolve(dirname(self), '..');
const modules = join(root, 'node_modules');
const windows = process.platform === 'win32';

main();

function main() {
  if (majorOf(process.version) < NODE_TO_START) {
    fail(
      `Keyreeve needs Node.js ${NODE_TO_START} or newer to start; this is ${process.version} (${process.execPath}).`,
    );
  }
  const stampFile = join(modules, '.setup-stamp');
  const stamp = wantedStamp();
  if (readIfThere(stampFile) === stamp && existsSync(installedNode)) return;
  if (!matchesLockFile()) install();
  verifyNode();
  writeFileSync(stampFile, stamp);
}

/** One digest over everything that decides what `node_modules` must hold: lock file, platform, this file. */
function wantedStamp() {
  const hash = createHash('sha256');
  hash.update(readFileSync(join(root, 'package-lock.json')));
  hash.update(`\n${process.platform}-${process.arch}\n`);
  hash.update(readFileSync(self));
  return `${hash.digest('hex')}\n`;
}

/**
 * True when npm's own record of `node_modules` already agrees with the lock file, as after `npm install`.
 * Then a new `npm ci` would only delete a good tree, perhaps under a running process.
 */
function matchesLockFile() {
  const text = readIfThere(join(modules, '.package-lock.json'));
  if (text === undefined) return false;
  const installed = JSON.parse(text).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const same = (path) =>
    installed[path]?.version === wanted[path]?.version && installed[path]?.link === wanted[path]?.link;
  const needed = Object.keys(wanted).filter(
    (path) => path.includes('node_modules/') && !wanted[path].optional,
  );
  const present = Object.keys(installed).filter((path) => path.includes('node_modules/'));
  return (
    needed.every((path) => installed[path] !== undefined && same(path)) &&
    present.every((path) => wanted[path] !== undefined && same(path) && fitsMachine(wanted[path])) &&
    majorOf(versionOf(installedNode)) >= NODE_NEEDED
  );
}

function fitsMachine(entry) {
  const allows = (list, value) => list === undefined || list.includes(value);
  return allows(entry.os, process.platform) && allows(entry.cpu, process.arch);
}

function install() {
  const npm = npmCommand();
  process.stdout.write('Installing the dependencies (once; about half a minute on a fresh clone) ...\n');
  // `error` hides the notes npm prints under Node 20 for each package that wants 22: ours run on 24.
  const args = [...npm.args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(npm.file, args, {
    cwd: root,
    env: npm.env,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    shell: npm.shell,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error)
    fail(`npm could not be started (${result.error.message}). Install npm, then start again.`);
  if (result.status === 0) {
    process.stderr.write(result.stderr);
    return;
  }
  const offline =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT)\b/.exec(
      result.stderr,
    );
  if (offline) {
    fail(
      `The dependencies could not be downloaded: the npm registry cannot be reached (${offline[1]}).\n` +
        'Connect this machine to it, or name one that can be reached (`npm config set registry URL`), then start again.',
    );
  }
  process.stderr.write(result.stderr);
  fail(
    `The dependencies could not be installed: npm ci ended with ${result.status ?? result.signal}; its reasons are above.`,
  );
}

/**
 * The npm and the Node.js that started us, never the ones in `node_modules`, which `npm ci` deletes first.
 * Without them (started by hand) the `npm` on the PATH, with our own folder taken off it.
 */
function npmCommand() {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !isInside(modules, folder));
  const env = { ...process.env, PATH: path.join(delimiter) };
  const cli = process.env.npm_execpath;
  if (cli === undefined || !/npm-cli\.c?js$/.test(cli) || isInside(modules, cli)) {
    return { file: 'npm', args: [], env, shell: windows };
  }
  const candidates = [
    process.env.npm_node_execpath,
    ...path.map((folder) => join(folder, windows ? 'node.exe' : 'node')),
  ];
  const node = candidates.find(
    (file) => file !== undefined && existsSync(file) && !isInside(modules, realpathSync(file)),
  );
  if (node === undefined) {
    fail(
      'The dependencies changed, and the only Node.js found lies inside node_modules. Run `npm ci`, then start again.',
    );
  }
  return { file: node, args: [cli], env: { ...env, npm_node_execpath: node }, shell: false };
}

/** npm leaves out an optional dependency that it could not fetch without a word, so look. */
function verifyNode() {
  const version = versionOf(installedNode);
  if (majorOf(version) >= NODE_NEEDED) return;
  if (version === undefined && majorOf(process.version) >= NODE_NEEDED) return; // The machine's own will serve.
  fail(
    `Keyreeve runs on Node.js ${NODE_NEEDED}, which npm installs beside the other dependencies; here it ` +
      `${version === undefined ? 'did not arrive' : `is ${version}`} (${process.platform}-${process.arch}).\n` +
      `Check that the npm registry offers it (\`npm view node-${process.platform}-${process.arch} versions\`), ` +
      `or install Node.js ${NODE_NEEDED} on this machine, then start again.`,
  );
}

/** @returns {string | undefined} `v24.21.0`, or undefined when there is none or it does not run. */
function versionOf(file) {
  if (!existsSync(file)) return undefined;
  const result = spawnSync(windows ? `"${file}"` : file, ['--version'], { encoding: 'utf8', shell: windows });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function majorOf(version) {
  return version === undefined ? 0 : Number(version.replace(/^v/, '').split('.')[0]);
}

function isInside(folder, path) {
  return path === folder || path.startsWith(folder + sep);
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** @returns {never} */
function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}
