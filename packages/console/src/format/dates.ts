import type { Locale } from './locale.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Clocks of two machines differ a little; what happened "in two seconds" has happened. */
const CLOCK_SKEW_MS = 10 * SECOND_MS;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The time zone in which an instant is shown; without one, that of the person. */
export interface ZoneOptions {
  readonly timeZone?: string | undefined;
}

// Making a formatter costs more than a hundred uses of it, and lists show hundreds of instants.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(language: string, { timeZone }: ZoneOptions): Intl.DateTimeFormat {
  const name = `${language} ${timeZone ?? ''}`;
  const known = formatters.get(name);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat(language, {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
  formatters.set(name, formatter);
  return formatter;
}

interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** `14:05`. */
  readonly time: string;
  /** `31`. */
  readonly second: string;
}

function partOf(ms: number, type: Intl.DateTimeFormatPartTypes, language: string, zone: ZoneOptions): string {
  const parts = formatterOf(language, zone).formatToParts(ms);
  return parts.find((part) => part.type === type)?.value ?? '';
}

function readWall(ms: number, zone: ZoneOptions): WallTime {
  // Asked once for all parts: lists show hundreds of instants.
  const parts = formatterOf('en-US', zone).formatToParts(ms);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  return {
    year: Number(part('year')),
    month: Number(part('month')),
    day: Number(part('day')),
    time: `${part('hour')}:${part('minute')}`,
    second: part('second'),
  };
}

// Which zones have a name that people know depends on the region: London says BST, Tokyo JST, New York EST.
const NAMING: Readonly<Record<Locale, readonly string[]>> = { en: ['en-GB', 'en-US'], ja: ['ja-JP'] };

function zoneName(ms: number, locale: Locale, zone: ZoneOptions): string {
  const names = NAMING[locale].map((language) => partOf(ms, 'timeZoneName', language, zone));
  return names.find((name) => !/\d/.test(name)) ?? names[0] ?? '';
}

/** As the wire writes it (ISO 8601), or in milliseconds since 1970. */
export type Instant = string | number;

function toMs(at: Instant): number {
  return typeof at === 'number' ? at : Date.parse(at);
}

/** The words for an instant; a text that is no instant is shown as it is. */
function withInstant(at: Instant, words: (ms: number) => string): string {
  const ms = toMs(at);
  return Number.isNaN(ms) ? String(at) : words(ms);
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** For tables: `28 Nov 2026`, `2026/11/28`. */
export function formatDate(at: Instant, locale: Locale, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) => {
    const { year, month, day } = readWall(ms, zone);
    return locale === 'ja'
      ? `${year}/${twoDigits(month)}/${twoDigits(day)}`
      : `${day} ${MONTHS[month - 1]} ${year}`;
  });
}

/** For sentences: `28 Nov 2026`, `2026年11月28日`. */
export function formatDateLong(at: Instant, locale: Locale, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) => {
    const { year, month, day } = readWall(ms, zone);
    return locale === 'ja' ? `${year}年${month}月${day}日` : `${day} ${MONTHS[month - 1]} ${year}`;
  });
}

/** A day near the present, without its year: `28 Nov`, `11月28日`. */
export function formatDay(at: Instant, locale: Locale, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) => {
    const { month, day } = readWall(ms, zone);
    return locale === 'ja' ? `${month}月${day}日` : `${day} ${MONTHS[month - 1]}`;
  });
}

/** The exact instant with its zone named: `28 Nov 2026, 14:05 UTC`, `2026年11月28日 23:05 JST`. */
export function formatInstant(at: Instant, locale: Locale, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) => {
    const separator = locale === 'ja' ? ' ' : ', ';
    const { time } = readWall(ms, zone);
    return `${formatDateLong(at, locale, zone)}${separator}${time} ${zoneName(ms, locale, zone)}`;
  });
}

/** The time of day alone, where day and zone are plain: `14:05`, the same in both languages. */
export function formatTime(at: Instant, _locale: Locale, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) => readWall(ms, zone).time);
}

/** To the second, as logs write it: `14:05:31`. */
export function formatClock(at: Instant, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) => {
    const { time, second } = readWall(ms, zone);
    return `${time}:${second}`;
  });
}

/** The zone in which instants are shown, by the name that it has then: `UTC`, `CET`, `JST`. */
export function formatZone(at: Instant, locale: Locale, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) => zoneName(ms, locale, zone));
}

