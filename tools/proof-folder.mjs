import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A folder where the board keeps what each of its runs has told, so that one that was broken off after two hours
 * goes on where it was. What ended badly, or measured something else, is run again.
 *
 * @typedef {{ title: string, subject: string, code: number | string, sitting: string, secondsSinceStart: number }} EndedRun
 */

/**
 * @param {string} folder
 * @param {string} subject what is measured: the commit, and in which form
 */
export function openProofFolder(folder, subject) {
  mkdirSync(folder, { recursive: true });
  const sitting = new Date().toISOString();
  const begun = performance.now();
  const placeOf = (title, kind) => join(folder, `${title.replaceAll(/[^A-Za-z0-9.]+/g, '_')}.${kind}`);
  return {
    /** Forgets what an attempt that was broken off has told. */
    recordsFile(title) {
      rmSync(placeOf(title, 'jsonl'), { force: true });
      return placeOf(title, 'jsonl');
    },
    hasEnded: (title) => readEnded(title)?.code === 0,
    keep(title, code, output) {
      const secondsSinceStart = (performance.now() - begun) / 1000;
      writeFileSync(placeOf(title, 'log'), output);
      writeFileSync(
        placeOf(title, 'json'),
        JSON.stringify({ title, subject, code, sitting, secondsSinceStart }),
      );
    },
    readRecords: (title) =>
      existsSync(placeOf(title, 'jsonl')) ? readFileSync(placeOf(title, 'jsonl'), 'utf8') : '',
    /** How often it was begun, and how long it took in all. */
    countSittings(titles) {
      const ended = titles.flatMap((title) => readEnded(title) ?? []);
      const longest = Map.groupBy(ended, (run) => run.sitting);
      const seconds = [...longest.values()].map((runs) =>
        Math.max(...runs.map((run) => run.secondsSinceStart)),
      );
      return { sittings: longest.size, seconds: seconds.reduce((sum, one) => sum + one, 0) };
    },
  };

  /** @returns {EndedRun | null} */
  function readEnded(title) {
    if (!existsSync(placeOf(title, 'json'))) return null;
    const ended = JSON.parse(readFileSync(placeOf(title, 'json'), 'utf8'));
    return ended.subject === subject ? ended : null;
  }
}
