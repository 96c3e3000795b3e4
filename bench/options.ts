import { parseArgs } from 'node:util';
import type { Pace } from './harness/contest.ts';
import { CONTESTS } from './sections/contests.ts';

export const SECTIONS = [...CONTESTS, 'scale', 'console'] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface Options {
  readonly sections: readonly SectionName[];
  readonly sizes: readonly number[];
  readonly pace: Pace;
  readonly isQuick: boolean;
  /** Where data folders stay for the next run. */
  readonly cache: string | undefined;
  /** A file that takes the results of any run. */
  readonly out: string | undefined;
}

const FULL: Pace = { rounds: 5, seconds: 4, warmUpSeconds: 2 };
const QUICK: Pace = { rounds: 2, seconds: 1, warmUpSeconds: 1 };
const FEW_KEYS = 1_000;
const MANY_KEYS = 1_000_000;
const MANY_KEYS_QUICK = 20_000;

/** @throws Error naming the option that cannot be read */
export function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      sections: { type: 'string', default: SECTIONS.join(',') },
      keys: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const base = values.quick ? QUICK : FULL;
  const sizes = new Set([FEW_KEYS, values.quick ? MANY_KEYS_QUICK : MANY_KEYS]);
  if (values.keys !== undefined) sizes.add(readCount('--keys', values.keys));
  return {
    sections: values.sections.split(',').map(readSection),
    sizes: [...sizes].toSorted((a, b) => a - b),
    pace: values.rounds === undefined ? base : { ...base, rounds: readCount('--rounds', values.rounds) },
    isQuick: values.quick,
    cache: environment['BENCH_DATA_DIR'],
    out: values.out,
  };
}

function readCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`${option} takes a whole number, not "${text}".`);
  return count;
}

function readSection(name: string): SectionName {
  const section = SECTIONS.find((one) => one === name);
  if (section === undefined) throw new Error(`--sections takes ${SECTIONS.join(', ')}, not "${name}".`);
  return section;
}
