import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { DelayFigures } from './delays.ts';

/** Where the figures are left for the simulation that is compared with them; nowhere when it is not set. */
const file = process.env['NODES_RESULTS'];

/** Keeps figures beside those that are there already. */
export function record(figures: object): void {
  if (file === undefined) return;
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  writeFileSync(file, `${JSON.stringify({ ...known, ...figures }, null, 2)}\n`);
}

/** Prints the figures of one situation, and keeps them. */
export function recordDelays(situation: string, figures: DelayFigures): void {
  console.log(
    `${situation}: ${figures.revocations} revocations; other nodes p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, ` +
      `worst ${figures.worstMs} ms; the revoking node ${figures.revokingWorstMs} ms`,
  );
  record({ [situation]: figures });
}
