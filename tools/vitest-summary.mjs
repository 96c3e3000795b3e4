/**
 * A Vitest reporter beside the default one. It closes with `N passed, N failed` and, when TEST_TOTALS_FILE
 * names a file, appends one JSON line per project to it, for tools/test.mjs to add up.
 *
 * A file that could not be loaded and an unhandled error each count as one failure: Vitest counts only tests.
 */
import { appendFileSync } from 'node:fs';
import { closingLine } from './totals.mjs';

export default class TotalsReporter {
  #projects = [];

  onInit(vitest) {
    this.#projects = vitest.projects.map((project) => project.name);
  }

  onTestRunEnd(modules, unhandledErrors) {
    // A project that matched no file is written down too, as the zero that it is.
    const totals = new Map(
      this.#projects.map((name) => [name, { suite: `vitest ${name}`, passed: 0, failed: 0, skipped: 0 }]),
    );
    for (const module of modules) count(module, totals.get(module.project.name));
    const lines = [...totals.values()];
    if (unhandledErrors.length > 0) {
      lines.push({ suite: 'vitest unhandled errors', passed: 0, failed: unhandledErrors.length, skipped: 0 });
    }
    const file = process.env.TEST_TOTALS_FILE;
    if (file) appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    process.stdout.write(`${closingLine(lines)}\n`);
  }
}

function count(module, total) {
  let testsFailed = 0;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') total.passed += 1;
    else if (state === 'failed') testsFailed += 1;
    else total.skipped += 1; // `skipped`, or `pending` when the run was cut short.
  }
  // The file itself failed without a failed test: an import, a hook or a describe threw.
  const ownFailure = module.state() === 'failed' && testsFailed === 0 ? 1 : 0;
  total.failed += testsFailed + ownFailure;
}
