/** The closing line that every suite ends with, written and read in one place. */

/** @typedef {{ suite?: string, passed: number, failed: number, skipped: number }} Totals */

/** @param {Totals[]} list */
export function closingLine(list) {
  const sum = (key) => list.reduce((total, each) => total + each[key], 0);
  const skipped = sum('skipped');
  return `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * @param {string} output What a suite printed.
 * @returns {Totals | undefined} The last closing line in it, or undefined when there is none.
 */
export function readClosingLine(output) {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\r?$/gm)].at(-1);
  if (found === undefined) return undefined;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}
