import { appendFileSync } from 'node:fs';

/** What a test measured for an item of the board, and whether that is enough. */
export interface ProofFigure {
  /** As the item names it in `e2e/proof/items.ts`, such as `acknowledged writes lost`. */
  readonly name: string;
  /** As reached: a number, or words with their unit, such as `p99 212 ms`. */
  readonly reached: number | string;
  /** In the same unit, such as `0` or `at most 2,000 ms`. */
  readonly wanted: string;
  readonly isHeld: boolean;
  /** What somebody needs to come to the same figure: the seed of random choices, the number of rounds. */
  readonly seed?: number | string | undefined;
}

/** The same measurement over something that was broken on purpose. */
export interface ProofControl {
  /** As the item names it: what was broken. */
  readonly name: string;
  /** What the measurement showed, such as `lost 1,872 of 568,926`. */
  readonly shown: string;
  /** True when the measurement failed, as it must: otherwise it proves nothing about what it holds. */
  readonly hasFailed: boolean;
}

/**
 * Tells the board of `npm run proof` what was measured for one of its items; the number is that of
 * `e2e/proof/items.ts`. Call it before the assertion, so that the board shows what was reached when it was too
 * little. Without a board that listens it does nothing.
 */
export function recordFigure(item: number, figure: ProofFigure): void {
  append({ kind: 'figure', item, ...figure });
}

/** Tells the board that a measurement does fail over something broken. */
export function recordControl(item: number, control: ProofControl): void {
  append({ kind: 'control', item, ...control });
}

function append(record: object): void {
  const file = process.env['PROOF_RECORDS_FILE'];
  if (!file) return;
  const on = process.env['TEST_DATABASE'];
  appendFileSync(file, `${JSON.stringify({ ...record, ...(on === undefined ? {} : { on }) })}\n`);
}
