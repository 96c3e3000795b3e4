/**
 * `npm run proof`: runs the tests that bring the evidence of the board (e2e/proof/items), in their long form, prints
 * one line a number and writes docs/proof.md. Closes with `N passed, N failed`, each item counted as one.
 *
 * `--short`: their short form, and no page. `--only 1,14,35`: some items, and no page. `--records <file>`: judges
 * what the suites of `npm test` have written, and runs nothing. `--folder <folder>`: keeps there what each run has
 * told, and runs only what has not ended well there, at this commit: for a board that may be broken off.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judgeItems, readRecords, toLine } from '../e2e/proof/board.ts';
import { listCommands } from '../e2e/proof/commands.ts';
import { loadItems } from '../e2e/proof/load-items.ts';
import { readDefects, toProofPage } from '../e2e/proof/page.ts';
import { ensureDebianPackages, GROUPS } from './debian.mjs';
import { openProofFolder } from './proof-folder.mjs';
import { withSuiteFolder } from './suite-folder.mjs';
import { SUITES } from './suites.mjs';
import { closingLine } from './totals.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const RESULTS = 'e2e/proof/results';
/** Runs beside each other take their ports by these names. */
const LANES = ['0/2', '1/2'];

const { values } = parseArgs({
  options: {
    short: { type: 'boolean' },
    only: { type: 'string' },
    records: { type: 'string' },
    folder: { type: 'string' },
  },
});
const form = values.short === true ? 'short' : 'long';
const numbers = values.only?.split(',').map(Number);

// What is measured is what the run begins with.
const git = (...args) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
const measured = {
  commit: git('rev-parse', 'HEAD').trim(),
  isChanged: git('status', '--porcelain').trim() !== '',
};
const items = (await loadItems()).filter(({ number }) => numbers?.includes(number) ?? true);
const { records, failedSuites, ...effort } =
  values.records === undefined ? await gather() : read(values.records);
const judged = judgeItems(items, records, form);
report();
if (form === 'long' && numbers === undefined && values.records === undefined) writePage();

/** What measures time runs alone; the rest after it, as many at a time as there are lanes. */
async function gather() {
  const own = values.folder === undefined ? mkdtempSync(join(tmpdir(), 'keyreeve-proof-')) : findFolder();
  const folder = openProofFolder(own, `${form} form of ${measured.commit}`);
  process.stdout.write(`What the tests tell is written to ${own}.\n`);
  const failed = [];
  const commands = listCommands(items, form).map((command) => ({
    ...command,
    title: `${command.suite}: ${command.args.slice(2).join(' ')}`,
  }));
  const runNext = async (command, lane) => {
    const { title } = command;
    const begun = performance.now();
    const { code, output } = await run(command, folder.recordsFile(title), lane);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(`\n=== ${title}\n${output}${title}: ${seconds} s\n`);
    folder.keep(title, code, output);
    if (code !== 0) failed.push(`${title} ended with ${code}`);
  };
  const waiting = commands.filter(({ title }) => !folder.hasEnded(title));
  if (waiting.length < commands.length)
    process.stdout.write(
      `${commands.length - waiting.length} of ${commands.length} runs stand from before.\n`,
    );
  for (const command of waiting.filter(({ isAlone }) => isAlone)) await runNext(command, '0/1');
  const shared = waiting.filter(({ isAlone }) => !isAlone);
  await Promise.all(
    LANES.map(async (lane) => {
      for (let next = shared.shift(); next !== undefined; next = shared.shift()) await runNext(next, lane);
    }),
  );
  const titles = commands.map(({ title }) => title);
  const taken = folder.tellEffort();
  const gathered = select(titles.map((title) => folder.readRecords(title)).join(''));
  if (values.folder === undefined) rmSync(own, { recursive: true, force: true });
  return { ...gathered, ...taken, failedSuites: failed };
}

/** What was measured with changes that are in no commit could go on without them, and nobody would see it. */
function findFolder() {
  if (!measured.isChanged) return resolve(values.folder);
  throw new Error(
    '--folder keeps what was measured at one commit, and this tree holds changes that are in none: commit them, or leave --folder out. The folder itself lies outside the repository.',
  );
}

/** A file brings the figures of its neighbours too, which nobody asked for when only some items were. */
function read(file) {
  return select(existsSync(file) ? readFileSync(file, 'utf8') : '');
}

function select(text) {
  const all = readRecords(text);
  return {
    records: all.filter(({ item }) => numbers === undefined || numbers.includes(item)),
    failedSuites: [],
  };
}

/** Runs it where its suite in `npm test` does: in memory, unless it is about disks or times. */
async function run({ suite, args, needs }, recordsFile, lane) {
  if (needs !== undefined) ensureDebianPackages(GROUPS[needs]);
  const inMemory = SUITES.find(({ name }) => name === suite)?.inMemory === true;
  return await withSuiteFolder(inMemory, async (_folder, places) => {
    const told = { PROOF_RECORDS_FILE: recordsFile, TEST_LANE: lane };
    return await keepOutput(args, { ...told, ...places, ...(form === 'long' ? { PROOF_FULL: '1' } : {}) });
  });
}

/** Keeps what a run prints until it has ended. */
async function keepOutput(args, environment) {
  return await new Promise((done) => {
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => done({ code: error.message, output }));
    child.on('close', (code, signal) => done({ code: code ?? signal, output }));
  });
}

function report() {
  process.stdout.write(`\n${judged.map(toLine).join('\n')}\n\n`);
  for (const suite of failedSuites) process.stdout.write(`${suite}\n`);
  const passed = judged.filter(({ faults }) => faults.length === 0).length;
  // A suite with a failed test counts beside the items: what failed in it may be no figure of any of them.
  const failed = judged.length - passed + failedSuites.length;
  process.stdout.write(`${closingLine([{ passed, failed, skipped: 0 }])}\n`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

function writePage() {
  const facts = {
    at: new Date().toISOString(),
    ...measured,
    machine: `${cpus().length} cores and ${Math.round(totalmem() / 1024 ** 3)} GiB`,
    ...effort,
  };
  const log = git('log', '--format=%h%x00%s%x00%b%x01');
  mkdirSync(join(root, RESULTS), { recursive: true });
  const kept = judged.map(({ item, records: own, faults }) => ({
    number: item.number,
    records: own,
    faults,
  }));
  writeFileSync(
    join(root, RESULTS, 'latest.json'),
    `${JSON.stringify({ ...facts, items: kept }, null, 2)}\n`,
  );
  writeFileSync(join(root, 'docs/proof.md'), toProofPage(judged, readDefects(log), facts));
}
