import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Random } from './random.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM with a random 96-bit nonce: `iv ‖ tag ‖ ciphertext`. The additional data names the place
 * (table, column, row, workspace) that the value belongs to, so that a sealed value moved to another row
 * does not open there.
 */
export function sealBytes(
  key: KeyObject,
  plain: Uint8Array,
  additionalData: string,
  random: Random,
): Uint8Array {
  const iv = random.bytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(additionalData));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

/** The plain bytes, or null when key, place or a single bit is wrong. */
export function openBytes(key: KeyObject, sealed: Uint8Array, additionalData: string): Uint8Array | null {
  if (sealed.length < IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(additionalData));
  decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}
