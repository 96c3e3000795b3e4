/**
 * `npm run test:mutation -- --part scopes`: changes the sources of a part in a copy of the repository, one small change
 * at a time, and runs the tests that cover it; a change that no test notices has survived. Without `--part` all parts
 * are done, which takes hours. What came of it is kept in e2e/proof/results/mutation.json, from where it gets on the
 * board; `--part` with a name of nothing more than `none` writes only that, from the reports of earlier runs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { PARTS } from './mutation/parts.mjs';
import { summarize } from './mutation/summary.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = 'packages/server/src';
const FOLDER = '.cache/mutation';
const RESULTS = 'e2e/proof/results/mutation.json';

const { values } = parseArgs({
  options: {
    part: { type: 'string', multiple: true },
    concurrency: { type: 'string', default: '1' },
    force: { type: 'boolean', default: false },
  },
});

process.chdir(root);
mkdirSync(join(root, FOLDER), { recursive: true });
for (const name of values.part ?? Object.keys(PARTS)) if (name !== 'none') await testPart(name, PARTS[name]);
writeResults();

async function testPart(name, { mutate, tests, isStaticTested }) {
  const file = fileOf(name);
  const incrementalFile = `${file}.incremental.json`;
  forgetStaticMutants(incrementalFile);
  process.env.MUTATION_TESTS = JSON.stringify(tests);
  const stryker = new Stryker({
    mutate: mutate.map((pattern) => `${SOURCES}/${pattern}`),
    testRunner: 'vitest',
    vitest: { configFile: 'tools/mutation/vitest.config.mjs', related: false },
    plugins: ['@stryker-mutator/vitest-runner', join(root, 'tools/mutation/wording.mjs')],
    ignorers: ['wording'],
    coverageAnalysis: 'perTest',
    ignoreStatic: !isStaticTested,
    incremental: true,
    incrementalFile,
    force: values.force,
    concurrency: Number(values.concurrency),
    // Not shorter: on a machine that is busy a mutant that only waits for its turn would count as noticed.
    timeoutMS: 30_000,
    disableTypeChecks: false,
    ignorePatterns: ['/bench', '/screenshots', '/test-results', '/mail-preview', '/data', '/.cache', '/docs'],
    tempDirName: '.cache/stryker',
    reporters: ['json', 'clear-text', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, allowEmojis: false },
    jsonReporter: { fileName: `${file}.json` },
  });
  await stryker.runMutationTest();
  const { stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  writeFileSync(`${file}.commit`, stdout);
}

function fileOf(name) {
  return `${FOLDER}/${name.replaceAll(' ', '-')}`;
}

/** Nobody knows which tests cover them: without this, one that has survived would survive the tests to come as well. */
function forgetStaticMutants(file) {
  if (!existsSync(file)) return;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const one of Object.values(report.files))
    one.mutants = one.mutants.filter((mutant) => !mutant.static && mutant.status !== 'NoCoverage');
  writeFileSync(file, JSON.stringify(report));
}

/** Parts of which there is no report here keep what is told of them. */
function writeResults() {
  const known = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {};
  const results = Object.entries(PARTS).flatMap(([name, { module }]) => {
    const file = fileOf(name);
    if (!existsSync(`${file}.commit`) || !existsSync(`${file}.json`))
      return known[name] === undefined ? [] : [[name, known[name]]];
    const commit = readFileSync(`${file}.commit`, 'utf8').trim();
    return [[name, { module, commit, ...summarize(JSON.parse(readFileSync(`${file}.json`, 'utf8'))) }]];
  });
  writeFileSync(RESULTS, `${JSON.stringify(Object.fromEntries(results), null, 2)}\n`);
}
