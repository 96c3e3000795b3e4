import { setTimeout as delay } from 'node:timers/promises';
import { type RawAnswer, RawCaller } from './raw-caller.ts';

export interface Sampled {
  readonly tookMs: number[];
  /** Answers other than the wanted ones, and connections that broke. */
  readonly failures: string[];
}

const PACE_MS = 2;

/**
 * Asks one after the other over one connection until the work is done: each answer is awaited before the pause to the
 * next question.
 */
export async function sampleDuring(
  port: number,
  requests: readonly Buffer[],
  isGood: (answer: RawAnswer) => boolean,
  work: () => Promise<void>,
): Promise<Sampled> {
  const caller = new RawCaller(port);
  const sampled: Sampled = { tookMs: [], failures: [] };
  const progress = { isOver: false };
  const loop = async () => {
    for (let turn = 0; !progress.isOver; turn += 1) {
      const startedAtMs = performance.now();
      const answer = await caller.ask(requests[turn % requests.length] ?? Buffer.alloc(0)).catch(String);
      sampled.tookMs.push(performance.now() - startedAtMs);
      if (typeof answer === 'string' || !isGood(answer)) sampled.failures.push(JSON.stringify(answer));
      await delay(PACE_MS);
    }
  };
  const looping = loop();
  try {
    await work();
  } finally {
    progress.isOver = true;
    await looping;
    caller.close();
  }
  return sampled;
}

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The delays of the server's event loop since the last time that somebody asked (`monitorEventLoopDelay`). */
export async function readLoopDelay(serverUrl: string): Promise<LoopDelay> {
  const text = await (await fetch(`${serverUrl}/metrics`)).text();
  const read = (name: string) =>
    Math.round(
      Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1]) *
        10_000,
    ) / 10;
  return { p99Ms: read('p99'), maxMs: read('max') };
}
