export type Locale = 'en' | 'ja';

const HEADER_CHARACTERS_MAX = 1_000;

/** The better of our languages for an `Accept-Language` header (RFC 9110 12.5.4); English when it wants neither. */
export function preferredLocale(header: string | undefined): Locale {
  const weights: Record<Locale, number> = { en: 0, ja: 0 };
  const ranges = (header ?? '').slice(0, HEADER_CHARACTERS_MAX).split(',');
  for (const [index, range] of ranges.entries()) {
    const match = /^\s*(en|ja)(?:-[a-z0-9-]+)?\s*(?:;\s*q=(\d(?:\.\d{1,3})?)\s*)?$/i.exec(range);
    if (match?.[1] === undefined) continue;
    const locale = match[1].toLowerCase() === 'ja' ? 'ja' : 'en';
    // Of two with the same weight the first one counts more.
    const weight = Number(match[2] ?? '1') - index / 10_000;
    weights[locale] = Math.max(weights[locale], weight);
  }
  return weights.ja > weights.en ? 'ja' : 'en';
}
