import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto';

/**
 * HMAC-SHA-256 over parts, each preceded by its length in bytes: without the lengths, ("ab", "c") and
 * ("a", "bc") would have the same digest and a value could slide from one field into the next.
 */
export function macParts(key: KeyObject, parts: readonly (string | number | null)[]): string {
  let message = '';
  for (const part of parts) {
    const text = part === null ? '\u0000null' : String(part);
    message += `${Buffer.byteLength(text)}:${text}`;
  }
  // In one piece: each call into the library costs more than hashing what it is given.
  return createHmac('sha256', key).update(message).digest('base64url');
}

/** SHA-256 as lower-case hex. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

const DIGEST_CHARACTERS_MAX = 64;
/** By length: two places to compare in, since making them anew takes longer than comparing. */
const places = new Map<number, readonly [Buffer, Buffer]>();

/**
 * Compares two digests in an encoding of ASCII or Latin-1, in a time that depends on their length only, which everybody
 * knows. Unlike texts of any length they need not be hashed first, which costs as much as making a digest.
 */
export function isSameDigest(a: string, b: string): boolean {
  const { length } = a;
  if (length !== b.length || length > DIGEST_CHARACTERS_MAX) return false;
  let place = places.get(length);
  if (place === undefined) places.set(length, (place = [Buffer.alloc(length), Buffer.alloc(length)]));
  const [left, right] = place;
  left.write(a, 'latin1');
  right.write(b, 'latin1');
  // Only the low byte of each character was compared; who gets as far as this learns nothing from a second look.
  return timingSafeEqual(left, right) && a === b;
}

/** Compares two texts in a time that depends on neither. */
export function isEqualConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
