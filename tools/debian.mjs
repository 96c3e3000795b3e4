/**
 * The system packages that some suites and the bench need (real nuget.exe, a browser, Postfix, wrk, an ext4 image, …).
 *
 * On Debian as root a missing one is installed; anywhere else the run fails with one message that says what
 * is missing and how to get it. It never skips: a suite that quietly tests less proves less than it says.
 *
 * As a module: `ensureDebianPackages(GROUPS.e2e)`. By hand: `node tools/debian.mjs e2e notices bench postfix powercut nodes`.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Need
 * @property {string} package Debian's name of the package.
 * @property {string} [command] A command that must be on the PATH (system folders for root are looked at too).
 * @property {string} [file] A file that must be there.
 * @property {string[]} [probe] A command with arguments that must end with 0.
 * @property {string} [preseed] An answer to what the package asks when it is installed (debconf-set-selections).
 */

/** @type {Record<'e2e' | 'notices' | 'bench' | 'postfix' | 'powercut' | 'nodes' | 'browser' | 'proof', Need[]>} */
export const GROUPS = {
  e2e: [
    { package: 'mono-complete', file: '/usr/bin/mono' },
    // The runtime alone, which nuget pulls in, lacks the libraries that newer nuget.exe load.
    { package: 'mono-complete', file: '/usr/lib/mono/4.5/System.Net.Http.dll' },
    { package: 'mono-complete', file: '/usr/lib/mono/4.5/Facades/System.Runtime.dll' },
    // Compiles the C# sample of docs/clients.
    { package: 'mono-complete', file: '/usr/bin/mcs' },
    { package: 'nuget', file: '/usr/bin/nuget' },
    { package: 'curl', command: 'curl' },
    // The system's own Python by its full name: `python3` on the PATH may be another one without the module.
    { package: 'python3-requests', probe: ['/usr/bin/python3', '-c', 'import requests'] },
    // An implementation of JSON Web Tokens that is not ours, and what it needs for elliptic curves.
    { package: 'python3-jwt', probe: ['/usr/bin/python3', '-c', 'import jwt'] },
    { package: 'python3-cryptography', probe: ['/usr/bin/python3', '-c', 'import cryptography'] },
    // OAuth clients that are not ours, given nothing but the address of the metadata.
    { package: 'python3-authlib', probe: ['/usr/bin/python3', '-c', 'import authlib'] },
    { package: 'python3-requests-oauthlib', probe: ['/usr/bin/python3', '-c', 'import requests_oauthlib'] },
    { package: 'openssl', command: 'openssl' },
    { package: 'zsh', file: '/usr/bin/zsh' },
    { package: 'fish', file: '/usr/bin/fish' },
    { package: 'bash-completion', file: '/usr/share/bash-completion/bash_completion' },
    { package: 'nginx-light', file: '/usr/sbin/nginx' },
    { package: 'caddy', file: '/usr/bin/caddy' },
    { package: 'haproxy', file: '/usr/sbin/haproxy' },
    { package: 'jq', command: 'jq' },
    { package: 'python3-yaml', probe: ['/usr/bin/python3', '-c', 'import yaml'] },
    // Judges the unit of deploy/systemd; nothing of it is started.
    { package: 'systemd', file: '/usr/bin/systemd-analyze' },
  ],
  notices: [{ package: 'python3', file: '/usr/bin/python3' }],
  bench: [
    { package: 'wrk', command: 'wrk' },
    // A peer, with the schema of its database. Its service is not started: the bench runs one of its own.
    { package: 'glewlwyd', file: '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3' },
  ],
  postfix: [
    {
      package: 'postfix',
      command: 'postfix',
      // Without a configuration it is not started: the suite runs one of its own, and the machine wants none.
      preseed: 'postfix postfix/main_mailer_type select No configuration',
    },
    { package: 'python3', file: '/usr/bin/python3' },
  ],
  proof: [
    // Counts the system calls of the server, and lets chosen ones fail.
    { package: 'strace', command: 'strace' },
    // Moves the clock of a running process.
    { package: 'faketime', command: 'faketime' },
    // File systems that are full.
    { package: 'e2fsprogs', command: 'mkfs.ext4' },
    { package: 'mount', command: 'mount' },
    // Proxies before the server, and a database for requests of all kinds.
    { package: 'nginx-light', file: '/usr/sbin/nginx' },
    { package: 'haproxy', file: '/usr/sbin/haproxy' },
    { package: 'postgresql-15', file: '/usr/lib/postgresql/15/bin/postgres' },
  ],
  powercut: [
    { package: 'e2fsprogs', command: 'mkfs.ext4' },
    { package: 'mount', command: 'mount' },
    { package: 'mount', command: 'losetup' },
    { package: 'util-linux', command: 'unshare' },
  ],
  nodes: [
    { package: 'postgresql-15', file: '/usr/lib/postgresql/15/bin/postgres' },
    { package: 'pgbouncer', file: '/usr/sbin/pgbouncer' },
    { package: 'redis-server', file: '/usr/bin/redis-server' },
    { package: 'nginx-light', file: '/usr/sbin/nginx' },
    { package: 'haproxy', file: '/usr/sbin/haproxy' },
    // Drops what is sent to a database, without a word.
    { package: 'nftables', file: '/usr/sbin/nft' },
    // Of the full form alone.
    { package: 'wrk', file: '/usr/bin/wrk' },
  ],
  browser: [
    { package: 'chromium', file: '/usr/bin/chromium' },
    // What the console's font stack falls back on here; other glyphs are of another width, and what is clipped
    // depends on it. The second CJK package holds the medium weight.
    { package: 'fonts-inter', file: '/usr/share/fonts/opentype/inter/Inter-Medium.otf' },
    {
      package: 'fonts-jetbrains-mono',
      file: '/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf',
    },
    { package: 'fonts-noto-cjk', file: '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc' },
    { package: 'fonts-noto-cjk-extra', file: '/usr/share/fonts/opentype/noto/NotoSansCJK-Medium.ttc' },
  ],
};

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
const APT_SECONDS_MAX = 1800;
let listsUpdated = false;

