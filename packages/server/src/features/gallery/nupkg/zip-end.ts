import { Buffer } from 'node:buffer';
import { NupkgFault, spellNumber } from './fault.ts';
import { MAX_CENTRAL_DIRECTORY_BYTES, MAX_ENTRIES } from './limits.ts';

const END_SIGNATURE = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;

/** What reading a package asks of whatever holds its bytes; an open file is one. */
export interface PackageSource {
  stat(): Promise<{ readonly size: number }>;
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
}

/** The end of the file in memory, from the central directory on or earlier, and where the parts lie in the file. */
export interface ZipEnd {
  readonly entryCount: number;
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  readonly fileBytes: number;
  /** The bytes of the file from {@link tailOffset} to its end. */
  readonly tail: Buffer;
  readonly tailOffset: number;
}

/**
 * Finds the one end record and holds the archive to it: the central directory must lie directly before the record,
 * and the record with its comment must be the last thing in the file. Then all readers, whichever way they search,
 * see the same list of files. The number of entries and the size of the directory are limited before it is read.
 */
export async function readZipEnd(handle: PackageSource): Promise<ZipEnd> {
  const fileBytes = (await handle.stat()).size;
  if (fileBytes < END_BYTES) throw new NupkgFault('not_a_zip');
  const searchOffset = Math.max(0, fileBytes - END_BYTES - MAX_COMMENT_BYTES - ZIP64_LOCATOR_BYTES);
  const search = await readExactly(handle, searchOffset, fileBytes - searchOffset);
  const at = search.lastIndexOf(END_SIGNATURE, search.length - END_BYTES);
  if (at === -1) throw new NupkgFault('not_a_zip');
  const record = search.subarray(at);
  const commentBytes = record.readUInt16LE(20);
  // The last signature in the file must be the record, or another reader would find another record.
  if (commentBytes !== record.length - END_BYTES) throw layoutFault();
  const hasZip64 =
    at >= ZIP64_LOCATOR_BYTES && search.readUInt32LE(at - ZIP64_LOCATOR_BYTES) === ZIP64_LOCATOR_SIGNATURE;
  const end = checkRecord(record, searchOffset + at, hasZip64);
  const tailOffset = Math.min(end.directoryOffset, searchOffset);
  const tail =
    tailOffset === searchOffset ? search : await readExactly(handle, tailOffset, fileBytes - tailOffset);
  return { ...end, fileBytes, tail, tailOffset };
}

export async function readExactly(handle: PackageSource, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  await fillExactly(handle, buffer, offset, length);
  return buffer;
}

/** Reads into the start of `buffer`; a file that ends too early is no package. */
export async function fillExactly(
  handle: PackageSource,
  buffer: Buffer,
  offset: number,
  length: number,
): Promise<void> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw new NupkgFault('not_a_zip');
    filled += bytesRead;
  }
}

export function layoutFault(): NupkgFault {
  return new NupkgFault(
    'archive_layout',
    'The package file has bytes before, between or after its files, or files that overlap. ' +
      'Pack it again with a standard tool such as nuget pack.',
  );
}

function checkRecord(
  record: Buffer,
  recordOffset: number,
  hasZip64: boolean,
): Pick<ZipEnd, 'entryCount' | 'directoryOffset' | 'directoryBytes'> {
  const disks = [record.readUInt16LE(4), record.readUInt16LE(6)];
  const entriesHere = record.readUInt16LE(8);
  const entryCount = record.readUInt16LE(10);
  const directoryBytes = record.readUInt32LE(12);
  const directoryOffset = record.readUInt32LE(16);
  if (entryCount > MAX_ENTRIES) {
    const limit = spellNumber(MAX_ENTRIES);
    throw new NupkgFault(
      'too_many_entries',
      `The package holds too many files: at most ${limit} are allowed.`,
    );
  }
  // A package within our limits never needs zip64, and old readers would see another archive.
  if (hasZip64 || directoryBytes === 0xffffffff || directoryOffset === 0xffffffff) throw zip64Fault();
  if (disks[0] !== 0 || disks[1] !== 0 || entriesHere !== entryCount) throw layoutFault();
  if (directoryBytes > MAX_CENTRAL_DIRECTORY_BYTES) {
    throw new NupkgFault(
      'directory_too_large',
      'The file list of the package is larger than 4 MiB: use fewer files or shorter names.',
    );
  }
  if (directoryOffset + directoryBytes !== recordOffset) throw layoutFault();
  if (entryCount === 0 && recordOffset === 0) {
    throw new NupkgFault('archive_empty', 'The package file is empty. Pack at least the manifest (.nuspec).');
  }
  return { entryCount, directoryOffset, directoryBytes };
}

export function zip64Fault(): NupkgFault {
  return new NupkgFault(
    'archive_zip64',
    'The package file uses the zip64 format, which packages of this size do not need. Pack it without zip64.',
  );
}
