import type { Observation } from './hammer.ts';

export interface DelayFigures {
  readonly revocations: number;
  /** Of the other nodes, one figure per node and revocation, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** Of the node that answered the revocation. */
  readonly revokingWorstMs: number;
}

/** @param share 0.5 for the median */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function summarizeDelays(observations: readonly Observation[]): DelayFigures {
  const others = observations.filter(({ isRevoking }) => !isRevoking).map(({ delayMs }) => delayMs);
  const revoking = observations.filter(({ isRevoking }) => isRevoking).map(({ delayMs }) => delayMs);
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    // As many as one node has seen: of a single node, it may have answered none of them itself.
    revocations: observations.filter(({ node }) => node === observations[0]?.node).length,
    p50Ms: round(quantile(others, 0.5)),
    p99Ms: round(quantile(others, 0.99)),
    worstMs: round(Math.max(...others)),
    revokingWorstMs: round(Math.max(0, ...revoking)),
  };
}
