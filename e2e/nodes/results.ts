import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { DelayFigures } from './delays.ts';

/** Where the whole form leaves its figures, for the simulation that is compared with them; nothing otherwise. */
const file = process.env['NODES_RESULTS'];

/** Prints the figures of one situation, and keeps them where a file is named for that. */
export function recordDelays(situation: string, figures: DelayFigures): void {
  console.log(
    `${situation}: ${figures.revocations} revocations; other nodes p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, ` +
      `worst ${figures.worstMs} ms; the revoking node ${figures.revokingWorstMs} ms`,
  );
  if (file === undefined) return;
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  writeFileSync(file, `${JSON.stringify({ ...known, [situation]: figures }, null, 2)}\n`);
}
