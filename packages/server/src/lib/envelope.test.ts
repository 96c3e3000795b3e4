import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openBytes, sealBytes } from './envelope.ts';
import { systemRandom } from './random.ts';

const KEY = createSecretKey(systemRandom.bytes(32));
const PLACE = 'signing_keys/kid_1/wsp_1';
const PLAIN = Buffer.from('a signing key');

function open(sealed: Uint8Array, place = PLACE, key = KEY): string | null {
  const plain = openBytes(key, sealed, place);
  return plain === null ? null : Buffer.from(plain).toString('utf8');
}

describe('a sealed value', () => {
  const sealed = sealBytes(KEY, PLAIN, PLACE, systemRandom);

  it('opens in its own place with its own key', () => {
    expect(open(sealed)).toBe('a signing key');
    expect(open(sealBytes(KEY, new Uint8Array(), PLACE, systemRandom))).toBe('');
  });

  it('does not open when any single bit is flipped: nonce, tag or text', () => {
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Uint8Array.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open(altered)).toBeNull();
    }
  });

  it('does not open when it was moved to another place', () => {
    for (const place of ['', 'signing_keys/kid_2/wsp_1', 'signing_keys/kid_1/wsp_2', `${PLACE} `]) {
      expect(open(sealed, place)).toBeNull();
    }
  });

  it('does not open under another key', () => {
    expect(open(sealed, PLACE, createSecretKey(systemRandom.bytes(32)))).toBeNull();
  });

  it('does not open when it was cut or lengthened', () => {
    for (let length = 0; length < sealed.length; length += 1)
      expect(open(sealed.subarray(0, length))).toBeNull();
    expect(open(Buffer.concat([sealed, Buffer.alloc(1)]))).toBeNull();
  });

  it('looks different each time, and never holds the plain text', () => {
    const again = sealBytes(KEY, PLAIN, PLACE, systemRandom);
    expect(Buffer.from(again).equals(Buffer.from(sealed))).toBe(false);
    expect(Buffer.from(sealed).includes(PLAIN)).toBe(false);
  });
});
