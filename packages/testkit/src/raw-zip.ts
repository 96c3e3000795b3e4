import { Buffer } from 'node:buffer';
import { crc32, deflateRawSync } from 'node:zlib';

/** 2020-01-01 12:00 as DOS writes it. */
const DOS_DATE = (40 << 9) | (1 << 5) | 1;
const DOS_TIME = 12 << 11;
export const DOS_DATE_2099 = (119 << 9) | (1 << 5) | 1;

/** One entry of a zip in which everything may be wrong; what is left out is right. */
export interface RawEntry {
  name: string | Uint8Array;
  data?: Uint8Array | string;
  method?: number;
  /** The packed bytes as they are, instead of those made from `data`. */
  packed?: Uint8Array;
  crc32?: number;
  sizeBytes?: number;
  compressedBytes?: number;
  flags?: number;
  dosDate?: number;
  madeBy?: number;
  externalAttributes?: number;
  extra?: Uint8Array;
  comment?: Uint8Array;
  /** Where the directory says that the local header is. */
  localOffset?: number;
  local?: {
    name?: string;
    method?: number;
    flags?: number;
    crc32?: number;
    sizeBytes?: number;
    compressedBytes?: number;
    extra?: Uint8Array;
  };
  /** Bytes after the data; with `descriptor` a right data descriptor of that length is put there. */
  after?: Uint8Array;
  descriptor?: 12 | 16 | 20 | 24;
}

export interface RawZipOptions {
  prefix?: Uint8Array;
  /** Bytes between the last entry and the directory. */
  gap?: Uint8Array;
  comment?: Uint8Array;
  end?: Partial<{
    disk: number;
    entriesHere: number;
    entryCount: number;
    directoryBytes: number;
    directoryOffset: number;
    commentBytes: number;
  }>;
  /** Bytes directly before the end record, such as a zip64 locator. */
  beforeEnd?: Uint8Array;
  /** Writes the local parts in this order; the directory keeps the order of the entries. */
  localOrder?: readonly number[];
}

/** Writes a zip byte by byte, as wrong as it is asked to be. */
export function writeRawZip(entries: readonly RawEntry[], options: RawZipOptions = {}): Uint8Array {
  const chunks: Uint8Array[] = [options.prefix ?? new Uint8Array()];
  let offset = 0;
  const offsets: number[] = [];
  const filled = entries.map(fillEntry);
  for (const index of options.localOrder ?? entries.keys()) {
    const entry = filled[index];
    if (entry === undefined) throw new RangeError(`no entry ${index}`);
    offsets[index] = offset;
    const parts = [localHeader(entry), entry.packed, entry.after];
    for (const part of parts) offset += part.length;
    chunks.push(...parts);
  }
  const gap = options.gap ?? new Uint8Array();
  chunks.push(gap);
  const directoryOffset = offset + gap.length;
  let directoryBytes = 0;
  for (const [index, entry] of filled.entries()) {
    const header = centralHeader(entry, entry.localOffset ?? offsets[index] ?? 0);
    directoryBytes += header.length;
    chunks.push(header);
  }
  chunks.push(options.beforeEnd ?? new Uint8Array());
  chunks.push(endRecord(entries.length, directoryBytes, directoryOffset, options));
  return Buffer.concat(chunks);
}

export function endRecord(
  entryCount: number,
  directoryBytes: number,
  directoryOffset: number,
  options: RawZipOptions = {},
): Buffer {
  const comment = options.comment ?? new Uint8Array();
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.end?.disk ?? 0, 4);
  end.writeUInt16LE(options.end?.disk ?? 0, 6);
  end.writeUInt16LE(options.end?.entriesHere ?? options.end?.entryCount ?? entryCount & 0xffff, 8);
  end.writeUInt16LE(options.end?.entryCount ?? entryCount & 0xffff, 10);
  end.writeUInt32LE(options.end?.directoryBytes ?? directoryBytes, 12);
  end.writeUInt32LE(options.end?.directoryOffset ?? directoryOffset, 16);
  end.writeUInt16LE(options.end?.commentBytes ?? comment.length, 20);
  return Buffer.concat([end, comment]);
}

