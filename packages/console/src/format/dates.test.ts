import { describe, expect, test } from 'vitest';
import {
  daysLeft,
  formatBytes,
  formatClock,
  formatDate,
  formatDateLong,
  formatDay,
  formatDays,
  formatDuration,
  formatInstant,
  formatNumber,
  formatRelative,
  formatTime,
  formatZone,
} from './dates.ts';

const UTC = { timeZone: 'UTC' };
const BERLIN = { timeZone: 'Europe/Berlin' };
const TOKYO = { timeZone: 'Asia/Tokyo' };
const NEW_YORK = { timeZone: 'America/New_York' };

const at = (iso: string): number => Date.parse(iso);

describe('a date', () => {
  test('stands in tables as each language writes it', () => {
    expect(formatDate('2026-11-28T14:05:31.250Z', 'en', UTC)).toBe('28 Nov 2026');
    expect(formatDate('2026-11-28T14:05:31.250Z', 'ja', UTC)).toBe('2026/11/28');
    expect(formatDate('2026-09-03T00:00:00Z', 'en', UTC)).toBe('3 Sep 2026');
    expect(formatDate('2026-09-03T00:00:00Z', 'ja', UTC)).toBe('2026/09/03');
  });

  test('stands in sentences with the signs for year, month and day', () => {
    expect(formatDateLong('2026-11-28T14:05:00Z', 'ja', UTC)).toBe('2026年11月28日');
    expect(formatDateLong('2026-09-03T14:05:00Z', 'ja', UTC)).toBe('2026年9月3日');
    expect(formatDateLong('2026-11-28T14:05:00Z', 'en', UTC)).toBe('28 Nov 2026');
  });

  test('goes without its year on an axis', () => {
    expect(formatDay('2026-12-31T10:00:00Z', 'en', UTC)).toBe('31 Dec');
    expect(formatDay('2026-12-31T10:00:00Z', 'ja', UTC)).toBe('12月31日');
  });

  test('is that of the place where the person is', () => {
    const iso = '2026-12-31T23:30:00Z';
    expect(formatDate(iso, 'en', UTC)).toBe('31 Dec 2026');
    expect(formatDate(iso, 'en', BERLIN)).toBe('1 Jan 2027');
    expect(formatDate(iso, 'ja', TOKYO)).toBe('2027/01/01');
    expect(formatDay(iso, 'en', NEW_YORK)).toBe('31 Dec');
  });

  test('without a zone is that of this machine', () => {
    const iso = '2026-11-28T14:05:00Z';
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    expect(formatInstant(iso, 'en')).toBe(formatInstant(iso, 'en', { timeZone }));
  });

  test('that cannot be read is shown as it came', () => {
    for (const format of [formatDate, formatDateLong, formatDay, formatInstant, formatTime])
      expect(format('soon', 'ja', UTC)).toBe('soon');
    expect(formatRelative('soon', 0, 'en')).toBe('soon');
  });
});

