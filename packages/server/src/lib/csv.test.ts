import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CSV_BOM, toCsvCell, toCsvLine } from './csv.ts';

/** A reader of its own, by the letter of RFC 4180. */
function parseRecords(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else isQuoted = false;
    } else if (character === '"' && cell === '') isQuoted = true;
    else if (character === ',') {
      record.push(cell);
      cell = '';
    } else if (character === '\r' && text[index + 1] === '\n') {
      records.push([...record, cell]);
      record = [];
      cell = '';
      index += 1;
    } else cell += character;
  }
  if (cell !== '' || record.length > 0 || isQuoted) throw new Error('The last record has no end.');
  return records;
}

const DANGEROUS = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/** Texts in which what matters is frequent. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom('a', '"', ',', ';', "'", ' ', '|', '1', 'é', '日', '\u202E', ...DANGEROUS),
    maxLength: 12,
  }),
);

describe('a cell', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    [null, ''],
    [42, '42'],
    ['key.created', 'key.created'],
    ['2027-03-01T09:00:00.000Z', '2027-03-01T09:00:00.000Z'],
    ['2001:db8::1', '2001:db8::1'],
    ['two words', '"two words"'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['one\r\ntwo', '"one\r\ntwo"'],
    ['a;=1+1', '"a;=1+1"'],
    ['芽衣', '"芽衣"'],
  ])('holds %j as %s', (value, wanted) => {
    expect(toCsvCell(value)).toBe(wanted);
  });

  it.each([
    ['=1+1', `"'=1+1"`],
    ['+81 3 1234', `"'+81 3 1234"`],
    ['-2', `"'-2"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['\t=1', `"'\t=1"`],
    ['\r=1', `"'\r=1"`],
    ['\n=1', `"'\n=1"`],
    ['＝1+1', `"'＝1+1"`],
    ['＋1', `"'＋1"`],
    ['－1', `"'－1"`],
    ['＠x', `"'＠x"`],
    ['=HYPERLINK("https://evil.example","x")', `"'=HYPERLINK(""https://evil.example"",""x"")"`],
  ])('is never a formula: %j', (value, wanted) => {
    expect(toCsvCell(value)).toBe(wanted);
  });

  it('leaves a sign inside of a text alone', () => {
    expect(toCsvCell('a=b')).toBe('"a=b"');
    expect(toCsvCell('kr_1-2')).toBe('kr_1-2');
  });
});

describe('any record', () => {
  it('reads back as what was written, but for the apostrophe before what looks like a formula', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (values) => {
        const wanted = values.map((value) =>
          DANGEROUS.some((start) => value.startsWith(start)) ? `'${value}` : value,
        );
        expect(parseRecords(toCsvLine(values))).toEqual([wanted]);
      }),
    );
  });

  it('has no cell that a spreadsheet would compute, however it splits the line', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (values) => {
        for (const cell of parseRecords(toCsvLine(values)).flat())
          expect(DANGEROUS.some((start) => cell.startsWith(start))).toBe(false);
        for (const value of values) {
          const cell = toCsvCell(value);
          expect(cell.startsWith('"') || /^[A-Za-z0-9_.:/-]*$/.test(cell)).toBe(true);
        }
      }),
    );
  });

  it('ends with a line break of its own, whatever the cells hold', () => {
    fc.assert(
      fc.property(fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { maxLength: 5 }), (rows) => {
        const file = rows.map((row) => toCsvLine(row)).join('');
        expect(parseRecords(file)).toHaveLength(rows.length);
      }),
    );
  });
});

it('says in the first bytes of the file that it is UTF-8', () => {
  expect(Buffer.from(CSV_BOM)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
});
