import { expect, it } from 'vitest';
import { toCsv } from './accounts-csv.ts';

it('is a file that says that it is UTF-8, a line for each account, in any script', () => {
  const rows = [
    ['星野 由紀', 'ليلى', 6, null],
    ['bob', '=1+1', 0, 'active'],
  ];
  expect(toCsv(rows)).toBe(`\uFEFF"星野 由紀","ليلى",6,\r\nbob,"'=1+1",0,active\r\n`);
});
