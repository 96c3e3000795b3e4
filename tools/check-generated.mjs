/**
 * Regenerates what is generated (`npm run generate`) into the tree and fails when that changes a file, or when
 * a generated file is untracked or differs from what git has staged: then the commit would lack it.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['docs', 'packages/sdk/src/generated'];

const before = snapshot();
const run = spawnSync('npm', ['run', '--silent', 'generate'], {
  cwd: root,
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
const after = snapshot();
// A generator writes its file even when the content stays: the time tells which files are generated.
const written = [...after.keys()].filter((file) => after.get(file).time !== before.get(file)?.time);
const faults =
  run.status === 0 ? findFaults() : [`npm run generate failed (${run.status ?? run.signal}):\n${run.stderr}`];

for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`${written.length} files generated, ${faults.length} faults\n`);
if (written.length === 0) process.stderr.write('Nothing was generated: the check proves nothing.\n');
if (faults.length > 0 || written.length === 0) process.exitCode = 1;

/** @returns {string[]} */
function findFaults() {
  const every = [...new Set([...before.keys(), ...after.keys()])];
  const stale = every.filter((file) => before.get(file)?.digest !== after.get(file)?.digest);
  const fresh = written.filter((file) => !stale.includes(file));
  const untracked = gitLines('ls-files', '--others', '--exclude-standard');
  const unstaged = gitLines('diff', '--name-only');
  return [
    ...stale.map((file) => `was stale, regenerated now: ${file}`),
    ...fresh.filter((file) => untracked.has(file)).map((file) => `generated but unknown to git: ${file}`),
    ...fresh
      .filter((file) => unstaged.has(file))
      .map((file) => `generated but neither committed nor staged: ${file}`),
  ];
}

/** @returns {Map<string, { digest: string, time: number }>} By path relative to the repository. */
function snapshot() {
  const files = new Map();
  for (const folder of FOLDERS) {
    if (!existsSync(join(root, folder))) continue;
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const full = join(entry.parentPath, entry.name);
      const digest = createHash('sha256').update(readFileSync(full)).digest('hex');
      const file = full.slice(root.length + 1).replaceAll('\\', '/');
      files.set(file, { digest, time: statSync(full).mtimeMs });
    }
  }
  return files;
}

/** @returns {Set<string>} Empty outside a git checkout, where staleness alone decides. */
function gitLines(...args) {
  const result = spawnSync('git', [...args, '--', ...FOLDERS], { cwd: root, encoding: 'utf8' });
  return new Set(result.status === 0 ? result.stdout.split('\n').filter((line) => line !== '') : []);
}
