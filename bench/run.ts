/**
 * `npm run bench`: ours beside its peers, and among many keys, in one run. Prints the tables; a whole run that was not
 * shortened also writes docs/performance.md with its pictures, and the figures of docs/operations/sizing.md.
 */
import type { Outcome } from './harness/contest.ts';
import { describeMachine, readCommit, readLoad } from './harness/machine.ts';
import { type Options, readOptions, SECTIONS } from './options.ts';
import type { Results } from './report/results.ts';
import { judge } from './report/rows.ts';
import { storeResults, writeResults } from './report/store.ts';
import {
  contestTable,
  rowTable,
  scaleTable,
  sizeTable,
  subjectTable,
  type Table,
  toText,
} from './report/tables.ts';
import { measureConsole } from './sections/console.ts';
import { CONTESTS, type ContestName, measureContest } from './sections/contests.ts';
import { measureScale } from './sections/scale.ts';
import { installPeers } from './subjects/peer-process.ts';

const MINUTE_MS = 60_000;

async function measure(options: Options): Promise<Results> {
  const { sections, sizes, pace, cache, isQuick } = options;
  const startedAt = performance.now();
  const before = readLoad();
  const contests: Partial<Record<ContestName, readonly Outcome[]>> = {};
  for (const name of CONTESTS.filter((one) => sections.includes(one))) {
    tell(name);
    const outcomes = await measureContest(name, pace);
    contests[name] = outcomes;
    print(name, contestTable(outcomes));
  }
  if (sections.includes('scale')) tell('scale');
  const scale = sections.includes('scale') ? await measureScale(sizes, pace, cache) : null;
  if (sections.includes('console')) tell('console');
  const pages = sections.includes('console') ? await measureConsole() : null;
  return {
    commit: readCommit(),
    measuredAt: new Date().toISOString(),
    minutes: (performance.now() - startedAt) / MINUTE_MS,
    isQuick,
    machine: describeMachine(),
    load: { before, after: readLoad() },
    pace,
    contests,
    scale,
    console: pages,
  };
}

function tell(section: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${section}\n`);
}

function print(title: string, table: Table): void {
  process.stdout.write(`\n${title}\n${toText(table)}\n`);
}

function printAll(results: Results): void {
  const { machine, load, pace } = results;
  if (Object.keys(results.contests).length > 0) print('The names stand for', subjectTable(results));
  if (results.scale !== null) {
    print('Verification among many keys', scaleTable(results));
    print('Size', sizeTable(results));
  }
  print('What was promised', rowTable(judge(results)));
  process.stdout.write(
    `\n${machine.processor}, ${machine.cores} cores, Node.js ${machine.node}, commit ${results.commit}; server on core 0, wrk on core 1; ${pace.rounds} rounds of ${pace.seconds} s; load ${load.before.toFixed(2)} before, ${load.after.toFixed(2)} after; ${results.minutes.toFixed(0)} minutes\n`,
  );
}

const options = readOptions(process.argv.slice(2), process.env);
installPeers();
const results = await measure(options);
printAll(results);
if (options.out !== undefined) storeResults(options.out, results);
const isWhole = SECTIONS.every((section) => options.sections.includes(section));
if (isWhole && !options.isQuick) writeResults(results);
