/**
 * Runs the import rules of .dependency-cruiser.cjs and fails on a violation, and also when the cruiser looked
 * at fewer files than there are: on its own it is content with none.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = resolve(fileURLToPath(import.meta.url), '../..');

/**
 * @param {string} root A repository, or a copy of one.
 * @returns {{ violations: { rule: string, from: string, to: string }[], unseen: string[], seen: number }}
 */
export function cruise(root) {
  const cli = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const config = join(repository, '.dependency-cruiser.cjs');
  const args = [cli, 'packages', '--config', config, '--output-type', 'json'];
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
  });
  if (!result.stdout.startsWith('{')) {
    throw new Error(
      `dependency-cruiser gave no result (${result.status}): ${result.stderr || result.stdout}`,
    );
  }
  const { modules, summary } = JSON.parse(result.stdout);
  const cruised = new Set(modules.map((module) => module.source));
  const sources = sourceFiles(root);
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    unseen: sources.filter((file) => !cruised.has(file)),
    seen: sources.filter((file) => cruised.has(file)).length,
  };
}

/** Every TypeScript file of ours below `packages/<name>/src`, relative to the root, with forward slashes. */
function sourceFiles(root) {
  return readdirSync(join(root, 'packages')).flatMap((name) => {
    const folder = join(root, 'packages', name, 'src');
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true })
      .map((file) => `packages/${name}/src/${file.replaceAll('\\', '/')}`)
      .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { violations, unseen, seen } = cruise(repository);
  for (const { rule, from, to } of violations) process.stderr.write(`${rule}: ${from} -> ${to}\n`);
  for (const file of unseen) process.stderr.write(`not looked at: ${file}\n`);
  process.stdout.write(`${seen} files, ${violations.length} violations\n`);
  if (seen === 0) process.stderr.write('No file was looked at: the check proves nothing.\n');
  if (seen === 0 || unseen.length > 0 || violations.length > 0) process.exitCode = 1;
}
