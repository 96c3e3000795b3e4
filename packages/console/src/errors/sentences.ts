import type { Locale } from '../format/locale.ts';

type Wording = string | ((...groups: readonly string[]) => string);

/**
 * A sentence that the server says, and how the console says it. `$1` stands for the first group; English that is
 * null is shown as it was sent.
 */
export type SentenceRule = readonly [pattern: RegExp, en: Wording | null, ja: Wording];

function fillIn(wording: Wording, groups: readonly string[]): string {
  if (typeof wording === 'function') return wording(...groups);
  return wording.replaceAll(/\$(\d)/g, (_, digit: string) => groups[Number(digit) - 1] ?? '');
}

/** A whole sentence. Ids and other words of machines keep their spelling. */
export function asSentence(text: string): string {
  const sentence = /^[a-z]+[ ,]/.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
  return /[.!?。]$/.test(sentence) || sentence === '' ? sentence : `${sentence}.`;
}

/** The sentence in the words of the console, or null when no rule knows it. */
export function reword(rules: readonly SentenceRule[], text: string, locale: Locale): string | null {
  for (const [pattern, en, ja] of rules) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const wording = locale === 'ja' ? ja : en;
    return wording === null ? asSentence(text) : fillIn(wording, match.slice(1));
  }
  return null;
}