/** An extra field of this id. */
export function extraField(id: number, data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(id, 0);
  header.writeUInt16LE(data.length, 2);
  return Buffer.concat([header, data]);
}

/** Two sizes as a zip64 extra field carries them. */
export function zip64Sizes(sizeBytes: number, compressedBytes: number): Uint8Array {
  const data = Buffer.alloc(16);
  data.writeBigUInt64LE(BigInt(sizeBytes), 0);
  data.writeBigUInt64LE(BigInt(compressedBytes), 8);
  return extraField(1, data);
}

function fillEntry(entry: RawEntry) {
  const data = typeof entry.data === 'string' ? Buffer.from(entry.data) : (entry.data ?? new Uint8Array());
  const method = entry.method ?? 8;
  const packed = entry.packed ?? (method === 8 ? deflateRawSync(data) : data);
  const filled = {
    ...entry,
    name: typeof entry.name === 'string' ? Buffer.from(entry.name) : entry.name,
    method,
    packed,
    crc32: entry.crc32 ?? crc32(data),
    sizeBytes: entry.sizeBytes ?? data.length,
    compressedBytes: entry.compressedBytes ?? packed.length,
    flags: entry.flags ?? (entry.descriptor === undefined ? 0 : 8),
    after: entry.after ?? new Uint8Array(),
  };
  if (entry.descriptor !== undefined) filled.after = makeDescriptor(filled, entry.descriptor);
  return filled;
}

type FilledEntry = ReturnType<typeof fillEntry>;

function makeDescriptor(
  entry: { crc32: number; sizeBytes: number; compressedBytes: number },
  length: number,
): Buffer {
  const descriptor = Buffer.alloc(length);
  const start = length === 16 || length === 24 ? 4 : 0;
  if (start === 4) descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(entry.crc32, start);
  if (length < 20) {
    descriptor.writeUInt32LE(entry.compressedBytes, start + 4);
    descriptor.writeUInt32LE(entry.sizeBytes, start + 8);
  } else {
    descriptor.writeBigUInt64LE(BigInt(entry.compressedBytes), start + 4);
    descriptor.writeBigUInt64LE(BigInt(entry.sizeBytes), start + 12);
  }
  return descriptor;
}

function localHeader(entry: FilledEntry): Buffer {
  const local = entry.local ?? {};
  const name = local.name === undefined ? entry.name : Buffer.from(local.name);
  const extra = local.extra ?? new Uint8Array();
  // A writer that streams does not know these values yet.
  const early = (value: number) => (entry.descriptor === undefined ? value : 0);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(local.flags ?? entry.flags, 6);
  header.writeUInt16LE(local.method ?? entry.method, 8);
  header.writeUInt16LE(DOS_TIME, 10);
  header.writeUInt16LE(entry.dosDate ?? DOS_DATE, 12);
  header.writeUInt32LE(local.crc32 ?? early(entry.crc32), 14);
  header.writeUInt32LE(local.compressedBytes ?? early(entry.compressedBytes), 18);
  header.writeUInt32LE(local.sizeBytes ?? early(entry.sizeBytes), 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

function centralHeader(entry: FilledEntry, localOffset: number): Buffer {
  const extra = entry.extra ?? new Uint8Array();
  const comment = entry.comment ?? new Uint8Array();
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(entry.madeBy ?? 20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(entry.flags, 8);
  header.writeUInt16LE(entry.method, 10);
  header.writeUInt16LE(DOS_TIME, 12);
  header.writeUInt16LE(entry.dosDate ?? DOS_DATE, 14);
  header.writeUInt32LE(entry.crc32, 16);
  header.writeUInt32LE(entry.compressedBytes, 20);
  header.writeUInt32LE(entry.sizeBytes, 24);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt16LE(comment.length, 32);
  header.writeUInt32LE(entry.externalAttributes ?? 0, 38);
  header.writeUInt32LE(localOffset, 42);
  return Buffer.concat([header, entry.name, extra, comment]);
}
