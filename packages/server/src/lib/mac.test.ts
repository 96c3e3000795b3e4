import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEqualConstantTime, isSameDigest, macParts, sha256Hex } from './mac.ts';

const KEY = createSecretKey(Buffer.alloc(32, 7));
const OTHER_KEY = createSecretKey(Buffer.alloc(32, 8));

describe('macParts', () => {
  it('keeps the borders of its parts: no character can slide from one field into the next', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 }),
        fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 }),
        (a, b) => {
          fc.pre(JSON.stringify(a) !== JSON.stringify(b));
          expect(macParts(KEY, a)).not.toBe(macParts(KEY, b));
        },
      ),
      {
        numRuns: 2_000,
        examples: [
          [
            ['ab', 'c'],
            ['a', 'bc'],
          ],
          [['1:a'], ['', 'a']],
          [['a', ''], ['a']],
          [['a1:b'], ['a', 'b']],
        ],
      },
    );
  });

  it('keeps its format, in which digests are stored: length in bytes, colon, text', () => {
    const exact = createHmac('sha256', KEY).update('3:あ2:é1:75:\0null').digest('base64url');
    expect(macParts(KEY, ['あ', 'é', 7, null])).toBe(exact);
  });

  it('tells null from the empty text and from the word', () => {
    const digests = [null, '', 'null', '0'].map((part) => macParts(KEY, [part]));
    expect(new Set(digests).size).toBe(4);
  });

  it('depends on the key and on the order', () => {
    expect(macParts(KEY, ['a', 'b'])).not.toBe(macParts(OTHER_KEY, ['a', 'b']));
    expect(macParts(KEY, ['a', 'b'])).not.toBe(macParts(KEY, ['b', 'a']));
    expect(macParts(KEY, ['a', 1])).toBe(macParts(KEY, ['a', '1']));
  });
});

describe('sha256Hex', () => {
  it('gives the published digest of "abc"', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('isEqualConstantTime', () => {
  it('is true for equal texts only, and throws for no length', () => {
    expect(isEqualConstantTime('secret', 'secret')).toBe(true);
    expect(isEqualConstantTime('', '')).toBe(true);
    for (const other of ['', 'secre', 'secret ', 'Secret', 'secret'.repeat(1_000)])
      expect(isEqualConstantTime('secret', other)).toBe(false);
  });
});

describe('isSameDigest', () => {
  it('is true for equal digests only, whatever was compared before', () => {
    const digest = macParts(KEY, ['a']);
    expect(isSameDigest(digest, macParts(KEY, ['a']))).toBe(true);
    for (const other of [
      macParts(KEY, ['b']),
      `${digest.slice(0, -1)}!`,
      digest.slice(1),
      `${digest}=`,
      '',
    ]) {
      expect(isSameDigest(digest, other)).toBe(false);
      expect(isSameDigest(other, digest)).toBe(false);
      expect(isSameDigest(digest, digest)).toBe(true);
    }
    expect(isSameDigest('é'.repeat(32), 'é'.repeat(32))).toBe(true);
  });

  it('takes no text that is too long for a digest, nor the low byte of a character for the whole', () => {
    expect(isSameDigest('a'.repeat(65), 'a'.repeat(65))).toBe(false);
    // A digest has none of these; what is stored may have been altered.
    expect(isSameDigest('\u0161', 'a')).toBe(false);
  });
});
