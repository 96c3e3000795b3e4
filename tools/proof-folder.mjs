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
  const nameOf = (title, ending) => `${title.replaceAll(/[^A-Za-z0-9.]+/g, '_')}.${startedAt}${ending}`;
  const recordsFile = (title) => join(folder, nameOf(title, '.jsonl'));
  const noteSitting = () =>
    write(`${startedAt}${SITTING}`, { subject, seconds: (now() - startedAt) / 1000, endedBadly });
  noteSitting();
  return {
    recordsFile,
    hasEnded: (title) => listRuns(title).some(({ code }) => code === 0),
    /** Notes that a run has ended, with the code 0 or badly. */
    keep(title, code, output) {
      writeFileSync(join(folder, nameOf(title, '.log')), output);
      if (code !== 0) endedBadly += 1;
      write(nameOf(title, RUN), { title, subject, code, startedAt, records: recordsFile(title) });
      noteSitting();
    },
    /** What the last attempt has told, well or badly. */
    readRecords(title) {
      const last = listRuns(title).at(-1);
      return last !== undefined && existsSync(last.records) ? readFileSync(last.records, 'utf8') : '';
    },
    /** How often it was begun, the seconds until the last run of each ended, and how many runs ended badly. */
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
