import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FileRecord, readCsv, readJsonLines, UnreadableFile } from './records.ts';

const RECORD_CHARACTERS_MAX = 262_144;
const COLUMNS = ['account', 'comment', 'sha256'];

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += size)
    yield await Promise.resolve(text.slice(start, start + size));
}

async function collect(records: AsyncIterable<FileRecord>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const record of records) {
    all.push('fault' in record ? record : { line: record.line, ...Object.fromEntries(record.values) });
  }
  return all;
}

const readCsvText = (text: string, size = 3) => collect(readCsv(inChunks(text, size), COLUMNS));
const readLinesText = (text: string, size = 3) => collect(readJsonLines(inChunks(text, size), COLUMNS));

describe('a CSV file', () => {
  it.each([
    ['LF', 'account,comment\na,b\nc,d\n'],
    ['CRLF', 'account,comment\r\na,b\r\nc,d\r\n'],
    ['CR', 'account,comment\ra,b\rc,d\r'],
    ['no last line end', 'account,comment\na,b\nc,d'],
  ])('is read with %s, its lines numbered', async (_name, text) => {
    expect(await readCsvText(text)).toEqual([
      { line: 2, account: 'a', comment: 'b' },
      { line: 3, account: 'c', comment: 'd' },
    ]);
  });

  it('takes columns in any order and case', async () => {
    expect(await readCsvText('SHA256, Account\nx,y\n')).toEqual([{ line: 2, sha256: 'x', account: 'y' }]);
  });

  it('keeps commas, quotes and line ends inside quotes, and counts the lines on', async () => {
    expect(await readCsvText('account,comment\n"a,""b""","c\nd"\ne,f\n')).toEqual([
      { line: 2, account: 'a,"b"', comment: 'c\nd' },
      { line: 4, account: 'e', comment: 'f' },
    ]);
  });

  it('skips blank lines', async () => {
    expect(await readCsvText('account,comment\n\n \na,b\n\n')).toEqual([
      { line: 4, account: 'a', comment: 'b' },
    ]);
  });

  it('names the line of a row with too few or too many fields, and reads on', async () => {
    expect(await readCsvText('account,comment\na\nb,c,d\ne,f\n')).toEqual([
      { line: 2, fault: 'has 1 fields, but the header names 2' },
      { line: 3, fault: 'has 3 fields, but the header names 2' },
      { line: 4, account: 'e', comment: 'f' },
    ]);
  });

  it.each([
    ['an unknown column', 'account,colour\n', /must name the columns/],
    ['a repeated column', 'account,account\n', /twice/],
    ['a quote without end', 'account,comment\na,"b\nc,d\n', /no closing quote/],
    ['text behind a closing quote', 'account,comment\n"a"b,c\n', /follows a closing quote/],
    ['a quote inside a plain field', 'account,comment\na"b,c\n', /does not begin with one/],
    ['a row without end', `account,comment\n${'x'.repeat(RECORD_CHARACTERS_MAX + 1)}`, /longer than/],
    ['thousands of fields', `account,comment\n${','.repeat(2_000)}`, /more than 32 fields/],
  ])('with %s is refused', async (_name, text, message) => {
    const reading = readCsvText(text, 4_096);
    await expect(reading).rejects.toBeInstanceOf(UnreadableFile);
    await expect(readCsvText(text, 4_096)).rejects.toThrow(message);
  });

  it('is read the same however it is cut into chunks', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', '漢'), maxLength: 6 });
    const rows = fc.array(fc.tuple(field, field), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 9 }), async (values, size) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const body = values.map((row) => row.map(quote).join(',')).join('\r\n');
        const text = `account,comment\r\n${body}\r\n`;
        const whole = await readCsvText(text, text.length);
        expect(await readCsvText(text, size)).toEqual(whole);
        expect(whole.length).toBe(values.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a JSON Lines file', () => {
  it('is read line by line, blank lines ignored', async () => {
    expect(await readLinesText('{"account":"a"}\r\n\n{"account":"b","comment":1}')).toEqual([
      { line: 1, account: 'a' },
      { line: 3, account: 'b', comment: 1 },
    ]);
  });

  it('names the line of what is no object or has unknown members, and reads on', async () => {
    expect(await readLinesText('[1]\n{"colour":1}\nnonsense\nnull\n{"account":"a"}\n')).toEqual([
      { line: 1, fault: 'is not a JSON object' },
      { line: 2, fault: 'has the unknown member "colour"; known are account, comment, sha256' },
      { line: 3, fault: 'is not a JSON object' },
      { line: 4, fault: 'is not a JSON object' },
      { line: 5, account: 'a' },
    ]);
  });

  it('with a line without end is refused', async () => {
    await expect(readLinesText('x'.repeat(RECORD_CHARACTERS_MAX + 2), 4_096)).rejects.toThrow('longer than');
  });
});