describe('an instant', () => {
  const instant = '2026-11-28T14:05:00Z';

  test.each([
    [UTC, '28 Nov 2026, 14:05 UTC', '2026年11月28日 14:05 UTC'],
    [TOKYO, '28 Nov 2026, 23:05 GMT+9', '2026年11月28日 23:05 JST'],
    [BERLIN, '28 Nov 2026, 15:05 CET', '2026年11月28日 15:05 GMT+1'],
    [NEW_YORK, '28 Nov 2026, 09:05 EST', '2026年11月28日 09:05 GMT-5'],
    [{ timeZone: 'Asia/Kolkata' }, '28 Nov 2026, 19:35 GMT+5:30', '2026年11月28日 19:35 GMT+5:30'],
  ])('names its zone: %o', (zone, en, ja) => {
    expect(formatInstant(instant, 'en', zone)).toBe(en);
    expect(formatInstant(instant, 'ja', zone)).toBe(ja);
  });

  test('follows summer time', () => {
    expect(formatInstant('2026-07-01T12:00:00Z', 'en', BERLIN)).toBe('1 Jul 2026, 14:00 CEST');
    expect(formatInstant('2026-10-25T00:30:00Z', 'en', BERLIN)).toBe('25 Oct 2026, 02:30 CEST');
    expect(formatInstant('2026-10-25T01:30:00Z', 'en', BERLIN)).toBe('25 Oct 2026, 02:30 CET');
    expect(formatInstant('2026-03-29T00:59:00Z', 'en', BERLIN)).toBe('29 Mar 2026, 01:59 CET');
    expect(formatInstant('2026-03-29T01:00:00Z', 'en', BERLIN)).toBe('29 Mar 2026, 03:00 CEST');
  });

  test('of today needs its time only', () => {
    expect(formatTime(instant, 'en', TOKYO)).toBe('23:05');
    expect(formatTime(at(instant), 'ja', UTC)).toBe('14:05');
  });

  test('stands in logs to the second, and its zone is named once for all', () => {
    const summer = '2026-07-28T14:05:31.999Z';
    expect(formatClock(summer, TOKYO)).toBe('23:05:31');
    expect(formatClock(at(summer), UTC)).toBe('14:05:31');
    expect(formatZone(summer, 'ja', TOKYO)).toBe('JST');
    expect(formatZone(summer, 'en', BERLIN)).toBe('CEST');
    expect(formatClock('never', UTC)).toBe('never');
  });

  test('at midnight is 00:00 of the new day', () => {
    expect(formatInstant('2026-11-28T00:00:00Z', 'en', UTC)).toBe('28 Nov 2026, 00:00 UTC');
    expect(formatInstant('2026-11-27T15:00:00Z', 'ja', TOKYO)).toBe('2026年11月28日 00:00 JST');
  });
});

describe('how long ago something was', () => {
  const now = at('2026-11-22T14:05:00Z');

  test.each([
    ['2026-11-22T14:05:09Z', 'just now', 'たった今'],
    ['2026-11-22T14:05:00Z', 'just now', 'たった今'],
    ['2026-11-22T14:04:01Z', 'just now', 'たった今'],
    ['2026-11-22T14:04:00Z', '1 min ago', '1分前'],
    ['2026-11-22T13:53:00Z', '12 min ago', '12分前'],
    ['2026-11-22T13:05:01Z', '59 min ago', '59分前'],
    ['2026-11-22T13:05:00Z', '1 hour ago', '1時間前'],
    ['2026-11-22T11:05:00Z', '3 hours ago', '3時間前'],
    ['2026-11-21T14:05:01Z', '23 hours ago', '23時間前'],
    ['2026-11-21T14:05:00Z', 'yesterday', '昨日'],
    ['2026-11-21T00:00:00Z', 'yesterday', '昨日'],
    ['2026-11-20T23:59:59Z', '2 days ago', '2日前'],
    ['2026-11-14T09:00:00Z', '8 days ago', '8日前'],
    ['2023-02-01T09:00:00Z', '1,390 days ago', '1,390日前'],
  ])('%s', (iso, en, ja) => {
    expect(formatRelative(iso, now, 'en', UTC)).toBe(en);
    expect(formatRelative(iso, now, 'ja', UTC)).toBe(ja);
  });

  test('counts the days of the calendar where the person is', () => {
    const iso = '2026-11-20T22:30:00Z';
    expect(formatRelative(iso, at('2026-11-22T00:30:00Z'), 'en', UTC)).toBe('2 days ago');
    // In Berlin it was Friday 23:30, in Tokyo Saturday 07:30; it is Sunday in both.
    expect(formatRelative(iso, at('2026-11-22T00:30:00Z'), 'en', BERLIN)).toBe('2 days ago');
    expect(formatRelative(iso, at('2026-11-22T00:30:00Z'), 'en', TOKYO)).toBe('yesterday');
  });

  test('never says that something of today was yesterday, even on the day of 25 hours', () => {
    // 00:10 and 23:50 of 25 October 2026 in Berlin, 24 hours and 40 minutes apart.
    expect(formatRelative('2026-10-24T22:10:00Z', at('2026-10-25T22:50:00Z'), 'en', BERLIN)).toBe(
      '24 hours ago',
    );
    expect(formatRelative('2026-10-24T21:50:00Z', at('2026-10-25T22:50:00Z'), 'ja', BERLIN)).toBe('昨日');
  });

  test('on the day of 23 hours counts hours until there are 24', () => {
    expect(formatRelative('2026-03-28T22:30:00Z', at('2026-03-29T21:40:00Z'), 'en', BERLIN)).toBe(
      '23 hours ago',
    );
  });
});

