import { expect, test } from 'vitest';
import { findLimitsFaults, limitsDraftOf, NO_LIMITS, toLimits } from './limits-draft.ts';

test('limits come out of the form as they went in', () => {
  const limits = {
    rate: { requests: 100, windowSeconds: 90 },
    quota: { uses: 1_000, refill: { every: 'month', uses: 50 } },
  } as const;
  expect(toLimits(limitsDraftOf(limits))).toEqual(limits);
  expect(toLimits(limitsDraftOf({ rate: null, quota: { uses: 5, refill: null } }))).toEqual({
    rate: null,
    quota: { uses: 5, refill: null },
  });
  expect(toLimits(limitsDraftOf(null))).toBeNull();
});

test('what is no whole number within its bounds is told; what does not count is not looked at', () => {
  expect(findLimitsFaults({ ...NO_LIMITS, requests: '1e3', uses: '-1' })).toEqual(
    new Map([
      ['requests', 1_000_000],
      ['uses', 1_000_000_000],
    ]),
  );
  expect(findLimitsFaults({ ...NO_LIMITS, uses: '10', refill: 'day', refillUses: '11' })).toEqual(
    new Map([['refillUses', 10]]),
  );
  expect(findLimitsFaults({ ...NO_LIMITS, uses: '10', refillUses: 'x' }).size).toBe(0);
  expect(findLimitsFaults(NO_LIMITS).size).toBe(0);
});
