import type { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Probe, Revocable, RevocationKind } from './revocable.ts';
import { type Answer, openAgent, send } from './wire.ts';

/** What one node made of a revocation. */
export interface Observation {
  readonly kind: RevocationKind;
  readonly node: number;
  /** The node that answered the revocation. */
  readonly isRevoking: boolean;
  /**
   * How long after the 2xx of the revocation the last request began that was still answered "valid", in ms; 0 when none
   * that began later was.
   */
  readonly delayMs: number;
  /** Answers "valid" before the 2xx: without them a refusal afterwards would prove nothing. */
  readonly validBefore: number;
}

/** What is seen of one probe at one node. */
interface Sight {
  readonly node: number;
  lastValidStartMs: number;
  validCount: number;
  refusedSinceValid: number;
}

export interface HammerOptions {
  /** The addresses of all nodes; the revocation goes to `revokingNode`. */
  readonly urls: readonly string[];
  readonly revokingNode: number;
  /** So long it goes on after every node knows the credential, so that the revocation meets any phase of their polls. */
  readonly phaseMs?: number;
  /** What happens to the machines, from the 2xx on. */
  readonly afterAck?: () => Promise<void>;
  /** What happens right before the revocation, when every node has the credential in its memory. */
  readonly beforeRevocation?: () => void;
  /** A node that stands still by then: it is asked anew after the 2xx. */
  readonly pausedNode?: number;
}

const PACE_MS = 1;
const REFUSALS_IN_A_ROW = 3;
const VALID_FIRST = 3;
const WARM_TIMEOUT_MS = 15_000;
const REFUSE_TIMEOUT_MS = 30_000;
const POLL_MS = 2;

/**
 * Asks every node about a credential without a pause, revokes it at one of them, and goes on until every node refuses.
 * All instants are of one monotonic clock: that of this process.
 *
 * @throws Error when a node does not know the credential, or never refuses it
 */
export async function revokeUnderLoad(revocable: Revocable, options: HammerOptions): Promise<Observation[]> {
  const { urls, revokingNode, phaseMs = 0, afterAck, beforeRevocation, pausedNode } = options;
  const agent = openAgent(Number.POSITIVE_INFINITY);
  const sights: Sight[] = [];
  const loops: Promise<void>[] = [];
  let isOver = false;
  const begin = (node: number) => {
    for (const probe of revocable.probes) {
      const sight = { node, lastValidStartMs: 0, validCount: 0, refusedSinceValid: 0 };
      sights.push(sight);
      loops.push(ask(agent, urls[node] ?? '', probe, sight, () => isOver));
    }
  };
  try {
    for (const node of urls.keys()) begin(node);
    const isKnown = () => sights.every(({ validCount }) => validCount >= VALID_FIRST);
    await waitFor(
      isKnown,
      WARM_TIMEOUT_MS,
      () => `valid at every node: ${describeSights(revocable, sights)}`,
    );
    await delay(phaseMs);
    beforeRevocation?.();
    const ack = await send(agent, urls[revokingNode] ?? '', revocable.revocation);
    if (ack.status < 200 || ack.status > 299)
      throw new Error(`"${revocable.kind}" was answered ${ack.status}: ${ack.body}`);
    const validBefore = new Map(sights.map((sight) => [sight, sight.validCount]));
    // Only now: every request to the node that stands still begins after the revocation.
    if (pausedNode !== undefined) begin(pausedNode);
    await afterAck?.();
    const isRefused = () => sights.every(({ refusedSinceValid }) => refusedSinceValid >= REFUSALS_IN_A_ROW);
    await waitFor(
      isRefused,
      REFUSE_TIMEOUT_MS,
      () => `refused at every node: ${describeSights(revocable, sights)}`,
    );
    return urls.map((_, node) => {
      const own = sights.filter((sight) => sight.node === node);
      const lastMs = Math.max(...own.map(({ lastValidStartMs }) => lastValidStartMs));
      return {
        kind: revocable.kind,
        node,
        isRevoking: node === revokingNode,
        delayMs: Math.max(0, lastMs - ack.answeredAtMs),
        validBefore: own.reduce((sum, sight) => sum + (validBefore.get(sight) ?? 0), 0),
      };
    });
  } finally {
    isOver = true;
    agent.destroy();
    await Promise.all(loops);
  }
}

/** One caller: the next request goes out when the answer to the last one has come. */
async function ask(
  agent: Agent,
  url: string,
  probe: Probe,
  sight: Sight,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const answer = await sendOrNull(agent, url, probe);
    const verdict = answer === null ? null : probe.judge(answer);
    if (answer !== null && verdict === true) {
      sight.lastValidStartMs = Math.max(sight.lastValidStartMs, answer.startedAtMs);
      sight.validCount += 1;
      sight.refusedSinceValid = 0;
    } else if (verdict === false) sight.refusedSinceValid += 1;
    await delay(PACE_MS);
  }
}

/** Null when the node is not there, or was left alone in the middle at the end: both are no answer. */
async function sendOrNull(agent: Agent, url: string, probe: Probe): Promise<Answer | null> {
  try {
    return await send(agent, url, probe.call);
  } catch {
    return null;
  }
}

/** Whether any node still takes one of the credentials: what was refused once must never come back. */
export async function findRevived(
  urls: readonly string[],
  revocables: readonly Revocable[],
): Promise<string[]> {
  const agent = openAgent(4);
  const found: string[] = [];
  for (const { kind, probes } of revocables) {
    for (const [node, url] of urls.entries()) {
      const answers = await Promise.all(
        probes.map(async (probe) => probe.judge(await send(agent, url, probe.call))),
      );
      if (answers.some((verdict) => verdict !== false)) found.push(`${kind} at node ${node}`);
    }
  }
  agent.destroy();
  return found;
}

async function waitFor(isSo: () => boolean, timeoutMs: number, what: () => string): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`After ${timeoutMs} ms not ${what()}.`);
    await delay(POLL_MS);
  }
}

function describeSights({ kind }: Revocable, sights: readonly Sight[]): string {
  const seen = sights.map(
    ({ node, validCount, refusedSinceValid }) => `${node}:${validCount}/${refusedSinceValid}`,
  );
  return `"${kind}", node:valid/refused ${seen.join(' ')}`;
}
