import type { KeyLimits } from '@keyreeve/sdk';
import { describeCode } from '../../errors/describe-error.ts';
import { formatBytes, formatDays, formatDuration, formatInstant, formatNumber } from '../../format/dates.ts';
import type { Locale } from '../../format/locale.ts';

/** One field of an event's detail; `isMono` for what machines write. */
export interface DetailValue {
  readonly text: string;
  readonly isMono: boolean;
}

/** A field that was changed, or one that only says something. */
export interface DetailField {
  readonly name: string;
  readonly from: DetailValue | null;
  readonly to: DetailValue;
}

interface Words {
  readonly en: string;
  readonly ja: string;
}

const YES: Words = { en: 'yes', ja: 'はい' };
const NO: Words = { en: 'no', ja: 'いいえ' };
const NONE: Words = { en: 'none', ja: 'なし' };
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const HOUR_SECONDS = 3_600;

/** Values that have words of their own, by field and text. */
const VALUE_WORDS: Readonly<Record<string, Words | undefined>> = {
  'access:"account"': { en: 'All rights of this account', ja: 'このアカウントの全権限' },
  'access:"scoped"': { en: 'Scoped', ja: 'スコープ付き' },
  'access:"full"': { en: 'Full access', ja: 'フルアクセス' },
  'because:"account deleted"': { en: 'the account was deleted', ja: 'アカウントの削除' },
  'defaultLocale:"en"': { en: 'English', ja: 'English' },
  'defaultLocale:"ja"': { en: '日本語', ja: '日本語' },
  'isActive:false': { en: 'Disabled', ja: '停止中' },
  'isActive:true': { en: 'Active', ja: '有効' },
  'keyMail:"link"': { en: 'One-time link', ja: 'ワンタイムリンク' },
  'keyMail:"value"': {
    en: 'API key and secret key in the mail',
    ja: 'APIキーとシークレットキーをメールに記載',
  },
  'locale:"en"': { en: 'English', ja: 'English' },
  'locale:"ja"': { en: '日本語', ja: '日本語' },
  'outcome:"done"': { en: 'Successful', ja: '成功' },
  'outcome:"refused"': { en: 'Refused', ja: '拒否' },
  'role:"admin"': { en: 'Administrator', ja: '管理者' },
  'role:"member"': { en: 'Member', ja: 'メンバー' },
};

const MONO_FIELDS: readonly string[] = [
  'action',
  'algorithm',
  'keyId',
  'route',
  'sha512',
  'signingAlgorithm',
  'successor',
];

interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

function isPermission(value: unknown): value is Permission {
  return (
    typeof value === 'object' &&
    value !== null &&
    'actions' in value &&
    Array.isArray(value.actions) &&
    'resources' in value &&
    Array.isArray(value.resources)
  );
}

function isLimits(value: unknown): value is KeyLimits {
  return typeof value === 'object' && value !== null && 'rate' in value && 'quota' in value;
}

const REFILL_WORDS = {
  never: { en: 'in all', ja: '合計' },
  hour: { en: 'every hour', ja: '1時間' },
  day: { en: 'every day', ja: '1日' },
  month: { en: 'every month', ja: '1か月' },
} as const;

function wordLimits({ rate, quota }: KeyLimits, locale: Locale): string {
  const texts: string[] = [];
  if (rate !== null) {
    const [count, window] = [formatNumber(rate.requests, locale), formatDuration(rate.windowSeconds, locale)];
    texts.push(locale === 'ja' ? `${window}に${count}リクエスト` : `${count} requests within ${window}`);
  }
  if (quota !== null) {
    const count = formatNumber(quota.uses, locale);
    const word = REFILL_WORDS[quota.refill?.every ?? 'never'][locale];
    texts.push(locale === 'ja' ? `${word}${count}回` : `${count} uses ${word}`);
    if (quota.refill?.uses != null) {
      const back = formatNumber(quota.refill.uses, locale);
      texts.push(locale === 'ja' ? `${back}回ずつ回復` : `${back} come back each time`);
    }
  }
  return texts.join(locale === 'ja' ? '、' : ', ');
}

const plain = (text: string): DetailValue => ({ text, isMono: false });
const mono = (text: string): DetailValue => ({ text, isMono: true });

function wordNumber(name: string, value: number, locale: Locale): string {
  if (name.endsWith('At')) return formatInstant(value, locale);
  if (name.endsWith('Bytes')) return formatBytes(value, locale);
  if (name.endsWith('Seconds')) return formatDuration(value, locale);
  if (name.endsWith('Hours')) return formatDuration(value * HOUR_SECONDS, locale);
  if (name.endsWith('Days')) return formatDays(value, locale);
  return formatNumber(value, locale);
}

function wordList(name: string, list: readonly unknown[], locale: Locale, nameOf: NameOf): DetailValue {
  if (list.length === 0) return plain(NONE[locale]);
  if (list.every(isPermission)) {
    const lines = list.map(({ actions, resources }) => `${actions.join(', ')}: ${resources.join(', ')}`);
    return mono(lines.join('\n'));
  }
  const words = list.map((each) => wordValue(name, each, locale, nameOf));
  return { text: words.map(({ text }) => text).join(', '), isMono: words.every(({ isMono }) => isMono) };
}

/** The name of an account, when the page knows it. */
export type NameOf = (id: string) => string | null;

/** A value in words: lengths with their unit, instants with their zone, rights one a line; the rest as it is. */
export function wordValue(name: string, value: unknown, locale: Locale, nameOf: NameOf): DetailValue {
  if (value === null || value === '') return plain(NONE[locale]);
  const words = typeof value === 'object' ? undefined : VALUE_WORDS[`${name}:${JSON.stringify(value)}`];
  if (words !== undefined) return plain(words[locale]);
  if (typeof value === 'boolean') return plain((value ? YES : NO)[locale]);
  if (typeof value === 'number') return plain(wordNumber(name, value, locale));
  if (Array.isArray(value)) return wordList(name, value, locale, nameOf);
  if (isLimits(value)) return plain(wordLimits(value, locale));
  if (typeof value !== 'string') return mono(JSON.stringify(value));
  if (name === 'code') return plain(describeCode(value, locale) ?? value);
  if (INSTANT.test(value)) return plain(formatInstant(value, locale));
  return { text: nameOf(value) ?? value, isMono: MONO_FIELDS.includes(name) };
}

function isChange(value: unknown): value is { readonly from: unknown; readonly to: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'from' in value &&
    'to' in value &&
    Object.keys(value).length === 2
  );
}

/** The detail of an event, field by field, in the order in which it was written. */
export function readDetail(
  detail: Readonly<Record<string, unknown>>,
  locale: Locale,
  nameOf: NameOf,
): readonly DetailField[] {
  return Object.entries(detail).map(([name, value]) => {
    const word = (each: unknown) => wordValue(name, each, locale, nameOf);
    return isChange(value)
      ? { name, from: word(value.from), to: word(value.to) }
      : { name, from: null, to: word(value) };
  });
}
