import { type Answer, type Page, paginate } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { usageError } from './failures.ts';
import { wholeNumber } from './options.ts';
import type { Run } from './run.ts';
import { cleanText, columnWidths, formatRecords, formatTable, tableWidth } from './text.ts';

export interface ListOptions {
  readonly limit?: number;
  readonly cursor?: string;
  readonly all?: boolean;
}

/** Query members that every list of the API takes. */
export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

export interface Column<Item> {
  readonly title: string;
  readonly cell: (item: Item) => string;
}

const PAGE_LIMIT_MAX = 200;

export function addListOptions(command: Command): Command {
  return command
    .option('--limit <rows>', `rows to show, 1 to ${PAGE_LIMIT_MAX}`, wholeNumber(1, PAGE_LIMIT_MAX), 50)
    .option('--cursor <cursor>', 'where to go on: the cursor that the list before named')
    .option('--all', 'every row, however many');
}

type FetchPage<Item> = (query: PageQuery) => Promise<Answer<Page<Item>>>;

/** One page, or with `--all` every row as it arrives; as JSON the same document as the API's own. */
export async function printList<Item>(
  run: Run,
  options: ListOptions,
  columns: readonly Column<Item>[],
  fetchPage: FetchPage<Item>,
): Promise<void> {
  if (options.all === true) {
    if (options.cursor !== undefined) throw usageError('--all and --cursor exclude each other.');
    await printAll(run, columns, fetchPage);
    return;
  }
  const { limit, cursor } = options;
  const query = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
  const { data } = await fetchPage(query);
  const printer = new TablePrinter(run, titlesOf(columns));
  await run.result(data, printer.format(data.items.map((item) => cellsOf(columns, item))));
  if (data.nextCursor !== null && !run.isJson)
    run.note(`There is more: --cursor ${data.nextCursor}, or --all.`);
}

async function printAll<Item>(
  run: Run,
  columns: readonly Column<Item>[],
  fetchPage: FetchPage<Item>,
): Promise<void> {
  const items = paginate<Item>((page) => fetchPage({ ...page, limit: PAGE_LIMIT_MAX }));
  if (run.isJson) {
    let separator = '';
    await run.print('{"items":[');
    for await (const item of items) {
      await run.print(`${separator}\n${JSON.stringify(item)}`);
      separator = ',';
    }
    await run.print('\n],"nextCursor":null}\n');
    return;
  }
  const printer = new TablePrinter(run, titlesOf(columns));
  let rows: string[][] = [];
  const flush = async () => {
    await run.print(printer.format(rows));
    rows = [];
  };
  for await (const item of items) {
    rows.push(cellsOf(columns, item));
    if (rows.length >= PAGE_LIMIT_MAX) await flush();
  }
  await flush();
}

/** A table that comes in pages: titles once, columns under each other, and records instead where it does not fit. */
class TablePrinter {
  readonly #titles: readonly string[];
  readonly #columnsMax: number;
  #widths: number[];
  #isFirst = true;
  #isNarrow = false;

  constructor({ world: { stdout } }: Run, titles: readonly string[]) {
    this.#titles = titles;
    this.#columnsMax = stdout.isTTY === true ? (stdout.columns ?? Infinity) : Infinity;
    this.#widths = columnWidths([titles]);
  }

  format(rows: readonly (readonly string[])[]): string {
    this.#widths = columnWidths(rows, this.#widths);
    if (this.#isFirst) this.#isNarrow = tableWidth(this.#widths) > this.#columnsMax;
    const head = this.#isFirst ? [this.#titles] : [];
    this.#isFirst = false;
    return this.#isNarrow ? formatRecords(this.#titles, rows) : formatTable([...head, ...rows], this.#widths);
  }
}

function titlesOf<Item>(columns: readonly Column<Item>[]): string[] {
  return columns.map(({ title }) => title);
}

function cellsOf<Item>(columns: readonly Column<Item>[], item: Item): string[] {
  return columns.map(({ cell }) => cleanText(cell(item)));
}
