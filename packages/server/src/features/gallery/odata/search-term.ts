import type { SearchWord } from '../package-search.repo.ts';
import { odataErrors } from './odata.errors.ts';

const WORDS_MAX = 30;
const CHARACTERS_MAX = 1_000;

/**
 * Reads the words of a search: `tag:X` is a whole tag, `id:X` and `packageid:X` the whole id, all others are looked
 * for anywhere. A word in double quotes may hold blanks.
 */
export function readSearchTerm(text: string): readonly SearchWord[] {
  if (text.length > CHARACTERS_MAX)
    throw odataErrors.option_invalid({ detail: `searchTerm may have at most ${CHARACTERS_MAX} characters.` });
  const words = (text.match(/(?:[^\s":]+:)?"[^"]*"|\S+/g) ?? []).map(readWord);
  if (words.length > WORDS_MAX)
    throw odataErrors.option_invalid({ detail: `searchTerm may have at most ${WORDS_MAX} words.` });
  return words.filter((word) => word.text !== '');
}

function readWord(text: string): SearchWord {
  const [, field = '', quoted] = /^(?:(tags?|id|packageid):)?(?:"([^"]*)"$)?/i.exec(text) ?? [];
  const value = (quoted ?? text.slice(field === '' ? 0 : field.length + 1)).trim();
  if (field === '') return { kind: 'any', text: value };
  return { kind: field.toLowerCase().startsWith('tag') ? 'tag' : 'id', text: value };
}
