import type { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, type InflateRaw, inflateRaw } from 'node:zlib';
import { asciiLower } from '../../../lib/ascii.ts';
import { NupkgFault } from './fault.ts';
import { MAX_NUSPEC_BYTES } from './limits.ts';
import type { Pace } from './pace.ts';
import { type CentralEntry, METHOD_STORED, readDirectory } from './zip-directory.ts';
import { type PackageSource, readExactly, readZipEnd } from './zip-end.ts';
import { checkLocals } from './zip-locals.ts';

const SIGNATURE_FILE = '.signature.p7s';

/** A package whose container kept every rule. */
export interface NupkgContainer {
  readonly entryCount: number;
  /** What all files take together when unpacked, as the archive states it. */
  readonly uncompressedBytes: number;
  /** Whether an author or repository signature is inside. It is not verified here. */
  readonly isSigned: boolean;
  readonly nuspecBytes: Buffer;
}

/**
 * Checks the container of an untrusted package and unpacks its manifest, and nothing else.
 *
 * @param options.nowMs the present, in milliseconds since 1970, for the dates of the files
 */
export async function readZip(
  handle: FileHandle,
  options: { nowMs: number; maxUncompressedBytes: number; pace: Pace },
): Promise<NupkgContainer> {
  const end = await readZipEnd(handle);
  const entries = await readDirectory(end, options);
  const dataStarts = await checkLocals(handle, end, entries, options.pace);
  const nuspec = findNuspec(entries);
  return {
    entryCount: entries.length,
    uncompressedBytes: entries.reduce((sum, entry) => sum + entry.sizeBytes, 0),
    isSigned: entries.some((entry) => entry.name === SIGNATURE_FILE),
    nuspecBytes: await unpackNuspec(handle, nuspec, dataStarts.get(nuspec) ?? 0),
  };
}

export function findNuspec(entries: readonly CentralEntry[]): CentralEntry {
  const found = entries.filter(
    (entry) => !entry.name.includes('/') && asciiLower(entry.name).endsWith('.nuspec'),
  );
  const [nuspec] = found;
  if (nuspec === undefined) {
    throw new NupkgFault(
      'nuspec_missing',
      'The package has no manifest: put exactly one .nuspec file into its root.',
    );
  }
  if (found.length > 1) {
    throw new NupkgFault(
      'nuspec_duplicate',
      'The package has more than one .nuspec file in its root: keep only one.',
    );
  }
  return nuspec;
}

async function unpackNuspec(handle: PackageSource, entry: CentralEntry, dataStart: number): Promise<Buffer> {
  // Deflate never makes a text much longer, so the packed size has the same limit as the plain one.
  if (entry.sizeBytes > MAX_NUSPEC_BYTES || entry.compressedBytes > MAX_NUSPEC_BYTES + 1024) {
    throw new NupkgFault(
      'nuspec_too_large',
      'The manifest (.nuspec) is larger than 1 MiB. Shorten its texts.',
    );
  }
  return await unpackEntry(handle, entry, dataStart);
}

/** The bytes of a file in the package. Its stated sizes are the caller's to judge: so much memory is taken. */
export async function unpackEntry(
  handle: PackageSource,
  entry: CentralEntry,
  dataStart: number,
): Promise<Buffer> {
  const packed = await readExactly(handle, dataStart, entry.compressedBytes);
  const plain = entry.method === METHOD_STORED ? packed : await inflate(packed, entry.sizeBytes);
  if (plain.length !== entry.sizeBytes || crc32(plain) !== entry.crc32) throw damagedFault();
  return plain;
}

const inflateRawAsync = promisify(inflateRaw) as unknown as (
  packed: Buffer,
  options: { maxOutputLength: number; info: true },
) => Promise<{ buffer: Buffer; engine: InflateRaw }>;

async function inflate(packed: Buffer, sizeBytes: number): Promise<Buffer> {
  try {
    // The stated size is also the cap: data that unpack to more are cut off and refused, whatever they would become.
    const { buffer, engine } = await inflateRawAsync(packed, {
      maxOutputLength: Math.max(1, sizeBytes),
      info: true,
    });
    if (engine.bytesWritten !== packed.length) throw damagedFault();
    return buffer;
  } catch (error) {
    if (error instanceof NupkgFault) throw error;
    throw damagedFault(error);
  }
}

function damagedFault(cause?: unknown): NupkgFault {
  return new NupkgFault(
    'nuspec_damaged',
    'The manifest (.nuspec) in the package is damaged: its size or checksum is wrong. Pack it again.',
    { cause },
  );
}
