/**
 * Characters that cannot be seen but change what is seen: C0/C1 controls but tab and line feed, bidirectional
 * overrides and isolates, and unpaired surrogates.
 */
export function hasHiddenText(text: string): boolean {
  if (!text.isWellFormed()) return true;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x20 && point !== 0x09 && point !== 0x0a) return true;
    if (point >= 0x7f && point <= 0x9f) return true;
    if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) return true;
  }
  return false;
}

/**
 * The text without what may be a secret: people search for what they have found, and paste it. Ids of ours are
 * shorter than what is masked; keys, tokens and digests are longer.
 */
export function maskSecrets(text: string): string {
  return text.replace(/[0-9A-Za-z+/=_-]{32,}/g, '[masked]');
}

const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,186}[A-Za-z0-9])$/;
const ENCODED_WORD = /=\?[^?]*\?[bq]\?/i;

/**
 * One plain address, `local@domain`, at most 254 characters, ASCII. Quoted local parts, comments, groups and
 * lists are refused, and encoded words (RFC 2047), which have no place in an address: mail software has sent such
 * addresses to other people than the reader expects.
 */
export function isEmailAddress(text: string): boolean {
  return (
    text.length <= 254 &&
    EMAIL.test(text) &&
    !text.includes('..') &&
    !ENCODED_WORD.test(text) &&
    !text.startsWith('.') &&
    !text.includes('.@')
  );
}
