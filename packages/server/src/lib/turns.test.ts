import { describe, expect, it } from 'vitest';
import { restAfter } from './turns.ts';

describe('long work', () => {
  it('leaves the process to others for four times as long as it had it', async () => {
    const startedAtMs = performance.now();
    await restAfter(10);
    // A timer may be a millisecond early.
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(39);
  });

  it('ends at once when it shall stop', async () => {
    const stop = new AbortController();
    const isRested = restAfter(Number.MAX_SAFE_INTEGER, stop.signal);
    const startedAtMs = performance.now();
    stop.abort();
    await isRested;
    await restAfter(Number.MAX_SAFE_INTEGER, stop.signal);
    // The longest rest is a second.
    expect(performance.now() - startedAtMs).toBeLessThan(900);
  });
});
