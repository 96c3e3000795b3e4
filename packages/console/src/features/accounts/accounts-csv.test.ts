import { describe, expect, it } from 'vitest';
import { toCsv } from './accounts-csv.ts';

const cell = (value: string | number | null): string => toCsv([[value]]).slice(1, -2);

describe('a list as CSV', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])(
    'never lets a name become a formula: %j',
    (name) => {
      expect(cell(name)).toBe(`"'${name}"`);
    },
  );

  it('keeps commas, quotes and line ends inside their cell', () => {
    expect(cell('Doe, "Jo"\nSmith')).toBe('"Doe, ""Jo""\nSmith"');
  });

  it('leaves other texts of any script, and numbers, as they are', () => {
    expect(toCsv([['星野 由紀', 'ليلى', 6, null]])).toBe('\uFEFF星野 由紀,ليلى,6,\r\n');
    expect(cell(-1)).toBe('-1');
  });
});
