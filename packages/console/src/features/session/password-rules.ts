/** How many characters a password needs, and how many of them may be guessed from nothing (see the server's rules). */
export const PASSWORD_CHARACTERS_MIN = 12;
const UNGUESSED_MIN = 4;
const CONTEXT_CHARACTERS_MIN = 3;

export type RuleState = 'met' | 'open';

/** What can be said while one types. Whether a password is widely known, only the server can tell. */
export interface PasswordRules {
  readonly length: RuleState;
  readonly names: RuleState;
}

/**
 * Judges a password in the making as far as that is cheap: its length, and whether more than names and address
 * is in it.
 *
 * @param context e-mail address and names of the person
 */
export function checkPassword(password: string, context: readonly string[]): PasswordRules {
  const text = password.normalize('NFC').toLowerCase();
  const words = context
    .flatMap((name) => {
      const parts = name
        .normalize('NFC')
        .toLowerCase()
        .split(/[^\p{L}\p{N}]+/u);
      return [parts.join(''), ...parts];
    })
    .filter((word) => word.length >= CONTEXT_CHARACTERS_MIN)
    .toSorted((a, b) => b.length - a.length);
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), text);
  return {
    length: Array.from(text).length >= PASSWORD_CHARACTERS_MIN ? 'met' : 'open',
    names: Array.from(rest).length >= UNGUESSED_MIN ? 'met' : 'open',
  };
}
