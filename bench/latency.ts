import { Agent, get } from 'node:http';

export interface Latency {
  readonly requests: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

const CONNECTIONS = 8;

export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

async function fetchOnce(agent: Agent, url: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.on('end', () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`${url} answered ${String(response.statusCode)}`)),
      );
      response.on('error', reject);
      response.resume();
    }).on('error', reject);
  });
}

/** Milliseconds from a request to the last byte of its answer, over 8 connections that never pause. */
export async function measureLatency(url: (turn: number) => string, requests: number): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  let turn = 0;
  const work = async (): Promise<void> => {
    while (turn < requests) {
      const address = url(turn);
      turn += 1;
      const startedAt = performance.now();
      await fetchOnce(agent, address);
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  agent.destroy();
  const sorted = times.toSorted((a, b) => a - b);
  return {
    requests: sorted.length,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    max: sorted.at(-1) ?? Number.NaN,
  };
}
