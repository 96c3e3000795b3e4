import type { Outcome } from '../harness/contest.ts';
import { median } from '../harness/statistics.ts';
import { CONTESTS } from '../sections/contests.ts';
import type { Cost } from '../sections/scale.ts';
import { busyShareOf, formatKeys, formatMs, formatShare, formatSpread, spreadOfRounds } from './format.ts';
import type { Results } from './results.ts';
import type { Row } from './rows.ts';

/** A table of text: the first line is its head. */
export type Table = readonly (readonly string[])[];

export function rowTable(rows: readonly Row[]): Table {
  const answer = ({ isHeld }: Row) => (isHeld === null ? 'not measured' : isHeld ? 'held' : 'not held');
  return [
    ['what', 'target', 'measured', '', 'conditions'],
    ...rows.map((row) => [row.what, row.target, row.measured ?? '–', answer(row), row.conditions]),
  ];
}

export function gateRemark({ gate }: Outcome): string {
  if (gate === null) return 'decides nothing';
  return gate.hasPassed ? gate.remark : `**not passed**: ${gate.remark}`;
}

export function contestTable(outcomes: readonly Outcome[]): Table {
  return [
    [
      '',
      'requests/s (min to max)',
      'CPU s per 100,000',
      'its core busy',
      'p50 / p99 ms, 32 connections',
      'p50 / p99 ms, one',
    ],
    ...outcomes.map((outcome) => {
      const rate = spreadOfRounds(outcome, (round) => round.requestsPerSecond);
      const cpu = spreadOfRounds(outcome, (round) => round.cpuSecondsPer100k);
      const [p50, p99] = [
        spreadOfRounds(outcome, (round) => round.p50Ms),
        spreadOfRounds(outcome, (round) => round.p99Ms),
      ];
      const alone =
        outcome.alone === null ? '–' : `${formatMs(outcome.alone.p50Ms)} / ${formatMs(outcome.alone.p99Ms)}`;
      return [
        outcome.name,
        formatSpread(rate, formatKeys),
        cpu.median >= 100 ? cpu.median.toFixed(0) : cpu.median.toFixed(1),
        formatShare(busyShareOf(outcome)),
        `${formatMs(p50.median)} / ${formatMs(p99.median)}`,
        alone,
      ];
    }),
  ];
}

/** What stands behind the names of the other tables. */
export function subjectTable(results: Results): Table {
  const outcomes = CONTESTS.flatMap((name) => results.contests[name] ?? []);
  return [
    ['name', 'what', 'data and durability', 'gate'],
    ...outcomes.map((one) => [one.name, one.what, one.durability, gateRemark(one)]),
  ];
}

function costCells({ p50Ms, p99Ms, requestsPerSecond, cpuSecondsPer100k }: Cost): string[] {
  return [
    `${formatMs(median(p50Ms))} / ${formatMs(median(p99Ms))}`,
    formatKeys(requestsPerSecond),
    cpuSecondsPer100k.toFixed(1),
  ];
}

export function scaleTable(results: Results): Table {
  return [
    ['stored keys', 'keys in use', 'p50 / p99 ms, one connection', 'requests/s, 32', 'CPU s per 100,000'],
    ...(results.scale ?? []).flatMap(({ keys, hot, random }) => [
      [formatKeys(keys), '1,000', ...costCells(hot)],
      [formatKeys(keys), 'drawn from all', ...costCells(random)],
    ]),
  ];
}

export function sizeTable(results: Results): Table {
  return [
    [
      'stored keys',
      'on disk',
      'ready after start',
      'memory, idle',
      'after so many verifications',
      'memory then (peak)',
    ],
    ...(results.scale ?? []).map(({ keys, megabytesOnDisk, readyMs, memory }) => [
      formatKeys(keys),
      `${formatKeys(megabytesOnDisk)} MB`,
      `${(median(readyMs) / 1_000).toFixed(2)} s`,
      `${memory.idleMib.toFixed(0)} MiB`,
      formatKeys(memory.verifications),
      `${memory.afterMib.toFixed(0)} MiB (${memory.peakMib.toFixed(0)})`,
    ]),
  ];
}

export function toMarkdown([head = [], ...rows]: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Columns as wide as what is in them. */
export function toText(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
