import { median } from '../harness/statistics.ts';
import { CONTESTS, type ContestName } from '../sections/contests.ts';
import { drawBars, drawLines } from './chart.ts';
import { formatKeys, spreadOfRounds } from './format.ts';
import type { Results } from './results.ts';
import { judge } from './rows.ts';
import { contestTable, rowTable, scaleTable, sizeTable, subjectTable, toMarkdown } from './tables.ts';

/** Where the pages and pictures lie, relative to the repository. */
export const PAGES = {
  performance: 'docs/performance.md',
  cost: 'docs/images/performance-cost.svg',
  rates: 'docs/images/performance-rates.svg',
} as const;

const TITLES: Readonly<Record<ContestName, string>> = {
  authorize: 'A key in a header, for gateways',
  verify: 'A key in a question, for services',
  tokens: 'A key for a token',
  introspection: 'A question about a token',
};

/** The picture of what a verification costs among more and more keys. */
export function drawCost(results: Results): string {
  const scale = results.scale ?? [];
  return drawLines(
    'Time of one verification among so many keys',
    'ms',
    scale.map(({ keys }) => `${formatKeys(keys)} keys`),
    [
      { name: '1,000 in use, p50', values: scale.map(({ hot }) => median(hot.p50Ms)) },
      { name: '1,000 in use, p99', values: scale.map(({ hot }) => median(hot.p99Ms)) },
      { name: 'any key, p50', values: scale.map(({ random }) => median(random.p50Ms)) },
      { name: 'any key, p99', values: scale.map(({ random }) => median(random.p99Ms)) },
    ],
  );
}

/** The picture of ours beside the others. */
export function drawRates(results: Results): string {
  const outcomes = CONTESTS.flatMap((name) => results.contests[name] ?? []);
  const bars = outcomes
    .map((outcome) => ({
      name: outcome.name,
      value: spreadOfRounds(outcome, (round) => round.requestsPerSecond).median,
      isOurs: outcome.name.startsWith('Keyreeve'),
    }))
    .toSorted((a, b) => b.value - a.value);
  return drawBars(
    'Requests a second on one core',
    bars.map((bar) => ({ ...bar, label: formatKeys(bar.value) })),
  );
}

function describeRun({ machine, load, pace, commit, measuredAt, minutes, isQuick }: Results): string {
  const lines = [
    `Measured on ${measuredAt.slice(0, 10)} at commit ${commit} by \`npm run bench\`, in ${minutes.toFixed(0)} minutes and one run:`,
    '',
    `- ${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}`,
    `- Node.js ${machine.node}, SQLite ${machine.sqlite}, wrk ${machine.wrk}`,
    `- load of the machine over the minute before: ${load.before.toFixed(2)}, at the end: ${load.after.toFixed(2)}`,
    `- each server on core 0 and alone under load, wrk with one thread on core 1, over loopback, without TLS`,
    `- ${pace.rounds} rounds of ${pace.seconds} s, each round beginning with another; figures are medians, ranges are the least and the most`,
  ];
  if (isQuick)
    lines.push(
      '',
      '**This was a shortened run: it shows that the bench works, and its figures are no measure.**',
    );
  return lines.join('\n');
}

/** `docs/performance.md`. */
export function renderPerformance(results: Results): string {
  const contests = CONTESTS.flatMap((name) => {
    const outcomes = results.contests[name];
    return outcomes === undefined ? [] : [`### ${TITLES[name]}`, '', toMarkdown(contestTable(outcomes)), ''];
  });
  return [
    '<!-- Written by `npm run bench` from bench/results/latest.json; changes by hand are lost. -->',
    '# Performance',
    '',
    describeRun(results),
    '',
    '## What was promised',
    '',
    toMarkdown(rowTable(judge(results))),
    '',
    '## Beside others',
    '',
    '![Requests a second on one core](images/performance-rates.svg)',
    '',
    ...contests,
    'The names stand for:',
    '',
    toMarkdown(subjectTable(results)),
    '',
    'Before a number of a server counts, it has to take a live credential and to refuse a wrong secret and one that',
    'was revoked a moment ago; ours ends the bench when it does not. Each load goes through 1,000 credentials in turn',
    '(Glewlwyd: 20). better-auth has no route for a verification, so the wrapper around it is ours, and its rate limit',
    'is off, which makes it faster. All peers are pinned in `bench/peers/package-lock.json`; Glewlwyd is the one of',
    'the Debian release. A core that is not nearly all busy says that its server waited: for the client, or for the disk.',
    '',
    '## Among many keys',
    '',
    '![Time of one verification among so many keys](images/performance-cost.svg)',
    '',
    '`POST /v1/keys/verify` without an action, its caller authenticated too; SQLite WAL, synchronous=FULL. Keys drawn',
    'from all are asked about once, so that nothing about them is in memory yet (of 1,000 keys, again and again).',
    'The servers had been started just before: each looks for keys that are about to expire meanwhile, which takes a',
    'fifth of a processor for some minutes where there are millions.',
    '',
    toMarkdown(scaleTable(results)),
    '',
    toMarkdown(sizeTable(results)),
    '',
    'Memory is what is resident of the one process, which was asked about all keys, whatever their state, or about',
    'a million of them. The size on disk is that of freshly written tables with their indexes, uses and counters.',
    '',
    '## Run it',
    '',
    '<!-- not executed here: takes half an hour and a machine of its own -->',
    '```sh',
    'npm run bench                                  # all of it, 1,000,000 keys at most',
    'npm run bench -- --keys 10000000               # with ten million as well; the first time takes much longer',
    'npm run bench -- --quick                       # shows that the bench works, and writes nothing',
    'npm run bench -- --sections verify,tokens      # only these; writes nothing',
    'BENCH_DATA_DIR=/var/tmp npm run bench     # keeps the folders with the keys for the next run',
    '```',
    '',
    'It needs Linux with two cores, and installs `wrk`, Glewlwyd and Chromium on Debian when they are missing. What it',
    'measured is in `bench/results/latest.json`, and this page is written from nothing else.',
    '',
  ].join('\n');
}
