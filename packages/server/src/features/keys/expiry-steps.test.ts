import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { findDueStep, listExpirySteps, type ToldStep } from './expiry-steps.ts';

const START = Date.UTC(2027, 0, 1);
const lifeOf = (days: number) => ({ startedAt: START, expiresAt: START + days * DAY_MS });

describe('the steps before an expiry', () => {
  it.each([
    [365, [10], [10, 0]],
    [365, [1, 30, 10], [30, 10, 1, 0]],
    [15, [30, 10], [10, 0]],
    [10, [10], [5, 0]],
    [1, [10], [0.5, 0]],
    [1, [30, 1], [0.5, 0]],
    [90, [], [0]],
  ])('of a key for %d days, at %j days, are %j', (days, noticeDays, expected) => {
    expect(listExpirySteps(lifeOf(days), noticeDays).map((aheadMs) => aheadMs / DAY_MS)).toEqual(expected);
  });
});

describe('what is told now', () => {
  const life = lifeOf(365);
  const at = (days: number) => START + days * DAY_MS;
  const told = (days: number): ToldStep => ({ expiresAt: life.expiresAt, aheadMs: days * DAY_MS });

  it('is each step once, to the millisecond', () => {
    expect(findDueStep(life, [10], null, at(355) - 1)).toBeNull();
    expect(findDueStep(life, [10], null, at(355))).toBe(10 * DAY_MS);
    expect(findDueStep(life, [10], told(10), at(364))).toBeNull();
    expect(findDueStep(life, [10], told(10), at(365))).toBe(0);
    expect(findDueStep(life, [10], told(0), at(400))).toBeNull();
  });

  it('is the last step that has come, after a time in which nobody looked', () => {
    expect(findDueStep(life, [30, 10, 1], null, at(364.5))).toBe(DAY_MS);
    expect(findDueStep(life, [30, 10, 1], told(30), at(380))).toBe(0);
  });

  it('is nothing anew when the clock goes back, or days are added that lie behind', () => {
    expect(findDueStep(life, [10], told(10), at(355) - HOUR_MS)).toBeNull();
    expect(findDueStep(life, [20, 10], told(10), at(356))).toBeNull();
  });

  it('is told anew of a new expiry', () => {
    const renewed = { startedAt: at(360), expiresAt: at(725) };
    expect(findDueStep(renewed, [10], told(0), at(715))).toBe(10 * DAY_MS);
  });

  it('is each step at most once on any walk of the clock, and each step that the walk stops at', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 730 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 365 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: -40, max: 120 }), { minLength: 1, maxLength: 60 }),
        (days, noticeDays, jumps) => {
          const walked = lifeOf(days);
          let now = START;
          let last: ToldStep | null = null;
          const seen: number[] = [];
          for (const jump of jumps) {
            now += jump * DAY_MS;
            const step = findDueStep(walked, noticeDays, last, now);
            if (step === null) continue;
            expect(walked.expiresAt - step).toBeLessThanOrEqual(now);
            seen.push(step);
            last = { expiresAt: walked.expiresAt, aheadMs: step };
          }
          expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => b - a));
          if (now >= walked.expiresAt) expect(seen.at(-1)).toBe(0);
        },
      ),
    );
  });
});
