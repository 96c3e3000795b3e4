import { stripInvisible } from './initials.ts';

/**
 * What was recognised in a pasted text. `mistyped`: the shape of a full key, but its length or checksum is wrong, so
 * that no server would look it up.
 */
export type PastedKey =
  | { readonly kind: 'full'; readonly apiKey: string; readonly fullKey: string }
  | { readonly kind: 'mistyped' | 'api-key'; readonly apiKey: string }
  | { readonly kind: 'unknown' };

const PASTED_CHARACTERS_MAX = 20_000;
const SECRET_CHARACTERS = 43;
const CHECKSUM_CHARACTERS = 6;
const BASE62_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

// Not within a longer word, so that an identifier of a program is not taken for a key.
const FULL_KEY = /(?<![0-9A-Za-z_])([a-z]{2,8}_[0-9A-Za-z]{16})_([0-9A-Za-z]+)(?![0-9A-Za-z_])/g;
const API_KEY = /(?<![0-9A-Za-z_])[a-z]{2,8}_[0-9A-Za-z]{16}(?![0-9A-Za-z_])/;

/** CRC-32 (IEEE) of an ASCII text, unsigned. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function checksumOf(text: string): string {
  let checksum = '';
  for (let rest = crc32(text); checksum.length < CHECKSUM_CHARACTERS; rest = Math.floor(rest / 62))
    checksum = `${BASE62_DIGITS.charAt(rest % 62)}${checksum}`;
  return checksum;
}

function hasRightChecksum(apiKey: string, secretKey: string): boolean {
  const secret = secretKey.slice(0, SECRET_CHARACTERS);
  return secretKey.slice(SECRET_CHARACTERS) === checksumOf(`${apiKey}_${secret}`);
}

/**
 * Finds a key in what a person pasted: the key alone, in quotes, behind `Bearer` or a header's name, or somewhere in
 * a line of a configuration. Of several the best is taken: a right full key before a mistyped one before an API key.
 */
export function readPastedKey(text: string): PastedKey {
  const shown = stripInvisible(text.slice(0, PASTED_CHARACTERS_MAX));
  const candidates = [...shown.matchAll(FULL_KEY)];
  for (const [fullKey, apiKey = '', secretKey = ''] of candidates) {
    if (hasRightChecksum(apiKey, secretKey)) return { kind: 'full', apiKey, fullKey };
  }
  const mistyped = candidates[0]?.[1];
  if (mistyped !== undefined) return { kind: 'mistyped', apiKey: mistyped };
  const apiKey = API_KEY.exec(shown)?.[0];
  return apiKey === undefined ? { kind: 'unknown' } : { kind: 'api-key', apiKey };
}
