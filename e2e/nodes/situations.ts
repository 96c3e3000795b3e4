import type { Agent } from 'node:http';
import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { type DelayFigures, summarizeDelays } from './delays.ts';
import { type HammerOptions, type Observation, revokeUnderLoad } from './hammer.ts';
import { recordDelays } from './results.ts';
import { createRevocableMaker, REVOCATION_KINDS, type Revocable } from './revocable.ts';

/** Rule 13 of the domain. */
export const LEASE_MS = 2_000;
export const KINDS = REVOCATION_KINDS.length;

/** More than the period of a poll, so that revocations meet each phase of it. */
const PHASE_MAX_MS = 300;
/** So many are made at the same time: the nodes then wait for each other's hashes less than they hash. */
const MADE_AT_ONCE = 6;

export interface Revoker {
  /** Revokes one credential after the other, of every kind and at every node in turn. */
  revokeMany(count: number, situationAt?: (index: number) => Partial<HammerOptions>): Promise<Observation[]>;
  /** All that was revoked so far. */
  readonly revoked: readonly Revocable[];
}

export async function createRevoker({ admin, urls }: Cluster, agent: Agent): Promise<Revoker> {
  const maker = await createRevocableMaker(admin, agent, urls[0] ?? '');
  const revoked: Revocable[] = [];
  return {
    revoked,
    revokeMany: async (count, situationAt = () => ({})) => {
      const observations: Observation[] = [];
      // All before the first is revoked: a new account raises the epoch as well, and would hide what a hint does.
      const revocables: Revocable[] = [];
      const kinds = Array.from(
        { length: count },
        (_, index) => REVOCATION_KINDS[index % KINDS] ?? 'key deleted',
      );
      for (let first = 0; first < count; first += MADE_AT_ONCE) {
        const group = kinds.slice(first, first + MADE_AT_ONCE);
        revocables.push(...(await Promise.all(group.map((kind) => maker.make(kind)))));
      }
      for (const [index, revocable] of revocables.entries()) {
        const revokingNode = Math.floor(index / KINDS) % urls.length;
        const phaseMs = ((index * 7) % count) * (PHASE_MAX_MS / count);
        const options = { urls, revokingNode, phaseMs, ...situationAt(index) };
        observations.push(...(await revokeUnderLoad(revocable, options)));
      }
      revoked.push(...revocables);
      return observations;
    },
  };
}

/** What is promised in every situation; prints the figures. */
export function expectInTime(situation: string, observations: readonly Observation[]): DelayFigures {
  const figures = summarizeDelays(observations);
  recordDelays(situation, figures);
  expect(figures.revokingWorstMs, 'a request that begins after the 2xx, at the node that gave it').toBe(0);
  expect(figures.worstMs).toBeLessThanOrEqual(LEASE_MS);
  return figures;
}
