/**
 * Characters that draw nothing by themselves but change what is drawn, or are drawn as nothing: controls, soft
 * hyphen, zero-width space, direction marks, fillers, tags, halves of characters. The joiners U+200C and U+200D and
 * the variation selectors stay: Persian, Indic and Japanese names and emoji need them.
 */
const INVISIBLE =
  /(?![\u200c\u200d\p{Variation_Selector}])[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\ufff9-\ufffb]/gu;

/** Text that shows what it is: nothing invisible in it, one blank between words, none around. */
export function stripInvisible(text: string): string {
  // A line break or a tab stood between words, so a blank takes its place.
  return text.replace(/\s/g, ' ').replace(INVISIBLE, '').replace(/ {2,}/g, ' ').trim();
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export function splitGraphemes(text: string): readonly string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

const NAME_CHARACTERS_MAX = 256;
const WORD_BREAK = /[\s\-_./·・]+/u;
const LETTER_OR_DIGIT = /^[\p{L}\p{N}]/u;
// Scripts in which one character says as much as a word's first letter elsewhere.
const EAST_ASIAN = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const JOINING = /\p{Script=Arabic}$/u;
const ZERO_WIDTH_NON_JOINER = '\u200c';

function toUpper(letter: string): string {
  const upper = letter.toUpperCase();
  // "ß" would become two letters.
  return splitGraphemes(upper).length === 1 ? upper : letter;
}

/**
 * At most two characters that stand for a name: `MT` for Mio Tachibana, `田中` for 田中太郎, `橘` for 橘 美緒. A name
 * without letters is stood for by its first character, an emoji for instance; an empty one by `?`.
 */
export function initialsOf(name: string): string {
  const shown = stripInvisible(name.slice(0, NAME_CHARACTERS_MAX));
  const words = shown
    .split(WORD_BREAK)
    .map((word) => splitGraphemes(word).filter((grapheme) => LETTER_OR_DIGIT.test(grapheme)))
    .filter((letters) => letters.length > 0);
  const first = words[0];
  const last = words.at(-1);
  if (first === undefined || last === undefined) return splitGraphemes(shown)[0] ?? '?';
  if (EAST_ASIAN.test(first[0] ?? '')) return first.slice(0, 2).join('');
  const letters = [first[0] ?? '', ...(words.length > 1 ? [last[0] ?? ''] : [])].map(toUpper);
  // Joined, two Arabic letters would read as a word.
  return letters.join(JOINING.test(letters[0] ?? '') ? ZERO_WIDTH_NON_JOINER : '');
}
