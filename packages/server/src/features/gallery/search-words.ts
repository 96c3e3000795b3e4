import type { SearchWord } from './package-search.repo.ts';

/** More words than a person types; each is looked for on its own. */
export const SEARCH_WORDS_MAX = 16;

const FIELDS = new Map<string, SearchWord['kind']>([
  ['id', 'id'],
  ['packageid', 'id'],
  ['tag', 'tag'],
  ['tags', 'tag'],
]);
// A word, with an optional field before it; text with blanks stands in quotes.
const WORD = /(?:([A-Za-z]+):)?(?:"([^"]*)"?|([^\s"]+))/g;

/**
 * The words of a search text as people type it and clients send it: `azure tag:PSModule id:Acme.Tools "two words"`.
 * A field that we do not know is part of its word.
 */
export function parseSearchWords(text: string): SearchWord[] {
  return [...text.matchAll(WORD)].flatMap(([whole, field, quoted, bare]) => {
    const kind = FIELDS.get(field?.toLowerCase() ?? '');
    const value = (quoted ?? bare ?? '').trim();
    if (kind !== undefined) return value === '' ? [] : [{ kind, text: value }];
    const own = field === undefined ? value : whole.replaceAll('"', '').trim();
    return own === '' ? [] : [{ kind: 'any' as const, text: own }];
  });
}
