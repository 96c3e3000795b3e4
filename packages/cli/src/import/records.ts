/** One record of the file: where it begins, and its values by name; or what is wrong with it. */
export type FileRecord =
  | { readonly line: number; readonly values: ReadonlyMap<string, unknown> }
  | { readonly line: number; readonly fault: string };

/** A fault after which the rest of the file cannot be understood. `line` is where it was found. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Longer than any row that the server takes; a file without line ends must not fill the memory. */
const RECORD_CHARACTERS_MAX = 262_144;
const FIELDS_MAX = 32;

interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/** Gathers the characters of a CSV file (RFC 4180) into rows; LF, CRLF and CR end a row, quoted fields hold any. */
class CsvReader {
  readonly #done: CsvRow[] = [];
  #fields: string[] = [];
  #field = '';
  #state: 'start' | 'plain' | 'quoted' | 'closing' = 'start';
  #line = 1;
  #rowLine = 1;
  #size = 0;
  #wasCr = false;

  read(text: string): void {
    for (const character of text) {
      if (character === '\n' && this.#wasCr) {
        this.#wasCr = false;
        continue;
      }
      this.#wasCr = character === '\r';
      this.#readCharacter(this.#wasCr ? '\n' : character);
    }
  }

  /** @throws UnreadableFile when a quoted field has no end */
  end(): void {
    if (this.#state === 'quoted')
      throw new UnreadableFile(this.#rowLine, 'a quoted field has no closing quote');
    if (this.#size > 0) this.#endRow();
  }

  take(): CsvRow[] {
    return this.#done.splice(0);
  }

  #readCharacter(character: string): void {
    this.#size += 1;
    if (this.#size > RECORD_CHARACTERS_MAX) {
      throw new UnreadableFile(
        this.#rowLine,
        `the row is longer than ${RECORD_CHARACTERS_MAX} characters; is a quote missing?`,
      );
    }
    if (character === '\n') this.#line += 1;
    if (this.#state === 'quoted') {
      if (character === '"') this.#state = 'closing';
      else this.#field += character;
    } else if (character === '\n') this.#endRow();
    else if (character === ',') this.#endField();
    else if (character === '"') this.#readQuote();
    else if (this.#state === 'closing') throw new UnreadableFile(this.#line, 'text follows a closing quote');
    else {
      this.#state = 'plain';
      this.#field += character;
    }
  }

  #readQuote(): void {
    if (this.#state === 'plain')
      throw new UnreadableFile(this.#line, 'a quote stands inside a field that does not begin with one');
    // Two quotes inside a quoted field mean one.
    if (this.#state === 'closing') this.#field += '"';
    this.#state = 'quoted';
  }

  #endField(): void {
    if (this.#fields.length >= FIELDS_MAX)
      throw new UnreadableFile(this.#rowLine, `the row has more than ${FIELDS_MAX} fields`);
    this.#fields.push(this.#field);
    this.#field = '';
    this.#state = 'start';
  }

  #endRow(): void {
    this.#endField();
    const isBlank = this.#fields.length === 1 && this.#fields[0]?.trim() === '';
    if (!isBlank) this.#done.push({ line: this.#rowLine, fields: this.#fields });
    this.#fields = [];
    this.#size = 0;
    this.#rowLine = this.#line;
  }
}

async function* readCsvRows(chunks: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  const reader = new CsvReader();
  for await (const chunk of chunks) {
    reader.read(chunk);
    yield* reader.take();
  }
  reader.end();
  yield* reader.take();
}

/**
 * Records of a CSV file. The first row names the columns, in any order and case.
 *
 * @param columns the names in their right spelling
 * @throws UnreadableFile for a header with unknown or repeated names, and for broken quotes
 */
export async function* readCsv(
  chunks: AsyncIterable<string>,
  columns: readonly string[],
): AsyncGenerator<FileRecord> {
  let header: readonly string[] | null = null;
  for await (const { line, fields } of readCsvRows(chunks)) {
    if (header === null) {
      header = readHeader(line, fields, columns);
    } else if (fields.length === header.length) {
      const names = header;
      yield { line, values: new Map(fields.map((field, index) => [names[index] ?? '', field.trim()])) };
    } else {
      yield { line, fault: `has ${fields.length} fields, but the header names ${header.length}` };
    }
  }
}

function readHeader(line: number, fields: readonly string[], columns: readonly string[]): string[] {
  const names = fields.map((field) =>
    columns.find((column) => column.toLowerCase() === field.trim().toLowerCase()),
  );
  if (names.includes(undefined)) {
    throw new UnreadableFile(
      line,
      `the first row must name the columns, and only these: ${columns.join(', ')}`,
    );
  }
  if (new Set(names).size !== names.length)
    throw new UnreadableFile(line, 'the first row names a column twice');
  return names.filter((name) => name !== undefined);
}

/** Records of a JSON Lines file: one object a line, blank lines between them ignored. */
export async function* readJsonLines(
  chunks: AsyncIterable<string>,
  columns: readonly string[],
): AsyncGenerator<FileRecord> {
  let line = 0;
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      line += 1;
      yield* readJsonLine(line, text, columns);
    }
    if (rest.length > RECORD_CHARACTERS_MAX) {
      throw new UnreadableFile(line + 1, `the line is longer than ${RECORD_CHARACTERS_MAX} characters`);
    }
  }
  yield* readJsonLine(line + 1, rest, columns);
}

function* readJsonLine(line: number, text: string, columns: readonly string[]): Generator<FileRecord> {
  if (text.trim() === '') return;
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield { line, fault: 'is not a JSON object' };
    return;
  }
  const values = new Map<string, unknown>(Object.entries(value));
  const unknown = [...values.keys()].find((name) => !columns.includes(name));
  if (unknown === undefined) yield { line, values };
  else
    yield {
      line,
      fault: `has the unknown member ${JSON.stringify(unknown.slice(0, 64))}; known are ${columns.join(', ')}`,
    };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
