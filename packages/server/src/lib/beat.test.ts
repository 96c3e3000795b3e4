import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { onTheBeat } from './beat.ts';

const BEAT_MS = 20;

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work().catch(() => {});
  // A timer may fire within the millisecond before.
  return performance.now() - startedAt + 1;
}

describe('work on the beat', () => {
  it('is answered at the next beat, and refused at it too', async () => {
    expect(await onTheBeat(BEAT_MS, async () => 'x')).toBe('x');
    expect(await timeOf(() => onTheBeat(BEAT_MS, async () => 'x'))).toBeGreaterThanOrEqual(BEAT_MS);
    const refused = () => Promise.reject(new Error('no'));
    await expect(onTheBeat(BEAT_MS, refused)).rejects.toThrow('no');
    expect(await timeOf(() => onTheBeat(BEAT_MS, refused))).toBeGreaterThanOrEqual(BEAT_MS);
  });

  it('that takes longer is answered at a later beat', async () => {
    const longer = () => onTheBeat(BEAT_MS, () => delay(BEAT_MS * 1.5));
    expect(await timeOf(longer)).toBeGreaterThanOrEqual(2 * BEAT_MS);
  });

  it('is answered at once when there is nothing to hide', async () => {
    expect(
      await timeOf(() =>
        onTheBeat(
          60_000,
          async () => 'x',
          (found) => found !== 'x',
        ),
      ),
    ).toBeLessThan(30_000);
  });
});
