import type { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { recordFigure } from '../../packages/testkit/src/proof.ts';
import type { Cluster } from './cluster.ts';
import { type DelayFigures, summarizeDelays } from './delays.ts';
import { findRevived, type HammerOptions, type Observation, revokeUnderLoad } from './hammer.ts';
import type { PostgresServer } from './postgres.ts';
import { recordDelays } from './results.ts';
import { createRevocableMaker, REVOCATION_KINDS, type Revocable } from './revocable.ts';
import { openAgent, send } from './wire.ts';

/** Rule 13 of the domain. */
export const LEASE_MS = 2_000;
export const KINDS = REVOCATION_KINDS.length;

/** More than the period of a poll, so that revocations meet each phase of it. */
const PHASE_MAX_MS = 300;
/** So many are made at the same time: the nodes then wait for each other's hashes less than they hash. */
const MADE_AT_ONCE = 6;

export interface Revoker {
  /** A credential that is good, and was not revoked. */
  make(kind: Revocable['kind']): Promise<Revocable>;
  /** Revokes one credential after the other, of every kind and at every node in turn. */
  revokeMany(count: number, situationAt?: (index: number) => Partial<HammerOptions>): Promise<Observation[]>;
  /** All that was revoked so far. */
  readonly revoked: readonly Revocable[];
}

export async function createRevoker({ admin, urls }: Cluster, agent: Agent): Promise<Revoker> {
  const maker = await createRevocableMaker(admin, agent, urls[0] ?? '');
  const revoked: Revocable[] = [];
  return {
    make: (kind) => maker.make(kind),
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

/**
 * The same for the board: no answer "valid" to a question that was asked later than the lease after the 2xx.
 *
 * @param stopped of nodes that gave no answer before the lease was over, and were asked since the 2xx: any "valid" of
 * theirs is late, whenever it was asked for
 */
export function proveInTime(
  situation: string,
  observations: readonly Observation[],
  stopped: readonly Observation[] = [],
): DelayFigures {
  const isLate = (one: Observation) => one.delayMs > (stopped.includes(one) ? 0 : LEASE_MS);
  const late = observations.filter(isLate).length;
  const { worstMs, revocations } = summarizeDelays(observations);
  recordFigure(16, {
    name: `stale answers past the lease: ${situation}`,
    reached: `${late} (${revocations} revocations, the latest after ${worstMs} ms)`,
    wanted: '0 after 2,000 ms',
    isHeld: late === 0,
  });
  return expectInTime(situation, observations);
}

/**
 * The negative control of all of this: no change moves the revocation epoch any more, so that nothing but notifications,
 * which prove nothing, tells the other nodes. A key is revoked while one of them stands still, for longer than the lease.
 *
 * @returns the nodes that take the key after that, of all but the first, which has revoked it
 */
export async function findStaleWithoutEpochs(
  { nodes, urls }: Cluster,
  { database, revoker, pausedNode }: { database: PostgresServer; revoker: Revoker; pausedNode: number },
): Promise<readonly number[]> {
  const revocable = await revoker.make('key disabled');
  const agent = openAgent(urls.length);
  const askAll = () => findRevived(urls, [revocable]);
  await database.query(
    `create function keep_epoch() returns trigger language plpgsql as $$
       begin new.epoch := case tg_op when 'UPDATE' then old.epoch else 0 end; return new; end $$`,
  );
  await database.query(
    'create trigger keep_epoch before insert or update on revocation_epochs for each row execute function keep_epoch()',
  );
  try {
    // All of them have it in memory.
    for (let asked = 0; asked < 3; asked += 1) await askAll();
    nodes[pausedNode]?.signal('SIGSTOP');
    const { status } = await send(agent, urls[0] ?? '', revocable.revocation);
    await delay(LEASE_MS + 100);
    nodes[pausedNode]?.signal('SIGCONT');
    if (status !== 200) throw new Error(`The revocation was answered with ${status}.`);
    const taken = await askAll();
    return [...urls.keys()].slice(1).filter((node) => taken.some((line) => line.endsWith(`node ${node}`)));
  } finally {
    agent.destroy();
    await database.query('drop trigger keep_epoch on revocation_epochs');
    await database.query('update revocation_epochs set epoch = epoch + 1');
  }
}
