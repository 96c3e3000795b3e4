import { crc32 } from 'node:zlib';

export const ID_CHARACTERS = 16;
export const SECRET_CHARACTERS = 49;
const RANDOM_CHARACTERS = 43;
const UINT32_MAX = 0xffff_ffff;
const ZEROS = new Uint8Array(RANDOM_CHARACTERS + 1);
const CRC_OF_ZEROS = crc32(ZEROS);

/** For each byte: its value as a base62 digit, or -1. */
export const BASE62_VALUES = Int8Array.from({ length: 256 }, (_, byte) =>
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'.indexOf(String.fromCharCode(byte)),
);

/** The checksum that a secret key ends in; null when its six digits are no number of 32 bits. */
function readChecksum(secretKey: string): number | null {
  let value = 0;
  for (let index = RANDOM_CHARACTERS; index < SECRET_CHARACTERS; index += 1)
    value = value * 62 + (BASE62_VALUES[secretKey.charCodeAt(index)] ?? -1);
  return value <= UINT32_MAX ? value : null;
}

/**
 * What an API key and its secret key have in common, from the side of the API key. The checksum is
 * `crc32(apiKey + rest)` with a rest of a fixed length, and a CRC is linear: `crc32(a + b) = shift(crc32(a)) ^ crc32(b)`.
 * So both sides can be computed alone and looked up in a table, where trying each API key with each secret would
 * take the product of both numbers.
 */
export function bondOfApiKey(apiKey: string): number {
  return (crc32(ZEROS, crc32(apiKey)) ^ CRC_OF_ZEROS) >>> 0;
}

/** The same from the side of the secret key; null for the 92 % of random strings that end in no checksum at all. */
export function bondOfSecretKey(secretKey: string): number | null {
  const checksum = readChecksum(secretKey);
  if (checksum === null) return null;
  return (checksum ^ crc32(`_${secretKey.slice(0, RANDOM_CHARACTERS)}`)) >>> 0;
}

/** Whether both are the halves of one key, by the checksum. */
export function isPair(apiKey: string, secretKey: string): boolean {
  return bondOfApiKey(apiKey) === bondOfSecretKey(secretKey);
}
