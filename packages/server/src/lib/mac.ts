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

/** Compares two texts in a time that depends on neither. */
export function isEqualConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
