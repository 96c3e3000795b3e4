/**
 * `npm run test:mutation -- --module scopes`: changes the sources of a module in a copy of the repository, one small
 * change at a time, and runs the tests that cover it; a change that no test notices has survived. Without `--module`
 * all modules are done.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { MODULES } from './mutation/modules.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = 'packages/server/src';
const FOLDER = '.cache/mutation';

const { values } = parseArgs({
  options: {
    module: { type: 'string', multiple: true },
    concurrency: { type: 'string', default: '1' },
    force: { type: 'boolean', default: false },
  },
});

process.chdir(root);
mkdirSync(join(root, FOLDER), { recursive: true });
for (const name of values.module ?? Object.keys(MODULES)) await testModule(name, MODULES[name]);

async function testModule(name, { mutate, tests, isStaticTested }) {
  const slug = name.replaceAll(' ', '-');
  const incrementalFile = `${FOLDER}/${slug}.incremental.json`;
  forgetStaticMutants(incrementalFile);
  process.env.MUTATION_TESTS = JSON.stringify(tests);
  const stryker = new Stryker({
    mutate: mutate.map((file) => `${SOURCES}/${file}`),
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
    timeoutMS: 20_000,
    disableTypeChecks: false,
    ignorePatterns: ['/bench', '/screenshots', '/test-results', '/mail-preview', '/data', '/.cache', '/docs'],
    tempDirName: '.cache/stryker',
    reporters: ['json', 'clear-text', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, allowEmojis: false },
    jsonReporter: { fileName: `${FOLDER}/${slug}.json` },
    allowEmpty: false,
  });
  await stryker.runMutationTest();
}

/** Nobody knows which tests cover them: without this, one that has survived would survive the tests to come as well. */
function forgetStaticMutants(file) {
  if (!existsSync(file)) return;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const one of Object.values(report.files)) one.mutants = one.mutants.filter((mutant) => !mutant.static);
  writeFileSync(file, JSON.stringify(report));
}
