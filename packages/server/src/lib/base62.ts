import type { Random } from './random.ts';

export const BASE62_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

// 256 is not divisible by 62, so `byte % 62` would favour the first eight digits. Bytes from 248 up are
// thrown away instead.
const UNBIASED_BYTE_LIMIT = 248;

/** `length` independent, uniformly distributed base62 characters (5.95 bits each). */
export function randomBase62(random: Random, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length - text.length + 8)) {
      if (byte < UNBIASED_BYTE_LIMIT && text.length < length) text += BASE62_DIGITS[byte % 62];
    }
  }
  return text;
}

/** An unsigned 32-bit number as base62, most significant digit first, left-padded with `0`. */
export function encodeUint32Base62(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) {
    text = `${BASE62_DIGITS[rest % 62] ?? ''}${text}`;
  }
  return text;
}
