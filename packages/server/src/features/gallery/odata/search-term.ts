import type { SearchWord } from '../package-search.repo.ts';
import { parseSearchWords } from '../search-words.ts';
import { odataErrors } from './odata.errors.ts';

const WORDS_MAX = 30;
const CHARACTERS_MAX = 1_000;

/** The words of a search, as the V3 protocol reads them too. @throws odata.option_invalid for more than is looked for */
export function readSearchTerm(text: string): readonly SearchWord[] {
  if (text.length > CHARACTERS_MAX)
    throw odataErrors.option_invalid({ detail: `searchTerm may have at most ${CHARACTERS_MAX} characters.` });
  const words = parseSearchWords(text);
  if (words.length > WORDS_MAX)
    throw odataErrors.option_invalid({ detail: `searchTerm may have at most ${WORDS_MAX} words.` });
  return words;
}
