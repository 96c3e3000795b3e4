import { describe, expect, it } from 'vitest';
import { untilNextStop } from './next-stop.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const HOUR_MS = 3_600_000;
const key = (status: 'active' | 'expiring' | 'expired' | 'disabled', inHours: number | null) => ({
  status,
  expiresAt: inHours === null ? null : new Date(NOW + inHours * HOUR_MS).toISOString(),
});

describe('the time until a key stops', () => {
  it('is that of the first one that works, a moment later', () => {
    const keys = [key('active', 48), key('expiring', 2), key('expired', -1), key('disabled', 1)];
    expect(untilNextStop(keys, NOW)).toBe(2 * HOUR_MS + 1_000);
  });

  it('is short while the server still calls a key working that should have stopped', () =>
    expect(untilNextStop([key('expiring', -1), key('active', 48)], NOW)).toBe(30_000));

  it.each([
    ['there are no keys', []],
    ['none works', [key('expired', -1), key('disabled', 1)]],
    ['none ever stops', [key('active', null)]],
    ['it is longer than any timer', [key('active', 24 * 365)]],
  ])('is not waited for when %s', (_, keys) => expect(untilNextStop(keys, NOW)).toBe(false));
});
