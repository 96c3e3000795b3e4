import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { parseExtraFields } from 'yauzl';
import { NupkgFault } from './fault.ts';
import { LOCAL_WINDOW_BYTES } from './limits.ts';
import type { Pace } from './pace.ts';
import { type CentralEntry, hasOtherName, headerFault, sizeFault } from './zip-directory.ts';
import { fillExactly, layoutFault, type ZipEnd } from './zip-end.ts';

const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const EXTRA_ZIP64 = 0x0001;
const FLAG_DESCRIPTOR = 0x0008;
const FLAG_UTF8 = 0x0800;
/** Flags that decide how the bytes are read; the others are hints of the compressor. */
const FLAGS_THAT_MATTER = 0x2061;
const UNKNOWN_32 = 0xffffffff;

/**
 * Walks through the file once, from its first byte to the central directory, and holds every local header to its
 * entry in the directory. Each entry must begin where the last one ended, so nothing overlaps and nothing is hidden.
 *
 * @returns where the data of each entry begins
 */
export async function checkLocals(
  handle: FileHandle,
  end: ZipEnd,
  entries: readonly CentralEntry[],
  pace: Pace,
): Promise<Map<CentralEntry, number>> {
  const window = createWindow(handle, end.directoryOffset);
  const sorted = entries.toSorted((a, b) => a.localOffset - b.localOffset);
  const dataStarts = new Map<CentralEntry, number>();
  let expected = 0;
  for (const [index, entry] of sorted.entries()) {
    await pace.step();
    if (entry.localOffset !== expected) throw layoutFault();
    const { dataStart, hasDescriptor } = await checkHeader(window, entry);
    const dataEnd = dataStart + entry.compressedBytes;
    const next = sorted[index + 1]?.localOffset ?? end.directoryOffset;
    if (dataEnd > next || (!hasDescriptor && dataEnd !== next)) throw layoutFault();
    if (hasDescriptor) checkDescriptor(entry, await window.read(dataEnd, Math.min(next - dataEnd, 25)));
    dataStarts.set(entry, dataStart);
    expected = next;
  }
  if (expected !== end.directoryOffset) throw layoutFault();
  return dataStarts;
}

async function checkHeader(
  window: Window,
  entry: CentralEntry,
): Promise<{ dataStart: number; hasDescriptor: boolean }> {
  const fixed = await window.read(entry.localOffset, LOCAL_BYTES);
  if (fixed.readUInt32LE(0) !== LOCAL_SIGNATURE) throw layoutFault();
  const flags = fixed.readUInt16LE(6);
  const method = fixed.readUInt16LE(8);
  const stated = {
    crc32: fixed.readUInt32LE(14),
    packed: fixed.readUInt32LE(18),
    plain: fixed.readUInt32LE(22),
  };
  const nameBytes = fixed.readUInt16LE(26);
  const extraBytes = fixed.readUInt16LE(28);
  if (method !== entry.method || ((flags ^ entry.flags) & FLAGS_THAT_MATTER) !== 0) throw headerFault();
  const variable = await window.read(entry.localOffset + LOCAL_BYTES, nameBytes + extraBytes);
  const name = variable.subarray(0, nameBytes);
  if (!name.equals(entry.rawName)) throw headerFault();
  // The encoding flag changes nothing about an ASCII name; in any other name both headers must agree on it.
  if (((flags ^ entry.flags) & FLAG_UTF8) !== 0 && name.some((byte) => byte > 0x7f)) throw headerFault();
  const extraFields = readExtraFields(variable.subarray(nameBytes));
  if (hasOtherName(extraFields, entry.rawName)) throw headerFault();
  const zip64 = extraFields.find((field) => field.id === EXTRA_ZIP64)?.data;
  const hasDescriptor = (flags & FLAG_DESCRIPTOR) !== 0;
  checkStated(entry, resolveZip64(stated, zip64), hasDescriptor);
  return { dataStart: entry.localOffset + LOCAL_BYTES + nameBytes + extraBytes, hasDescriptor };
}

interface StatedSizes {
  crc32: number;
  packed: number;
  plain: number;
}

/** Old versions of System.IO.Packaging write the sizes of every local header in the zip64 way. */
function resolveZip64(stated: StatedSizes, zip64: Buffer | undefined): StatedSizes {
  if (stated.packed !== UNKNOWN_32 && stated.plain !== UNKNOWN_32) return stated;
  if (zip64 === undefined || zip64.length < 16) throw headerFault();
  return {
    crc32: stated.crc32,
    plain: stated.plain === UNKNOWN_32 ? Number(zip64.readBigUInt64LE(0)) : stated.plain,
    packed: stated.packed === UNKNOWN_32 ? Number(zip64.readBigUInt64LE(8)) : stated.packed,
  };
}

function checkStated(entry: CentralEntry, stated: StatedSizes, hasDescriptor: boolean): void {
  // A writer that streams does not know the values yet: it writes zeros here and the values after the data.
  const agrees = (value: number, expected: number) => value === expected || (hasDescriptor && value === 0);
  if (!agrees(stated.packed, entry.compressedBytes) || !agrees(stated.plain, entry.sizeBytes))
    throw sizeFault();
  if (!agrees(stated.crc32, entry.crc32)) throw headerFault();
}

/** The values after the data, in one of the four forms in use: with or without signature, in 32 or 64 bits. */
function checkDescriptor(entry: CentralEntry, descriptor: Buffer): void {
  const { length } = descriptor;
  const start = length === 16 || length === 24 ? 4 : 0;
  const isWide = length === 20 || length === 24;
  if (length !== 12 && length !== 16 && !isWide) throw layoutFault();
  if (start === 4 && descriptor.readUInt32LE(0) !== DESCRIPTOR_SIGNATURE) throw layoutFault();
  const crc32 = descriptor.readUInt32LE(start);
  const packed = isWide ? Number(descriptor.readBigUInt64LE(start + 4)) : descriptor.readUInt32LE(start + 4);
  const plain = isWide ? Number(descriptor.readBigUInt64LE(start + 12)) : descriptor.readUInt32LE(start + 8);
  if (crc32 !== entry.crc32) throw headerFault();
  if (packed !== entry.compressedBytes || plain !== entry.sizeBytes) throw sizeFault();
}

function readExtraFields(bytes: Buffer): { id: number; data: Buffer }[] {
  if (bytes.length === 0) return [];
  try {
    return parseExtraFields(bytes);
  } catch (error) {
    throw new NupkgFault('not_a_zip', undefined, { cause: error });
  }
}

interface Window {
  /** The bytes at `offset`, valid until the next call. Offsets should grow, so that the file is read once. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** Reads forward in large steps: thousands of small entries then cost a few system calls instead of one each. */
function createWindow(handle: FileHandle, endOffset: number): Window {
  let buffer = Buffer.allocUnsafe(LOCAL_WINDOW_BYTES);
  let start = 0;
  let filled = 0;
  return {
    async read(offset, length) {
      if (offset + length > endOffset) throw layoutFault();
      if (offset < start || offset + length > start + filled) {
        const wanted = Math.min(Math.max(length, LOCAL_WINDOW_BYTES), endOffset - offset);
        if (wanted > buffer.length) buffer = Buffer.allocUnsafe(wanted);
        filled = 0;
        await fillExactly(handle, buffer, offset, wanted);
        start = offset;
        filled = wanted;
      }
      return buffer.subarray(offset - start, offset - start + length);
    },
  };
}
