import { crc32 } from 'node:zlib';
import { encodeUint32Base62, randomBase62 } from '../../lib/base62.ts';
import type { Random } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';

const ID_CHARACTERS = 16;
const SECRET_CHARACTERS = 43;
const CHECKSUM_CHARACTERS = 6;
const API_KEY = /^[a-z]{2,8}_[0-9A-Za-z]{16}$/;
// Stryker disable next-line Regex: a secret of another length has no checksum of six characters
const SECRET_KEY = /^[0-9A-Za-z]{49}$/;

/** The two halves of a credential whose shape and checksum are right. */
export interface ParsedKey {
  readonly apiKey: string;
  readonly secretKey: Secret;
}

/** CRC-32 of `<API key>_<43 characters>` in six base62 digits: typing errors cost no database read. */
export function checksumOf(apiKey: string, secret43: string): string {
  return encodeUint32Base62(crc32(`${apiKey}_${secret43}`), CHECKSUM_CHARACTERS);
}

export function newApiKey(random: Random, prefix: string): string {
  return `${prefix}_${randomBase62(random, ID_CHARACTERS)}`;
}

/** 43 base62 characters (256 bits) and the checksum. */
export function newSecretKey(random: Random, apiKey: string): Secret {
  const secret43 = randomBase62(random, SECRET_CHARACTERS);
  return new Secret(`${secret43}${checksumOf(apiKey, secret43)}`);
}

export function toFullKey(apiKey: string, secretKey: Secret): Secret {
  return new Secret(`${apiKey}_${secretKey.reveal()}`);
}

/** Both halves, or null when the shape or the checksum is wrong. Blanks around pasted values are tolerated. */
export function parsePair(apiKey: string, secretKey: Secret): ParsedKey | null {
  return parseHalves(apiKey.trim(), secretKey.reveal().trim());
}

function parseHalves(id: string, secret: string): ParsedKey | null {
  if (!API_KEY.test(id) || !SECRET_KEY.test(secret)) return null;
  const secret43 = secret.slice(0, SECRET_CHARACTERS);
  return checksumOf(id, secret43) === secret.slice(SECRET_CHARACTERS)
    ? { apiKey: id, secretKey: new Secret(secret) }
    : null;
}

/** A full key in its halves, or null when the shape or the checksum is wrong. */
export function parseFullKey(fullKey: Secret): ParsedKey | null {
  const text = fullKey.reveal().trim();
  const cut = text.length - SECRET_CHARACTERS - CHECKSUM_CHARACTERS - 1;
  return text[cut] === '_' ? parseHalves(text.slice(0, cut), text.slice(cut + 1)) : null;
}

/** Looks like one of our full keys, right or mistyped: such a text is never looked up as a foreign credential. */
export function hasFullKeyShape(text: string): boolean {
  return /^[a-z]{2,8}_[0-9A-Za-z]{16}_/.test(text.trim());
}
