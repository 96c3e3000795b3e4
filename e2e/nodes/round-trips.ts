import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { quantile } from './delays.ts';

export interface RoundTrips {
  /** The median of one question, there and back, in ms. */
  readonly questionMs: number;
  /** The standard deviation of its logarithm. */
  readonly questionSpread: number;
}

const PAUSE_MS = 50;

/** Asks the database a small question again and again until the work is done: what each node's own question takes then. */
export async function sampleRoundTrips(url: string, work: () => Promise<void>): Promise<RoundTrips> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const samplesMs: number[] = [];
  const progress = { isOver: false };
  const sample = async () => {
    while (!progress.isOver) {
      const startedAtMs = performance.now();
      await client.query('select coalesce(sum(epoch), 0) from revocation_epochs');
      samplesMs.push(performance.now() - startedAtMs);
      await delay(PAUSE_MS);
    }
  };
  const sampling = sample();
  try {
    await work();
  } finally {
    progress.isOver = true;
    await sampling;
    await client.end();
  }
  const logarithms = samplesMs.map(Math.log);
  const mean = logarithms.reduce((sum, one) => sum + one, 0) / logarithms.length;
  const variance = logarithms.reduce((sum, one) => sum + (one - mean) ** 2, 0) / logarithms.length;
  const round = (value: number) => Math.round(value * 100) / 100;
  return { questionMs: round(quantile(samplesMs, 0.5)), questionSpread: round(Math.sqrt(variance)) };
}
