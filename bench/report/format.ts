import type { Outcome, Round } from '../harness/contest.ts';
import { type Spread, spreadOf } from '../harness/statistics.ts';

/** 1000000 as 1,000,000. */
export function formatKeys(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** As many digits as mean something. */
export function formatMs(ms: number): string {
  if (ms >= 100) return ms.toFixed(0);
  return ms >= 1 ? ms.toFixed(1) : ms.toFixed(3);
}

export function spreadOfRounds({ rounds }: Outcome, read: (round: Round) => number): Spread {
  return spreadOf(rounds.map(read));
}

export function formatSpread({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)} to ${format(max)})`;
}

/** How much of its core the server took while it was measured. */
export function busyShareOf(outcome: Outcome): number {
  return spreadOfRounds(outcome, (round) => (round.cpuSecondsPer100k * round.requestsPerSecond) / 100_000)
    .median;
}

export function formatShare(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
