import type { SearchWord } from '../package-search.repo.ts';
import { parseSearchWords } from '../search-words.ts';
import { odataErrors } from './odata.errors.ts';

// PowerShell asks for a module by a tag for each of its commands, editions and types.
const WORDS_MAX = 30;
const CHARACTERS_MAX = 1_000;

/** @throws odata.option_invalid for more words than anybody asks for */
export function readSearchTerm(text: string): readonly SearchWord[] {
  if (text.length > CHARACTERS_MAX)
    throw odataErrors.option_invalid({ detail: `searchTerm may have at most ${CHARACTERS_MAX} characters.` });
  const words = parseSearchWords(text);
  if (words.length > WORDS_MAX)
    throw odataErrors.option_invalid({ detail: `searchTerm may have at most ${WORDS_MAX} words.` });
  return words;
}
