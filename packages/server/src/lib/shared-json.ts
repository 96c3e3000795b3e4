// Of each kind. Larger texts, and whatever comes when there are more, are parsed each time.
const TEXTS_MAX = 2_000;
const CHARACTERS_MAX = 1_000;

const values = new Map<string, unknown>();
const words = new Map<string, string>();

/**
 * As `JSON.parse`, for texts that many rows have in common: all of them get the one value, so nobody can change it.
 *
 * @throws SyntaxError as `JSON.parse`
 */
export function parseSharedJson(text: string): unknown {
  const known = values.get(text);
  if (known !== undefined) return known;
  const value = freezeWhole(JSON.parse(text));
  if (text.length <= CHARACTERS_MAX) keep(values, text, value);
  return value;
}

/** The same text, of which there is one in memory however many rows have it: ids of what rows belong to, kinds. */
export function shareText(text: string): string {
  const known = words.get(text);
  if (known !== undefined) return known;
  if (text.length <= CHARACTERS_MAX) keep(words, text, text);
  return text;
}

/** Beyond its bound it begins anew: what is in use comes back with its next row. */
function keep<Value>(map: Map<string, Value>, text: string, value: Value): void {
  if (map.size >= TEXTS_MAX) map.clear();
  map.set(text, value);
}

function freezeWhole(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) freezeWhole(part);
  return Object.freeze(value);
}
