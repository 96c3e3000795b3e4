import { Buffer } from 'node:buffer';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl';
import { entryKey, readEntryName } from './entry-name.ts';
import { NupkgFault, spellNumber } from './fault.ts';
import { MAX_COMPRESSION_RATIO, MAX_FUTURE_DATE_MS, RATIO_FREE_BYTES } from './limits.ts';
import type { Pace } from './pace.ts';
import { layoutFault, type ZipEnd, zip64Fault } from './zip-end.ts';

const FIXED_HEADER_BYTES = 46;
const FLAG_ENCRYPTED = 0x0001;
const FLAG_PATCHED = 0x0020;
const FLAG_STRONG_ENCRYPTION = 0x0040;
const FLAG_MASKED_HEADERS = 0x2000;
export const METHOD_STORED = 0;
const METHOD_DEFLATED = 8;
const EXTRA_ZIP64 = 0x0001;
const EXTRA_UNICODE_PATH = 0x7075;
const UNIX_TYPE_MASK = 0xf000;
const UNIX_REGULAR = 0x8000;
const UNIX_FOLDER = 0x4000;

/** One entry as the central directory lists it, checked on its own. */
export interface CentralEntry {
  readonly name: string;
  readonly rawName: Buffer;
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly sizeBytes: number;
  readonly compressedBytes: number;
  readonly localOffset: number;
}

/** Reads the whole central directory and checks every entry, all entries together, and nothing but entries. */
export async function readDirectory(
  end: ZipEnd,
  options: { nowMs: number; maxUncompressedBytes: number; pace: Pace },
): Promise<CentralEntry[]> {
  const latestMs = options.nowMs + MAX_FUTURE_DATE_MS;
  const entries: CentralEntry[] = [];
  const keys = new Set<string>();
  let directoryBytes = 0;
  let totalBytes = 0;
  for await (const entry of eachEntry(end)) {
    await options.pace.step();
    const checked = checkEntry(entry, latestMs);
    const key = entryKey(checked.name);
    if (keys.has(key)) throw duplicateFault();
    keys.add(key);
    totalBytes += checked.sizeBytes;
    if (totalBytes > options.maxUncompressedBytes) throw tooLargeFault(options.maxUncompressedBytes);
    directoryBytes += headerBytes(entry);
    entries.push(checked);
  }
  // Bytes after the last entry would be read as entries by a reader that trusts the size and not the number.
  if (directoryBytes !== end.directoryBytes) throw layoutFault();
  if (isBomb(totalBytes, end.fileBytes)) throw ratioFault();
  return entries;
}

/** Whether an Info-ZIP Unicode path gives the entry another name than its header: readers differ in which counts. */
export function hasOtherName(extraFields: readonly { id: number; data: Buffer }[], rawName: Buffer): boolean {
  return extraFields.some(
    (field) => field.id === EXTRA_UNICODE_PATH && !field.data.subarray(5).equals(rawName),
  );
}

async function* eachEntry(end: ZipEnd): AsyncGenerator<Entry> {
  try {
    const reader = new TailReader(end);
    const zip = await fromRandomAccessReaderPromise(reader, end.fileBytes, {
      autoClose: false,
      decodeStrings: false,
      // Sizes are checked below, with a reason of their own.
      validateEntrySizes: false,
    });
    try {
      yield* zip.eachEntry();
    } finally {
      zip.close();
    }
  } catch (error) {
    throw new NupkgFault('not_a_zip', undefined, { cause: error });
  }
}

/** Lets yauzl read from the bytes in memory, so that a directory of 20,000 entries costs no system calls. */
class TailReader extends RandomAccessReader {
  readonly #end: ZipEnd;

  constructor(end: ZipEnd) {
    super();
    this.#end = end;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const start = position - this.#end.tailOffset;
    const isInside = start >= 0 && start + length <= this.#end.tail.length;
    if (isInside) this.#end.tail.copy(buffer, offset, start, start + length);
    // Answering at once would re-enter yauzl before it waits for the answer.
    queueMicrotask(() => callback(isInside ? null : new Error('The central directory ends too early.')));
  }
}

