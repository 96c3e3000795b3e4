/**
 * A Playwright reporter beside the list. It closes with `N passed, N failed` and, when TEST_TOTALS_FILE names
 * a file, appends its totals to it as one JSON line, for tools/test.mjs to add up.
 *
 * A file that could not be loaded, a failed global set-up and an error outside any test each count as one
 * failure. A test that passed only at its second try counts as passed, and is named: it waits to be mended.
 */
import { appendFileSync } from 'node:fs';
import { closingLine } from './totals.mjs';

export default class TotalsReporter {
  #suite;
  #errors = 0;

  onBegin(_config, suite) {
    this.#suite = suite;
  }

  onError() {
    this.#errors += 1;
  }

  onEnd({ status }) {
    const totals = { suite: 'console', passed: 0, failed: this.#errors, skipped: 0 };
    for (const test of this.#suite?.allTests() ?? []) {
      const outcome = test.outcome();
      if (outcome === 'flaky')
        process.stdout.write(`passed only at its second try: ${test.titlePath().slice(1).join(' › ')}\n`);
      if (outcome === 'expected' || outcome === 'flaky') totals.passed += 1;
      else if (outcome === 'skipped')
        totals.skipped += 1; // Or never begun, when the run was cut short.
      else totals.failed += 1;
    }
    // Cut short by a signal or by the deadline of the run: whatever has passed so far is not the whole.
    if (status !== 'passed' && totals.failed === 0) totals.failed = 1;
    const file = process.env.TEST_TOTALS_FILE;
    if (file) appendFileSync(file, `${JSON.stringify(totals)}\n`);
    process.stdout.write(`${closingLine([totals])}\n`);
  }

  /** The list is what a person reads; without this Playwright would add a reporter of its own choice. */
  printsToStdio() {
    return false;
  }
}
