import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { findPause, KNOWN_ADDRESS_MS, PAUSE_RULES, toBucket, WINDOW_RULES } from './throttle.rules.ts';

const NOW = 1_900_000_000_000;

function pauseAfter(failures: number, sinceMs = 0): number {
  return findPause(PAUSE_RULES.pair, { failures, lastFailureAt: NOW - sinceMs }, NOW);
}

describe('the pause after failures', () => {
  it('begins after the fifth and doubles up to a quarter of an hour', () => {
    expect([0, 1, 4, 5, 6, 7, 14, 15, 1_000].map((failures) => pauseAfter(failures) / 1_000)).toEqual([
      0, 0, 0, 1, 2, 4, 512, 900, 900,
    ]);
  });

  it('ends to the millisecond', () => {
    expect(pauseAfter(7, 3_999)).toBe(1);
    expect(pauseAfter(7, 4_000)).toBe(0);
  });

  it('is forgotten after a quiet day', () => {
    expect(pauseAfter(1_000, 15 * MINUTE_MS)).toBe(0);
    expect(
      findPause(
        { ...PAUSE_RULES.pair, pauseMaxMs: 10 * DAY_MS },
        { failures: 100, lastFailureAt: NOW - DAY_MS },
        NOW,
      ),
    ).toBe(0);
  });

  it('of a login as a whole never keeps its owner waiting longer than a minute', () => {
    expect(findPause(PAUSE_RULES.login, { failures: 1_000_000, lastFailureAt: NOW }, NOW)).toBe(MINUTE_MS);
  });
});

describe('docs/operations/guessing.md', () => {
  const page = readFileSync(new URL('../../../../../docs/operations/guessing.md', import.meta.url), 'utf8');
  it.each([
    ['one account from one address', PAUSE_RULES.pair],
    ['one account from anywhere', PAUSE_RULES.login],
    ['one address, whichever account', PAUSE_RULES.address],
    ['the setup code from one address', PAUSE_RULES.setup],
  ])('tells the rule of %s', (name, { free, pauseMaxMs, forgetMs }) => {
    const [minutes, hours] = [pauseMaxMs / MINUTE_MS, forgetMs / HOUR_MS];
    const told = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`;
    expect(page).toContain(`| ${name} | ${free} | ${told(minutes, 'minute')} | ${told(hours, 'hour')} |`);
  });

  it('tells the windows of mails and how long an address is known', () => {
    const { mail, mailAddress } = WINDOW_RULES;
    expect([mail.windowMs, mailAddress.windowMs]).toEqual([HOUR_MS, HOUR_MS]);
    expect(page).toContain(
      `${mail.limit} an hour to one mailbox, ${mailAddress.limit} an hour from one address`,
    );
    expect(page).toContain(`during the last ${KNOWN_ADDRESS_MS / DAY_MS} days`);
  });
});

describe('a bucket', () => {
  it('has a name that tells neither login nor address and has one length', () => {
    const name = toBucket('pair', 'wsp_1', 'a password typed into the wrong field', '203.0.113.7');
    expect(name).toMatch(/^pair:[0-9a-f]{64}$/);
    expect(toBucket('pair', 'ab', 'c')).not.toBe(toBucket('pair', 'a', 'bc'));
  });
});