function checkEntry(entry: Entry, latestMs: number): CentralEntry {
  const flags = entry.generalPurposeBitFlag;
  if ((flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED_HEADERS)) !== 0) {
    throw new NupkgFault(
      'entry_encrypted',
      'A file in the package is encrypted. Pack it without a password.',
    );
  }
  const method = entry.compressionMethod;
  if ((method !== METHOD_STORED && method !== METHOD_DEFLATED) || (flags & FLAG_PATCHED) !== 0) {
    throw new NupkgFault(
      'entry_method',
      'A file in the package is compressed in an unknown way. Use deflate, or store it without compression.',
    );
  }
  if (entry.extraFields.some((field) => field.id === EXTRA_ZIP64)) throw zip64Fault();
  const name = readEntryName(entry.fileNameRaw);
  if (hasOtherName(entry.extraFields, entry.fileNameRaw)) throw headerFault();
  checkType(entry, name);
  checkSizes(entry, method);
  // The DOS date has no zone; one day of tolerance covers every zone. It is the date that NuGet clients see.
  const modifiedAt = entry.getLastModDate({ forceDosFormat: true, timezone: 'UTC' }).getTime();
  if (modifiedAt > latestMs) {
    throw new NupkgFault(
      'entry_future_date',
      'One or more files have a date in the future. Correct the clock or the dates of the files and pack again.',
    );
  }
  return {
    name,
    rawName: entry.fileNameRaw,
    method,
    flags,
    crc32: entry.crc32,
    sizeBytes: entry.uncompressedSize,
    compressedBytes: entry.compressedSize,
    localOffset: entry.relativeOffsetOfLocalHeader,
  };
}

function checkType(entry: Entry, name: string): void {
  // Some tools honour the Unix mode whatever system the entry claims to come from, so it always counts.
  const type = (entry.externalFileAttributes >>> 16) & UNIX_TYPE_MASK;
  const isFolder = name.endsWith('/');
  const isAllowed = type === 0 || type === (isFolder ? UNIX_FOLDER : UNIX_REGULAR);
  if (!isAllowed || (isFolder && entry.uncompressedSize !== 0)) {
    throw new NupkgFault(
      'entry_type',
      'The package may hold only plain files and folders: replace symbolic links and special files by copies.',
    );
  }
}

function checkSizes(entry: Entry, method: number): void {
  const { compressedSize, uncompressedSize } = entry;
  if (method === METHOD_STORED && compressedSize !== uncompressedSize) throw sizeFault();
  if (compressedSize === 0 && uncompressedSize !== 0) throw sizeFault();
  if (isBomb(uncompressedSize, compressedSize)) throw ratioFault();
}

function isBomb(sizeBytes: number, compressedBytes: number): boolean {
  return sizeBytes > RATIO_FREE_BYTES && sizeBytes > compressedBytes * MAX_COMPRESSION_RATIO;
}

function headerBytes(entry: Entry): number {
  return FIXED_HEADER_BYTES + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
}

export function headerFault(): NupkgFault {
  return new NupkgFault(
    'entry_header',
    'The package file contradicts itself: a file is described differently in the file list and in its own header. ' +
      'Pack it again with a standard tool such as nuget pack.',
  );
}

export function sizeFault(): NupkgFault {
  return new NupkgFault(
    'entry_size',
    'The package file states a wrong size for one of its files. Pack it again.',
  );
}

function duplicateFault(): NupkgFault {
  return new NupkgFault(
    'entry_duplicate',
    'The package holds two files of the same name (upper and lower case do not count). Rename or remove one.',
  );
}

function tooLargeFault(maxBytes: number): NupkgFault {
  return new NupkgFault(
    'archive_too_large',
    `The files of the package are too large when unpacked: together at most ${spellNumber(maxBytes)} bytes are allowed.`,
  );
}

function ratioFault(): NupkgFault {
  return new NupkgFault(
    'compression_ratio',
    `The package unpacks to more than ${MAX_COMPRESSION_RATIO} times its size. Remove files that hold only padding.`,
  );
}
