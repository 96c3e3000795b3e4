/**
 * `npm test` and, with `--full`, `npm run test:full`: runs the suites of tools/suites.mjs, never stops at the first
 * failure, and closes with the true totals of all: `N passed, N failed`.
 *
 * Suites that busy one core at most run three at a time; what they print is shown in one piece when they end. The
 * others run alone.
 *
 * A suite counts as failed, whatever it prints, when it ends without totals, with an exit code that its totals
 * do not explain, or without a single passed test.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages, GROUPS } from './debian.mjs';
import { findMemory, withSuiteFolder } from './suite-folder.mjs';
import { SUITES } from './suites.mjs';
import { closingLine, readClosingLine } from './totals.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * One more than the cores that we count with: the suites wait for programs, disks and clocks a third of their time.
 * They take their ports by these names, so that none takes what another has just found free.
 */
const LANES = ['0/3', '1/3', '2/3'];

const isFull = process.argv.includes('--full');

/** Where tests tell what they measured; judged when all have ended. */
const proofFolder = mkdtempSync(join(tmpdir(), 'keyreeve-proof-'));
const proofRecords = join(proofFolder, 'records.jsonl');

const compileCache = mkdtempSync(join(findMemory(), 'keyreeve-compiled-'));
fillCompileCache();

const started = performance.now();
const linesOf = new Map();
for (const suite of SUITES.filter(({ isAlone }) => isAlone)) linesOf.set(suite, await runShown(suite));
const waiting = SUITES.filter(({ isAlone }) => !isAlone);
await Promise.all(
  LANES.map(async (lane) => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift())
      linesOf.set(suite, await runHeld(suite, lane));
  }),
);
const board = {
  name: 'board',
  command: ['node', 'tools/proof.mjs', '--records', proofRecords, '--short'],
  fullCommand: ['node', 'tools/proof.mjs', '--records', proofRecords],
};
linesOf.set(board, await runShown(board));
for (const folder of [compileCache, proofFolder]) rmSync(folder, { recursive: true, force: true });
const rows = [...SUITES, board].flatMap((suite) => linesOf.get(suite));
printTable(rows, (performance.now() - started) / 1000);
process.stdout.write(`${closingLine(rows)}\n`);
process.exitCode = rows.some((row) => row.failed > 0) ? 1 : 0;

/** Shows what a suite prints as it comes. */
async function runShown(suite) {
  process.stdout.write(`\n=== ${suite.name}\n`);
  return await timed(suite, (text) => process.stdout.write(text));
}

/** Keeps what a suite prints until it has ended. */
async function runHeld(suite, lane) {
  process.stdout.write(`\n(${suite.name} has begun)\n`);
  let held = '';
  const lines = await timed(suite, (text) => (held += text), { TEST_LANE: lane });
  process.stdout.write(`\n=== ${suite.name}\n${held}`);
  return lines;
}

async function timed(suite, show, extra) {
  const begun = performance.now();
  const lines = await runSuite(suite, show, extra);
  const seconds = (performance.now() - begun) / 1000;
  return lines.map((line, index) => ({ ...line, seconds: index === 0 ? seconds : undefined }));
}

/** @returns {Promise<import('./totals.mjs').Totals[]>} At least one line. */
async function runSuite({ name, command, fullCommand = command, inMemory = false, needs }, show, extra) {
  const fault = (note) => ({ suite: name, passed: 0, failed: 1, skipped: 0, note });
  try {
    if (needs) ensureDebianPackages(GROUPS[needs]);
  } catch (error) {
    show(`${error.message}\n`);
    return [fault('system packages are missing')];
  }
  return await withSuiteFolder(inMemory, async (folder, places) => {
    const totalsFile = join(folder, 'totals');
    const environment = { ...extra, TEST_TOTALS_FILE: totalsFile, ...places };
    const { code, output } = await run(isFull ? fullCommand : command, environment, show);
    const written = existsSync(totalsFile) ? readFileSync(totalsFile, 'utf8').trimEnd().split('\n') : [];
    const closing = readClosingLine(output);
    const totals =
      written.length > 0
        ? written.map((line) => JSON.parse(line))
        : closing === undefined
          ? []
          : [{ suite: name, ...closing }];
    return judge(totals, code, fault);
  });
}

/**
 * The suites start the server and the command line some hundred times, and half of each start goes into compiling
 * the same files. A process writes what it has compiled when it ends, and one that is killed does not: so one of
 * each kind is loaded beforehand: the server as it starts, with the libraries that were built, and as tests import it.
 */
function fillCompileCache() {
  for (const words of [
    ['--eval', "import('./packages/server/src/index.ts')"],
    [
      '--eval',
      "import('./packages/server/src/libraries.mjs').then((built) => { built.useBuiltLibraries(); return import('./packages/server/src/index.ts'); })",
    ],
    ['packages/cli/src/bin.ts', '--help'],
  ])
    spawnSync(process.execPath, words, {
      cwd: root,
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
}

function judge(totals, code, fault) {
  if (totals.length === 0) return [fault(`ended with ${code} and without totals`)];
  const judged = totals.map((line) =>
    line.passed === 0 && line.failed === 0 ? { ...line, failed: 1, note: 'nothing passed' } : line,
  );
  const explained = judged.some((line) => line.failed > 0);
  return code === 0 || explained ? judged : [...judged, fault(`ended with ${code} though nothing failed`)];
}

/** Hands on the output as it comes and keeps it for the closing line. Colours would hide that line. */
function run([file, ...args], extra, show) {
  const env = {
    ...process.env,
    ...extra,
    NODE_COMPILE_CACHE: compileCache,
    PROOF_RECORDS_FILE: proofRecords,
    ...(isFull ? { PROOF_FULL: '1' } : {}),
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
  };
  return new Promise((done) => {
    const child = spawn(file === 'node' ? process.execPath : file, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', show);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      show(text);
      output = (output + text).slice(-100_000); // Only its end is read.
    });
    child.on('error', (error) => done({ code: error.message, output }));
    child.on('close', (code, signal) => done({ code: code ?? signal, output }));
  });
}

function printTable(lines, secondsInAll) {
  const width = Math.max(...lines.map((line) => line.suite.length));
  process.stdout.write(`\n${''.padEnd(width)}  passed  failed  skipped   seconds\n`);
  for (const { suite, passed, failed, skipped, seconds, note } of lines) {
    const numbers = `${String(passed).padStart(6)}  ${String(failed).padStart(6)}  ${String(skipped).padStart(7)}`;
    const time = (seconds === undefined ? '' : seconds.toFixed(1)).padStart(8);
    process.stdout.write(`${suite.padEnd(width)}  ${numbers}  ${time}${note ? `  ${note}` : ''}\n`);
  }
  process.stdout.write(`\nin all ${secondsInAll.toFixed(1)} seconds\n\n`);
}
