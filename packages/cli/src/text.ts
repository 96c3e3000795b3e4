// Control characters would let a stored name move the cursor or colour the terminal of whoever lists it;
// direction marks would let it show in another order than it is.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from the server as it may be shown on a terminal: what would act instead of show becomes `\u{1b}`. */
export function cleanText(text: string): string {
  return text.replaceAll(HIDDEN, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// East Asian Wide and Fullwidth (Unicode 16, UAX 11), joined into blocks: enough to keep columns straight.
const WIDE_RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

/** Columns that the text takes on a terminal: two for a Japanese character, none for a combining one. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (COMBINING.test(character)) continue;
    width += WIDE_RANGES.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
  }
  return width;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

function toLine(cells: readonly string[], widths: readonly number[]): string {
  return `${cells
    .map((cell, index) => pad(cell, widths[index] ?? 0))
    .join('  ')
    .trimEnd()}\n`;
}

/** Widest cell of each column, and never narrower than before, so that a later page fits under the first. */
export function columnWidths(rows: readonly (readonly string[])[], before: readonly number[] = []): number[] {
  const widths = [...before];
  for (const row of rows) {
    for (const [index, cell] of row.entries())
      widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell));
  }
  return widths;
}

/** Rows as aligned lines. Cells must be clean already. */
export function formatTable(rows: readonly (readonly string[])[], widths = columnWidths(rows)): string {
  return rows.map((row) => toLine(row, widths)).join('');
}

/** Columns that the widest line of the table takes. */
export function tableWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + 2 * Math.max(0, widths.length - 1);
}

/** Rows under each other, a line for each cell, for terminals that are too narrow for the table. Cells must be clean. */
export function formatRecords(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows
    .map((row) => `${formatTable(titles.map((title, index) => [title, row[index] ?? '']))}\n`)
    .join('');
}

/** The beginning of the text that fits into so many columns. */
export function cutText(text: string, columns: number): string {
  let cut = '';
  for (const character of text) {
    if (displayWidth(cut + character) > columns) break;
    cut += character;
  }
  return cut;
}

/** `label  value` lines; a value that is null is left out. */
export function formatDetails(details: readonly (readonly [label: string, value: string | null])[]): string {
  const rows = details.filter((detail): detail is readonly [string, string] => detail[1] !== null);
  return formatTable(rows.map(([label, value]) => [label, cleanText(value)]));
}

const LOCAL_TIME: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
};

/** An instant of the wire in local time with the zone named: `2027-03-01 14:05 GMT+9`; a dash for none. */
export function formatTime(iso: string | null): string {
  if (iso === null) return '-';
  const instant = new Date(iso);
  if (Number.isNaN(instant.getTime())) return cleanText(iso);
  const parts = new Intl.DateTimeFormat('en-CA', LOCAL_TIME).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} ${part('timeZoneName')}`;
}
