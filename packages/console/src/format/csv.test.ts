import { describe, expect, it } from 'vitest';
import { toCsvCell, toCsvLine } from './csv.ts';

const DANGEROUS = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

describe('a cell', () => {
  it.each(DANGEROUS)('is never a formula, though its text begins with %j', (start) => {
    expect(toCsvCell(start)).toBe(`"'${start}"`);
    expect(toCsvCell(`${start}1+1`)).toBe(`"'${start}1+1"`);
  });

  it('is quoted where a program might end it early: at commas, semicolons, quotes and line ends', () => {
    expect(toCsvCell('Doe, "Jo"\nSmith')).toBe('"Doe, ""Jo""\nSmith"');
    expect(toCsvCell('a;=1+1')).toBe('"a;=1+1"');
  });

  it('holds plain words, numbers and nothing as they are, and a sign inside of a text', () => {
    expect(toCsvLine(['kr_1-2', '2027-03-01T09:00:00.000Z', 42, null])).toBe(
      'kr_1-2,2027-03-01T09:00:00.000Z,42,\r\n',
    );
    expect(toCsvCell('a=b')).toBe('"a=b"');
  });
});
