import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const RUN = '.run.json';
const SITTING = '.sitting.json';

/**
 * A folder where the board keeps what each of its runs has told, so that one that was broken off after two hours
 * goes on where it was. What ended badly, or measured something else, is run again.
 *
 * @param {string} folder
 * @param {string} subject what is measured: the commit, and in which form
 * @param {() => number} now milliseconds since 1970
 */
export function openProofFolder(folder, subject, now = Date.now) {
  mkdirSync(folder, { recursive: true });
  const startedAt = now();
  let endedBadly = 0;
  // Each attempt has files of its own: processes of a board that was broken off may still write to theirs.
  const placeOf = (title, kind) =>
    join(folder, `${title.replaceAll(/[^A-Za-z0-9.]+/g, '_')}.${startedAt}.${kind}`);
  const noteSitting = () =>
    write(`${startedAt}${SITTING}`, { subject, seconds: (now() - startedAt) / 1000, endedBadly });
  noteSitting();
  return {
    recordsFile: (title) => placeOf(title, 'jsonl'),
    hasEnded: (title) => findEnded(title) !== undefined,
    /** Notes that a run has ended, with the code 0 or badly. */
    keep(title, code, output) {
      writeFileSync(placeOf(title, 'log'), output);
      if (code !== 0) endedBadly += 1;
      const records = placeOf(title, 'jsonl');
      write(`${title.replaceAll(/[^A-Za-z0-9.]+/g, '_')}.${startedAt}${RUN}`, {
        title,
        subject,
        code,
        startedAt,
        records,
      });
      noteSitting();
    },
    /** What the last attempt has told, well or badly. */
    readRecords(title) {
      const last = listRuns(title).at(-1);
      return last !== undefined && existsSync(last.records) ? readFileSync(last.records, 'utf8') : '';
    },
    /** How often it was begun, how long until the last run of each ended, and how many runs ended badly. */
    tellEffort() {
      const all = readAll(SITTING);
      const sum = (count) => all.reduce((total, one) => total + count(one), 0);
      return {
        sittings: all.length,
        seconds: sum((one) => one.seconds),
        endedBadly: sum((one) => one.endedBadly),
      };
    },
  };

  function findEnded(title) {
    return listRuns(title).findLast(({ code }) => code === 0);
  }

  /** The first one first. */
  function listRuns(title) {
    return readAll(RUN)
      .filter((run) => run.title === title)
      .toSorted((one, other) => one.startedAt - other.startedAt);
  }

  function readAll(ending) {
    return readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
      .filter((one) => one.subject === subject);
  }

  /** Whole or not at all: a board may be broken off at any time. */
  function write(name, value) {
    writeFileSync(join(folder, `${name}.new`), JSON.stringify(value));
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}
