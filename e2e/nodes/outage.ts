import { setTimeout as delay } from 'node:timers/promises';
import { openAgent, send } from './wire.ts';

/** One answer of a node about a good key. */
export interface Sample {
  readonly node: number;
  readonly startedAtMs: number;
  readonly status: number;
  /** What the answer says of itself; null when it is as true as a read of the database, or none. */
  readonly ageMs: number | null;
}

const PACE_MS = 10;

/** Asks every node about the key, until the work is done. */
export async function sampleDuring(
  urls: readonly string[],
  fullKey: string,
  work: () => Promise<void>,
): Promise<Sample[]> {
  const agent = openAgent(Number.POSITIVE_INFINITY);
  const headers = { authorization: `Bearer ${fullKey}` };
  const samples: Sample[] = [];
  const progress = { isOver: false };
  const ask = async (url: string, node: number) => {
    while (!progress.isOver) {
      const {
        status,
        startedAtMs,
        headers: said,
      } = await send(agent, url, {
        method: 'GET',
        path: '/v1/authorize',
        headers,
      });
      const age = /^lease;age-ms=(\d+)$/.exec(String(said['x-keyreeve-freshness']))?.[1];
      samples.push({ node, startedAtMs, status, ageMs: age === undefined ? null : Number(age) });
      await delay(PACE_MS);
    }
  };
  const loops = urls.map(ask);
  try {
    await work();
  } finally {
    progress.isOver = true;
    await Promise.all(loops);
    agent.destroy();
  }
  return samples;
}
