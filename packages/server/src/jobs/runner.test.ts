import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createJobRunner, type Job } from './runner.ts';

const logged: object[] = [];
const logger = { error: (details: object) => void logged.push(details) };

beforeEach(() => {
  logged.length = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function countingJob(name: string, everyMs: number): Job & { count: number } {
  const job = {
    name,
    everyMs,
    count: 0,
    run: () => {
      job.count += 1;
      return Promise.resolve();
    },
  };
  return job;
}

describe('a periodic job', () => {
  it('runs at the start and again after each pause', async () => {
    const job = countingJob('sweep', 1_000);
    const runner = createJobRunner({ logger, jobs: [job] });
    runner.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(job.count).toBe(1);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(job.count).toBe(4);
    await runner.stop();
  });

  it('never overlaps with itself, however long it takes', async () => {
    let running = 0;
    let most = 0;
    const run = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      running -= 1;
    };
    const runner = createJobRunner({ logger, jobs: [{ name: 'slow', everyMs: 10, run }] });
    runner.start();
    runner.start();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(most).toBe(1);
    const stopped = runner.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    await stopped;
  });

  it('is logged when it fails, runs again, and disturbs no other job', async () => {
    const job = countingJob('steady', 1_000);
    const failing: Job = { name: 'failing', everyMs: 1_000, run: () => Promise.reject(new Error('broken')) };
    const throwing: Job = {
      name: 'throwing',
      everyMs: 1_000,
      run: () => {
        throw new Error('broken at once');
      },
    };
    const runner = createJobRunner({ logger, jobs: [failing, throwing, job] });
    runner.start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(job.count).toBe(3);
    expect(logged.filter((details) => Reflect.get(details, 'job') === 'failing')).toHaveLength(3);
    expect(logged.filter((details) => Reflect.get(details, 'job') === 'throwing')).toHaveLength(3);
    await runner.stop();
  });

  it('is told of the stop, waited for, and not started again', async () => {
    const seen: string[] = [];
    const run = async (signal: AbortSignal) => {
      seen.push('start');
      await new Promise((resolve) => setTimeout(resolve, 500));
      seen.push(signal.aborted ? 'told' : 'not told');
    };
    const runner = createJobRunner({ logger, jobs: [{ name: 'long', everyMs: 1, run }] });
    runner.start();
    await vi.advanceTimersByTimeAsync(100);
    let isStopped = false;
    const stopped = runner.stop().then(() => (isStopped = true));
    await vi.advanceTimersByTimeAsync(100);
    expect(isStopped).toBe(false);
    await vi.advanceTimersByTimeAsync(400);
    await stopped;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen).toEqual(['start', 'told']);
  });

  it('does not run at all when the stop comes first', async () => {
    const job = countingJob('sweep', 1_000);
    const runner = createJobRunner({ logger, jobs: [job] });
    runner.start();
    await runner.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(job.count).toBe(0);
  });

  it('needs a name of its own', () => {
    expect(() => createJobRunner({ logger, jobs: [countingJob('a', 1), countingJob('a', 1)] })).toThrow(
      /same name/,
    );
  });
});
