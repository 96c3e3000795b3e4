import { describe, expect, it } from 'vitest';
import { formatAllowance, limitsOf, quota, rate } from './key-limits.ts';

describe('limits on the command line', () => {
  it.each([
    ['100/60s', { requests: 100, windowSeconds: 60 }],
    ['100/m', { requests: 100, windowSeconds: 60 }],
    ['5/2h', { requests: 5, windowSeconds: 7_200 }],
    ['5/1d', { requests: 5, windowSeconds: 86_400 }],
  ])('rate %s', (text, expected) => expect(rate(text)).toEqual(expected));

  it.each([
    ['1000', { uses: 1_000 }],
    ['1000/month', { uses: 1_000, refill: { every: 'month' } }],
    ['1000/50/day', { uses: 1_000, refill: { every: 'day', uses: 50 } }],
  ])('quota %s', (text, expected) => expect(quota(text)).toEqual(expected));

  it.each(['', '100', '100/60', '/60s', '100/60 s', '-1/s', '1.5/s', '100/w'])('are no rate: %j', (text) =>
    expect(() => rate(text)).toThrow('REQUESTS/WINDOW'),
  );
  it.each(['', '-1', '10/week', '10/', '10/5', '10/5/5/day'])('are no quota: %j', (text) =>
    expect(() => quota(text)).toThrow('USES/PERIOD'),
  );

  it('are set anew together, lifted together, or left alone', () => {
    expect(limitsOf({}, undefined, 'unlimited')).toBeUndefined();
    expect(limitsOf({ quota: { uses: 5 } }, undefined, 'unlimited')).toEqual({
      rate: null,
      quota: { uses: 5 },
    });
    expect(limitsOf({}, true, 'unlimited')).toBeNull();
    expect(() => limitsOf({ quota: { uses: 5 } }, true, 'unlimited')).toThrow('--unlimited');
  });

  it('are shown with whose they are and what is left', () => {
    expect(
      formatAllowance({
        rates: [{ source: 'account', requests: 100, windowSeconds: 60 }],
        quotas: [
          {
            source: 'key',
            uses: 1_000,
            refill: { every: 'day', uses: 50 },
            remaining: 7,
            refillsAt: '2027-03-03T00:00:00.000Z',
          },
        ],
      }),
    ).toMatch(/^100 requests in 60 s \(account\); 1000 uses, 50 back each day: 7 left, more at 2027-03-03/);
  });
});