/**
 * Returns when every need is met; otherwise installs what is missing, or throws one error that names it all.
 * @param {Need[]} needs
 */
export function ensureDebianPackages(needs) {
  const missing = needs.filter((need) => !isMet(need));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((need) => need.package))];
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0)
    throw new Error(howToInstall(missing, packages));
  process.stdout.write(`Installing ${packages.join(', ')} (Debian) ...\n`);
  const folder = mkdtempSync(join(tmpdir(), 'keyreeve-apt-'));
  try {
    const log = join(folder, 'apt.log');
    if (!listsUpdated) apt(['update'], log);
    listsUpdated = true;
    preseed(missing);
    withoutServices(() => apt(['install', '-y', '--no-install-recommends', ...packages], log));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const still = missing.filter((need) => !isMet(need));
  if (still.length > 0)
    throw new Error(`Installed ${packages.join(', ')}, yet there is no ${still.map(nameOf).join(', no ')}.`);
}

/** @param {Need[]} needs */
function preseed(needs) {
  const answers = needs.flatMap((need) => (need.preseed ? [`${need.preseed}\n`] : []));
  if (answers.length > 0) spawnSync('debconf-set-selections', [], { input: answers.join('') });
}

/**
 * Packages of servers start them when they are installed, and those would hold port 80. Debian asks this file
 * first whether they may (invoke-rc.d); one that is there is somebody's own rule, and stays.
 * @param {() => void} install
 */
function withoutServices(install) {
  const isOurs = !existsSync(SERVICE_POLICY);
  if (isOurs) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (isOurs) rmSync(SERVICE_POLICY);
  }
}

function apt(args, log) {
  const out = openSync(log, 'a');
  // The timeout lets another apt that holds the lock finish first.
  const result = spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    stdio: ['ignore', out, out],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: APT_SECONDS_MAX * 1000,
  });
  closeSync(out);
  if (result.status === 0) return;
  const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
  throw new Error(
    `apt-get ${args.join(' ')} ended with ${result.status ?? result.signal ?? result.error?.message}:\n${tail}`,
  );
}

/** @param {Need} need */
function isMet(need) {
  if (need.probe) return spawnSync(need.probe[0], need.probe.slice(1), { stdio: 'ignore' }).status === 0;
  if (need.file) return existsSync(need.file);
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.some((folder) => folder !== '' && isExecutable(join(folder, need.command)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Absent or not executable: in both cases it cannot be used.
  }
}

function nameOf(need) {
  return need.command ?? need.file ?? need.probe.join(' ');
}

function howToInstall(missing, packages) {
  const lines = missing.map((need) => `  ${nameOf(need)}  (Debian package ${need.package})`);
  return (
    `These system programs are missing:\n${lines.join('\n')}\n` +
    `On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${packages.join(' ')}\n` +
    'Elsewhere: install the programs of the same names, then run this again.'
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => GROUPS[name] === undefined);
  if (names.length === 0 || unknown.length > 0) {
    process.stderr.write(`Usage: node tools/debian.mjs ${Object.keys(GROUPS).join(' | ')} ...\n`);
    process.exit(2);
  }
  try {
    ensureDebianPackages(names.flatMap((name) => GROUPS[name]));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
