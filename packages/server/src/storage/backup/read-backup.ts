import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import {
  BackupDamaged,
  CHUNK_BYTES_MAX,
  type Ending,
  FORMAT_VERSION,
  LINE_BYTES_MAX,
  type Manifest,
  signEnding,
  type TableLine,
} from './backup-format.ts';

/** What a backup is made of, in its order, each checked as far as it can be by then. */
export type BackupItem =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | ({ readonly kind: 'table' } & TableLine)
  | { readonly kind: 'rows'; readonly rows: readonly (readonly unknown[])[] }
  | { readonly kind: 'package'; readonly sha512: string; readonly sizeBytes: number }
  | { readonly kind: 'chunk'; readonly bytes: Buffer }
  | { readonly kind: 'packageEnd'; readonly sha512: string; readonly isWhole: boolean }
  /** Comes last, and only of a file whose every byte is as it was written. */
  | { readonly kind: 'end'; readonly ending: Ending };

const ROWS_AT_ONCE = 500;
const NEWLINE = 10;
const ROW_START = 0x5b;

/** Lines and runs of bytes out of a stream, with the hash of all that was taken. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  hash = createHash('sha256');
  /** What was read and not yet taken. It is joined only once it is whole, or a long line would cost its square. */
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #fill(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#pieces.push(next.value);
    this.#length += next.value.length;
    return true;
  }

  /** A line with its end, not yet hashed; null at the end of the stream. */
  async line(): Promise<Buffer | null> {
    let searched = 0;
    for (let index = 0; ; ) {
      for (; index < this.#pieces.length; index += 1) {
        const piece = this.#pieces[index] as Buffer;
        const end = piece.indexOf(NEWLINE);
        if (end >= 0) return this.#cut(searched + end + 1);
        searched += piece.length;
      }
      if (searched > LINE_BYTES_MAX) throw new BackupDamaged('It has a line that no backup has.');
      if (await this.#fill()) continue;
      if (searched > 0) throw new BackupDamaged('It breaks off in the middle of a line.');
      return null;
    }
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#length < count)
      if (!(await this.#fill())) throw new BackupDamaged('It breaks off in the middle of a package file.');
    const bytes = this.#cut(count);
    this.hash.update(bytes);
    return bytes;
  }

  #cut(count: number): Buffer {
    const [first] = this.#pieces;
    const whole = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces = [whole.subarray(count)];
    this.#length -= count;
    return whole.subarray(0, count);
  }
}

/**
 * Reads a backup and checks it on the way: every hash, every count, the order of its parts, and at last its signature
 * under the master key. Whoever writes what comes out must be able to take it back until `end` has come.
 *
 * @param masterKeyFor judges the manifest, before anything else is read, and gives the master key for the signature
 * @throws BackupDamaged when the file is cut short, changed, or no backup
 */
export async function* readBackup(
  input: Readable,
  masterKeyFor: (manifest: Manifest) => Uint8Array,
): AsyncGenerator<BackupItem> {
  const unpacked = createZstdDecompress();
  input.once('error', (error) => unpacked.destroy(error));
  input.pipe(unpacked);
  try {
    yield* readItems(new ByteReader(unpacked as AsyncIterable<Buffer>), masterKeyFor);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (typeof code !== 'string' || !/^(ZSTD_|ERR_ZLIB|Z_)/.test(code)) throw error;
    throw new BackupDamaged('It cannot be unpacked: it is no backup, is cut short, or was changed.', {
      cause: error,
    });
  } finally {
    input.destroy();
    unpacked.destroy();
  }
}

async function* readItems(
  reader: ByteReader,
  masterKeyFor: (manifest: Manifest) => Uint8Array,
): AsyncGenerator<BackupItem> {
  const first = await reader.line();
  const manifest = first === null ? null : toManifest(parse(first));
  if (first === null || manifest === null) throw new BackupDamaged('It does not begin as a backup does.');
  reader.hash.update(first);
  const masterKey = masterKeyFor(manifest);
  yield { kind: 'manifest', manifest };
  const seen = { rows: 0, packages: 0, packageBytes: 0 };
  for (;;) {
    const line = await reader.line();
    if (line === null) throw new BackupDamaged('It breaks off before its end.');
    const value = parse(line);
    if (isObject(value) && isObject(value['end'])) {
      const ending = checkEnding(value['end'], reader.hash.digest('hex'), seen, masterKey);
      if ((await reader.line()) !== null) throw new BackupDamaged('Something stands behind its end.');
      yield { kind: 'end', ending };
      return;
    }
    reader.hash.update(line);
    if (!isObject(value)) throw new BackupDamaged('A row stands outside of a table.');
    if (typeof value['table'] === 'string') yield* readTable(reader, toTableLine(value), seen);
    else if (typeof value['package'] === 'string') yield* readPackage(reader, value, seen);
    else throw new BackupDamaged('It has a part that this release does not know.');
  }
}

async function* readTable(
  reader: ByteReader,
  table: TableLine,
  seen: { rows: number },
): AsyncGenerator<BackupItem> {
  yield { kind: 'table', ...table };
  // Names are shown on terminals long before the signature was seen.
  const name = JSON.stringify(table.table);
  const hash = createHash('sha256');
  let rows: unknown[][] = [];
  let count = 0;
  for (;;) {
    const line = await reader.line();
    if (line === null) throw new BackupDamaged(`It breaks off in the table ${name}.`);
    reader.hash.update(line);
    const value = parse(line);
    if (line[0] !== ROW_START) {
      if (rows.length > 0) yield { kind: 'rows', rows };
      const isRight =
        isObject(value) &&
        value['tableEnd'] === table.table &&
        value['rows'] === count &&
        value['sha256'] === hash.digest('hex');
      if (!isRight) throw new BackupDamaged(`The rows of the table ${name} are not those it had.`);
      seen.rows += count;
      return;
    }
    hash.update(line);
    if (!Array.isArray(value) || value.length !== table.columns.length || !value.every(isColumnValue))
      throw new BackupDamaged(`The table ${name} has a row of another shape.`);
    count += 1;
    rows.push(value);
    if (rows.length < ROWS_AT_ONCE) continue;
    yield { kind: 'rows', rows };
    rows = [];
  }
}

async function* readPackage(
  reader: ByteReader,
  { package: sha512, bytes: sizeBytes }: Readonly<Record<string, unknown>>,
  seen: { packages: number; packageBytes: number },
): AsyncGenerator<BackupItem> {
  if (typeof sha512 !== 'string' || !/^[0-9a-f]{128}$/.test(sha512) || typeof sizeBytes !== 'number')
    throw new BackupDamaged('It has a package file without a name.');
  yield { kind: 'package', sha512, sizeBytes };
  const hash = createHash('sha512');
  for (;;) {
    const line = await reader.line();
    if (line === null) throw new BackupDamaged('It breaks off in a package file.');
    reader.hash.update(line);
    const value = parse(line);
    if (!isObject(value)) throw new BackupDamaged('A row stands in a package file.');
    const { chunk } = value;
    if (typeof chunk === 'number' && Number.isInteger(chunk) && chunk > 0 && chunk <= CHUNK_BYTES_MAX) {
      const bytes = await reader.bytes(chunk);
      hash.update(bytes);
      seen.packageBytes += chunk;
      yield { kind: 'chunk', bytes };
      continue;
    }
    const isWhole = value['isWhole'] === true;
    if (value['packageEnd'] !== sha512 || (isWhole && hash.digest('hex') !== sha512))
      throw new BackupDamaged(`The package file ${sha512} is not what its name says.`);
    if (isWhole) seen.packages += 1;
    yield { kind: 'packageEnd', sha512, isWhole };
    return;
  }
}

function checkEnding(
  value: Readonly<Record<string, unknown>>,
  sha256: string,
  seen: { readonly rows: number; readonly packages: number; readonly packageBytes: number },
  masterKey: Uint8Array,
): Ending {
  const { rows, packages, packageBytes, missing } = value;
  const isRight =
    value['sha256'] === sha256 &&
    rows === seen.rows &&
    packages === seen.packages &&
    packageBytes === seen.packageBytes &&
    Array.isArray(missing);
  if (!isRight) throw new BackupDamaged('Its content is not what its end says.');
  const mac = signEnding(masterKey, sha256);
  if (value['mac'] !== mac)
    throw new BackupDamaged(
      'It was changed after it was written: its signature is not that of the master key.',
    );
  return { ...seen, missing: missing.map(String), sha256, mac };
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown;
  } catch (error) {
    throw new BackupDamaged('It has a line that is no JSON.', { cause: error });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isColumnValue(value: unknown): value is string | number | null {
  return value === null || typeof value === 'string' || typeof value === 'number';
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function toTableLine({ table, store, columns }: Readonly<Record<string, unknown>>): TableLine {
  if (typeof table === 'string' && (store === 'main' || store === 'usage') && isNames(columns))
    return { table, store, columns };
  throw new BackupDamaged('It has a table without a name.');
}

/** Null when this is no manifest at all; a later format is told from a damaged file. */
function toManifest(value: unknown): Manifest | null {
  if (!isObject(value) || typeof value['keyreeveBackup'] !== 'number') return null;
  if (value['keyreeveBackup'] > FORMAT_VERSION)
    throw new BackupDamaged('A newer release wrote it. Restore it with that release.');
  const { schema, masterKeyCheck, createdAt } = value;
  const isWhole =
    isObject(schema) &&
    isNames(schema['main']) &&
    isNames(schema['usage']) &&
    typeof masterKeyCheck === 'string' &&
    typeof createdAt === 'string';
  return isWhole ? (value as unknown as Manifest) : null;
}
