import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random base62 text; the small bias of the remainder does not matter to tests. */
export function randomText(length: number): string {
  const bytes = randomBytes(length);
  for (let index = 0; index < length; index += 1)
    bytes[index] = DIGITS.charCodeAt((bytes[index] as number) % 62);
  return bytes.toString('latin1');
}

export interface PlantedKey {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

/** A key as the server makes them: CRC-32 in six base62 digits, written anew here as a second opinion. */
export function makeKey(prefix = 'kr'): PlantedKey {
  const apiKey = `${prefix}_${randomText(16)}`;
  const random = randomText(43);
  let checksum = '';
  for (let rest = crc32(`${apiKey}_${random}`); checksum.length < 6; rest = Math.floor(rest / 62))
    checksum = `${DIGITS[rest % 62]}${checksum}`;
  const secretKey = `${random}${checksum}`;
  return { apiKey, secretKey, fullKey: `${apiKey}_${secretKey}` };
}