/** Number of the calendar day on which an instant falls, for differences of days. */
function calendarDay(ms: number, zone: ZoneOptions): number {
  const { year, month, day } = readWall(ms, zone);
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/** Whole days until an instant, a begun one counted; negative when it has passed. `now` in milliseconds. */
export function daysLeft(at: Instant, now: number): number {
  // `|| 0` turns the negative zero of an hour ago into zero.
  return Math.ceil((toMs(at) - now) / DAY_MS) || 0;
}

function until(ms: number, locale: Locale): string {
  const minutes = Math.ceil(ms / MINUTE_MS);
  const hours = Math.ceil(ms / HOUR_MS);
  // Days are counted as `daysLeft` does, so that "in 6 days" stands beside "6 days left".
  const days = formatNumber(Math.ceil(ms / DAY_MS), locale);
  if (locale === 'ja')
    return `あと${minutes < 60 ? `${minutes}分` : hours < 24 ? `${hours}時間` : `${days}日`}`;
  if (minutes < 60) return `in ${minutes} min`;
  if (hours < 24) return `in ${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  return `in ${days} ${days === '1' ? 'day' : 'days'}`;
}

function since(ms: number, calendarDays: number, locale: Locale): string {
  const minutes = Math.floor(ms / MINUTE_MS);
  const hours = Math.floor(ms / HOUR_MS);
  const days = formatNumber(calendarDays, locale);
  const isJapanese = locale === 'ja';
  if (minutes < 1) return isJapanese ? 'たった今' : 'just now';
  if (minutes < 60) return isJapanese ? `${minutes}分前` : `${minutes} min ago`;
  // On the day when the clocks go back, 24 hours ago can be today.
  if (hours < 24 || calendarDays < 1)
    return isJapanese ? `${hours}時間前` : `${hours} ${hours === 1 ? 'hour' : 'hours'} ago`;
  if (calendarDays === 1) return isJapanese ? '昨日' : 'yesterday';
  return isJapanese ? `${days}日前` : `${days} days ago`;
}

/**
 * `just now`, `12 min ago`, `3 hours ago`, `yesterday`, `8 days ago`, `in 6 days`. Days that have passed are those
 * of the calendar; what is left is rounded up. `now` in milliseconds.
 */
export function formatRelative(at: Instant, now: number, locale: Locale, zone: ZoneOptions = {}): string {
  return withInstant(at, (ms) =>
    ms - now > CLOCK_SKEW_MS
      ? until(ms - now, locale)
      : since(now - ms, calendarDay(now, zone) - calendarDay(ms, zone), locale),
  );
}

const UNITS = [
  { seconds: 86_400, one: 'day', many: 'days', ja: '日' },
  { seconds: 3_600, one: 'hour', many: 'hours', ja: '時間' },
  { seconds: 60, one: 'minute', many: 'minutes', ja: '分' },
  { seconds: 1, one: 'second', many: 'seconds', ja: '秒' },
] as const;
/** Up to here people count hours: a token lives 24 hours, an old secret works 31 more. */
const DAYS_FROM_SECONDS = 2 * 86_400;

/** The whole length, nothing rounded off but fractions of a second: `1 hour`, `30 minutes`, `1 hour 30 minutes`. */
export function formatDuration(seconds: number, locale: Locale): string {
  let rest = Math.round(seconds);
  const units = rest >= DAYS_FROM_SECONDS ? UNITS : UNITS.slice(1);
  const parts: string[] = [];
  for (const unit of units) {
    const count = Math.floor(rest / unit.seconds);
    rest -= count * unit.seconds;
    if (count === 0 && (unit.seconds > 1 || parts.length > 0)) continue;
    const number = formatNumber(count, locale);
    parts.push(locale === 'ja' ? `${number}${unit.ja}` : `${number} ${count === 1 ? unit.one : unit.many}`);
  }
  return parts.join(locale === 'ja' ? '' : ' ');
}

/** `1 day`, `365 days`, `1日`. */
export function formatDays(days: number, locale: Locale): string {
  const number = formatNumber(days, locale);
  if (locale === 'ja') return `${number}日`;
  return `${number} ${days === 1 ? 'day' : 'days'}`;
}

const numberFormats: Readonly<Record<Locale, Intl.NumberFormat>> = {
  en: new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 }),
  ja: new Intl.NumberFormat('ja-JP', { maximumFractionDigits: 2 }),
};

/** `10,248`, `99.85`. */
export function formatNumber(value: number, locale: Locale): string {
  return numberFormats[locale].format(value);
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Decimal units, as file sizes are sold and shown: `512 B`, `1.5 kB`, `12.4 MB`, `250 MB`. */
export function formatBytes(bytes: number, locale: Locale): string {
  let value = bytes;
  let unit = 0;
  // Judged by what will be shown: 999,960 bytes are 1 MB, not 1,000 kB.
  while (unit < BYTE_UNITS.length - 1 && roundBytes(value) >= 1_000) {
    value /= 1_000;
    unit += 1;
  }
  return `${formatNumber(roundBytes(value), locale)} ${BYTE_UNITS[unit]}`;
}

function roundBytes(value: number): number {
  return value < 100 ? Math.round(value * 10) / 10 : Math.round(value);
}
