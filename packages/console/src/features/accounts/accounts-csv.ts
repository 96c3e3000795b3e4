import { CSV_BOM, toCsvLine } from '../../format/csv.ts';

/** A table as CSV (RFC 4180). The mark at its beginning tells the programs that it is UTF-8. */
export function toCsv(rows: readonly (readonly (string | number | null)[])[]): string {
  return `${CSV_BOM}${rows.map(toCsvLine).join('')}`;
}
