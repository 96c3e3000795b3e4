import { describe, expect, it } from 'vitest';
import { BASE62_DIGITS, encodeUint32Base62, randomBase62 } from './base62.ts';
import type { Random } from './random.ts';

/** Hands the bytes out in order, over and over. */
function knownBytes(bytes: readonly number[]): Random {
  let next = 0;
  return { bytes: (count) => Uint8Array.from({ length: count }, () => bytes[next++ % bytes.length] ?? 0) };
}

describe('randomBase62', () => {
  it('turns each byte below 248 into the digit of its remainder', () => {
    expect(randomBase62(knownBytes([0, 61, 62, 123, 124, 185, 186, 247]), 8)).toBe('0z0z0z0z');
    expect(randomBase62(knownBytes([1, 10, 35, 36]), 4)).toBe('1AZa');
  });

  it('throws bytes from 248 up away, so that no digit is likelier than another', () => {
    expect(randomBase62(knownBytes([248, 249, 250, 251, 252, 253, 254, 255, 5]), 3)).toBe('555');
  });

  it('gives each digit the same share of all bytes', () => {
    const counts = new Map<string, number>();
    for (const digit of randomBase62(knownBytes(Array.from({ length: 256 }, (_, byte) => byte)), 248)) {
      counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(BASE62_DIGITS.split('').toSorted());
    expect(new Set(counts.values())).toEqual(new Set([4]));
  });

  it('has exactly the asked length, also when most bytes are thrown away', () => {
    for (const length of [0, 1, 16, 43]) {
      expect(randomBase62(knownBytes([255, 255, 255, 255, 255, 255, 255, 7]), length)).toBe(
        '7'.repeat(length),
      );
    }
  });
});

describe('encodeUint32Base62', () => {
  it('writes the most significant digit first, padded with zeros', () => {
    expect(encodeUint32Base62(0, 6)).toBe('000000');
    expect(encodeUint32Base62(61, 6)).toBe('00000z');
    expect(encodeUint32Base62(62, 6)).toBe('000010');
    expect(encodeUint32Base62(0xffff_ffff, 6)).toBe('4gfFC3');
  });

  it('can be read back for every edge of 32 bits', () => {
    for (const value of [1, 3_843, 3_844, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe]) {
      const digits = encodeUint32Base62(value, 6).split('');
      expect(digits.reduce((sum, digit) => sum * 62 + BASE62_DIGITS.indexOf(digit), 0)).toBe(value);
    }
  });
});
