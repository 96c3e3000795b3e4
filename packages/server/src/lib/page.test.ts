import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, toPage } from './page.ts';

function encodeJson(value: string): string {
  return Buffer.from(value).toString('base64url');
}

describe('cursors', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), (text, number) => {
        fc.pre(!text.includes('\0'));
        expect(decodeCursor(encodeCursor([text, number]), ['', 0])).toEqual([text, number]);
      }),
    );
  });

  it('never throw for garbage: it is simply no cursor', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.json().map(encodeJson)),
        (text) => {
          const values = decodeCursor(text, ['', 0]);
          if (values === null) return;
          expect(values).toHaveLength(2);
          expect(values.map((value) => typeof value)).toEqual(['string', 'number']);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    '',
    'null',
    '{}',
    '[]',
    '["a"]',
    '["a",1,2]',
    '[1,"a"]',
    '["a",null]',
    '["a","1"]',
    '[["a"],1]',
    '["a",true]',
    '{"0":"a","1":1,"length":2}',
  ])('is refused when it says %s', (json) => expect(decodeCursor(encodeJson(json), ['', 0])).toBeNull());

  it('is refused when its number is none that a row has, or its text none that a database takes', () => {
    for (const json of [
      '["a",1.5]',
      '["a",1e400]',
      '["a",9007199254740993]',
      String.raw`["\u0000",1]`,
      String.raw`["\ud800",1]`,
    ]) {
      expect(decodeCursor(encodeJson(json), ['', 0])).toBeNull();
    }
  });
});

describe('toPage', () => {
  const valuesOf = (row: number) => [row];

  it('cuts the extra row and points behind the last one that it keeps', () => {
    const page = toPage([1, 2, 3], 2, valuesOf);
    expect(page.items).toEqual([1, 2]);
    expect(decodeCursor(page.nextCursor ?? '', [0])).toEqual([2]);
  });

  it('has no next page when there is no extra row', () => {
    expect(toPage([1, 2], 2, valuesOf)).toEqual({ items: [1, 2], nextCursor: null });
    expect(toPage([], 2, valuesOf)).toEqual({ items: [], nextCursor: null });
  });
});
