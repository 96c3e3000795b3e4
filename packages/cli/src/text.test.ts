import { describe, expect, it } from 'vitest';
import { cleanText, cutText, formatDetails, formatTable, formatTime } from './text.ts';

describe('text from the server', () => {
  it('cannot move the cursor, colour the terminal or turn the direction', () => {
    expect(cleanText('a\u001b[2Jb\u202ec\r\n')).toBe('a\\u{1b}[2Jb\\u{202e}c\\u{d}\\u{a}');
    expect(cleanText('山田 é ✓')).toBe('山田 é ✓');
  });

  it.each([
    ['abc', 3],
    ['山田', 4],
    ['ｱｲ', 2],
    ['e\u0301', 1],
    ['Ａ', 2],
  ])('%j takes %d columns', (text, width) => {
    expect(
      formatTable([
        [text, 'x'],
        ['wwwwww', 'x'],
      ]),
    ).toBe(`${text}${' '.repeat(8 - width)}x\nwwwwww  x\n`);
  });

  it('stands in columns, also in Japanese', () => {
    expect(
      formatTable([
        ['NAME', 'STATE'],
        ['山田太郎', 'active'],
        ['Ada', 'x'],
      ]),
    ).toBe('NAME      STATE\n山田太郎  active\nAda       x\n');
  });

  it('is cut to columns, never through a Japanese character', () => {
    expect([4, 5, 6].map((columns) => cutText('a山田太郎', columns))).toEqual(['a山', 'a山田', 'a山田']);
  });

  it('is left out of details where there is none', () => {
    expect(
      formatDetails([
        ['Id', 'x'],
        ['E-mail', null],
      ]),
    ).toBe('Id  x\n');
  });
});

describe('an instant', () => {
  it('names its zone', () => {
    expect(formatTime('2027-03-01T05:07:00.000Z')).toMatch(/^2027-0[23]-\d\d \d\d:\d\d \S+$/);
  });

  it('that is none is a dash', () => {
    expect(formatTime(null)).toBe('-');
  });
});
