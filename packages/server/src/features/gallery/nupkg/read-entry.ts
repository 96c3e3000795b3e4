import type { Buffer } from 'node:buffer';
import { entryKey } from './entry-name.ts';
import { MAX_UNCOMPRESSED_BYTES, READ_DEADLINE_MS } from './limits.ts';
import { createPace } from './pace.ts';
import { findNuspec, unpackEntry } from './read-zip.ts';
import { type CentralEntry, readDirectory } from './zip-directory.ts';
import { type PackageSource, readExactly, readZipEnd } from './zip-end.ts';

const LOCAL_BYTES = 30;

/** Which file of a package: its manifest, or one by the name that the manifest gives it. */
export type WantedEntry = 'nuspec' | { readonly name: string };

/**
 * Unpacks one file of a package that was held to every rule when it was pushed; the list of files is read with the
 * same limits all the same, since the bytes come from a disk or from over the network.
 *
 * @returns null when there is no such file, or it is larger than `maxBytes`
 * @throws NupkgFault when the bytes are not those of a package any more
 */
export async function readEntry(
  source: PackageSource,
  wanted: WantedEntry,
  maxBytes: number,
): Promise<Buffer | null> {
  const end = await readZipEnd(source);
  const entries = await readDirectory(end, {
    // Whether a date was in the future was asked when the package came.
    nowMs: Number.POSITIVE_INFINITY,
    maxUncompressedBytes: MAX_UNCOMPRESSED_BYTES,
    pace: createPace(READ_DEADLINE_MS),
  });
  const entry = wanted === 'nuspec' ? findNuspec(entries) : findByName(entries, wanted.name);
  if (entry === null || entry.sizeBytes > maxBytes || entry.compressedBytes > maxBytes + 1024) return null;
  const header = await readExactly(source, entry.localOffset, LOCAL_BYTES);
  const dataStart = entry.localOffset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  return await unpackEntry(source, entry, dataStart);
}

/** Manifests are written on Windows as well: a backslash parts folders, and case does not count. */
function findByName(entries: readonly CentralEntry[], name: string): CentralEntry | null {
  const key = entryKey(name.replaceAll('\\', '/').replace(/^(?:\.?\/)+/, ''));
  return entries.find((entry) => entryKey(entry.name) === key) ?? null;
}