describe('how long something still lasts', () => {
  const now = at('2026-11-22T14:05:00Z');

  test.each([
    ['2026-11-22T14:05:30Z', 'in 1 min', 'あと1分', 1],
    ['2026-11-22T14:17:00Z', 'in 12 min', 'あと12分', 1],
    ['2026-11-22T15:04:30Z', 'in 1 hour', 'あと1時間', 1],
    ['2026-11-22T17:05:00Z', 'in 3 hours', 'あと3時間', 1],
    ['2026-11-23T13:30:00Z', 'in 1 day', 'あと1日', 1],
    ['2026-11-23T14:05:00Z', 'in 1 day', 'あと1日', 1],
    ['2026-11-23T14:05:01Z', 'in 2 days', 'あと2日', 2],
    ['2026-11-28T09:12:00Z', 'in 6 days', 'あと6日', 6],
    ['2027-11-22T14:05:00Z', 'in 365 days', 'あと365日', 365],
  ])('%s: the words and the days left agree', (iso, en, ja, days) => {
    expect(formatRelative(iso, now, 'en', UTC)).toBe(en);
    expect(formatRelative(iso, now, 'ja', UTC)).toBe(ja);
    expect(daysLeft(iso, now)).toBe(days);
  });

  test.each([
    ['2026-11-22T14:05:00Z', 0],
    ['2026-11-22T13:05:00Z', 0],
    ['2026-11-21T14:05:00Z', -1],
    ['2026-11-20T02:05:00Z', -2],
  ])('%s has passed: %i days are left, and zero has no sign', (iso, days) => {
    expect(Object.is(daysLeft(iso, now), days)).toBe(true);
  });
});

describe('a length of time', () => {
  test.each([
    [3_600, '1 hour', '1時間'],
    [1_800, '30 minutes', '30分'],
    [5_400, '1 hour 30 minutes', '1時間30分'],
    [60, '1 minute', '1分'],
    [45, '45 seconds', '45秒'],
    [3_601, '1 hour 1 second', '1時間1秒'],
    [86_400, '24 hours', '24時間'],
    [31 * 3_600, '31 hours', '31時間'],
    [48 * 3_600, '2 days', '2日'],
    [49 * 3_600, '2 days 1 hour', '2日1時間'],
    [168 * 3_600, '7 days', '7日'],
    [0, '0 seconds', '0秒'],
    [59.6, '1 minute', '1分'],
  ])('%d seconds', (seconds, en, ja) => {
    expect(formatDuration(seconds, 'en')).toBe(en);
    expect(formatDuration(seconds, 'ja')).toBe(ja);
  });

  test('in days has a singular in English', () => {
    expect(formatDays(1, 'en')).toBe('1 day');
    expect(formatDays(365, 'en')).toBe('365 days');
    expect(formatDays(3_650, 'en')).toBe('3,650 days');
    expect(formatDays(1, 'ja')).toBe('1日');
    expect(formatDays(3_650, 'ja')).toBe('3,650日');
  });
});

describe('a number', () => {
  test('has groups of three digits', () => {
    expect(formatNumber(10_248, 'en')).toBe('10,248');
    expect(formatNumber(13_402_118, 'ja')).toBe('13,402,118');
    expect(formatNumber(99.85, 'en')).toBe('99.85');
  });

  test.each([
    [0, '0 B'],
    [512, '512 B'],
    [999, '999 B'],
    [1_000, '1 kB'],
    [1_536, '1.5 kB'],
    [12_440_000, '12.4 MB'],
    [250_000_000, '250 MB'],
    [999_960, '1 MB'],
    [3_200_000_000, '3.2 GB'],
    [5e15, '5,000 TB'],
  ])('of %d bytes is short', (bytes, text) => {
    expect(formatBytes(bytes, 'en')).toBe(text);
    expect(formatBytes(bytes, 'ja')).toBe(text);
  });
});
