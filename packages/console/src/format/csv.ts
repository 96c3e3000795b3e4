// A second copy of what the server's export of the audit log does: the console may import the SDK alone, and the
// SDK has no use for tables. Whoever changes one of them changes the other.

/** What spreadsheets need to read a file as UTF-8; without it Excel shows Japanese as noise. */
export const CSV_BOM = '\uFEFF';

/** Starts that make a spreadsheet compute instead of show: also in full width, which some of them fold. */
const FORMULA_START = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const PLAIN = /^[A-Za-z0-9_.:/-]*$/;

/**
 * One cell by RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front, which
 * spreadsheets show as the mark of a text. Everything but plain words is quoted, since programs differ in what
 * else ends a cell: some split at semicolons.
 */
export function toCsvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  if (FORMULA_START.test(text)) return quote(`'${text}`);
  return PLAIN.test(text) ? text : quote(text);
}

/** One record with its line break. */
export function toCsvLine(values: readonly (string | number | null)[]): string {
  return `${values.map(toCsvCell).join(',')}\r\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
