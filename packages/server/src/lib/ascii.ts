/**
 * Lower-cases A to Z and nothing else.
 *
 * The one lower-casing for package ids and versions: `toLowerCase()` folds U+212A (KELVIN SIGN) to "k" and U+0130
 * to two characters, so two different texts could meet in one key. This mapping never does.
 */
export function asciiLower(text: string): string {
  // Most texts are lower-case already; the test spares them the copy.
  if (!/[A-Z]/.test(text)) return text;
  return text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));
}
