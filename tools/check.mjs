/**
 * `npm run check`: every static check, one line each with its time and count; the output of a step is shown
 * only when it fails. Never stops at the first failure; closes with `N passed, N failed`, one per step.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closingLine } from './totals.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules/.bin');
const env = { ...process.env, NO_COLOR: '1', PATH: `${bin}${delimiter}${process.env.PATH}` };

/** `count` finds in the step's output what it looked at; a step whose count is zero proves nothing and fails. */
const STEPS = [
  { name: 'format', command: ['biome', 'check', '.'], count: /Checked (\d+ files)/ },
  { name: 'lint', command: ['oxlint'], count: /on (\d+ files) with/ },
  {
    name: 'types',
    command: ['tsc', '--noEmit', '--extendedDiagnostics'],
    count: /^Files:\s+(\d+)/m,
    unit: 'files',
  },
  {
    name: 'types of the console',
    command: ['tsc', '--noEmit', '-p', 'packages/console', '--extendedDiagnostics'],
    count: /^Files:\s+(\d+)/m,
    unit: 'files',
  },
  {
    name: 'types of its tests',
    command: ['tsc', '--noEmit', '-p', 'e2e/console', '--extendedDiagnostics'],
    count: /^Files:\s+(\d+)/m,
    unit: 'files',
  },
  { name: 'imports', command: ['node', 'tools/check-imports.mjs'], count: /^(\d+ files)/m },
  { name: 'docs', command: ['node', 'tools/count-docs.mjs'], count: /^\d+ pages: (\d+ blocks)/m },
  { name: 'unused', command: ['knip'] },
  {
    name: 'unused in production',
    command: ['knip', '--production', '--include', 'files,dependencies,unlisted,unresolved'],
  },
  { name: 'generated files', command: ['node', 'tools/check-generated.mjs'], count: /^(\d+ files)/m },
];

const results = STEPS.map(runStep);
const failed = results.filter((ok) => !ok).length;
process.stdout.write(`${closingLine([{ passed: results.length - failed, failed, skipped: 0 }])}\n`);
process.exitCode = failed === 0 ? 0 : 1;

function runStep({ name, command: [file, ...args], count, unit }) {
  const started = performance.now();
  const result = spawnSync(file, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const output = `${result.error?.message ?? ''}${result.stdout ?? ''}${result.stderr ?? ''}`;
  const found = count?.exec(output)?.[1];
  const lookedAtNothing = count !== undefined && (found === undefined || Number.parseInt(found, 10) === 0);
  const ok = result.status === 0 && !lookedAtNothing;
  const looked = found === undefined ? '' : `${found}${unit ? ` ${unit}` : ''}`;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(22)} ${seconds.padStart(5)} s  ${looked}\n`);
  if (!ok) process.stdout.write(`${output.trim() || `ended with ${result.status ?? result.signal}`}\n\n`);
  if (!ok && lookedAtNothing) process.stdout.write(`${name} looked at nothing.\n\n`);
  return ok;
}
