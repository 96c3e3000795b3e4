import { open } from 'node:fs/promises';
import { MAX_UNCOMPRESSED_BYTES, READ_DEADLINE_MS } from './limits.ts';
import { type NuspecMetadata, parseNuspec } from './nuspec.ts';
import { createPace } from './pace.ts';
import { type NupkgContainer, readZip } from './read-zip.ts';

export interface ReadNupkgOptions {
  /** The present, in milliseconds since 1970: files dated more than a day later are refused. */
  readonly nowMs: number;
  /** What all files of the package may take when unpacked; 512 MiB unless told. */
  readonly maxUncompressedBytes?: number;
  /** How long reading may take; 10 s unless told. */
  readonly deadlineMs?: number;
}

/** The manifest of a package, and what its container told. */
export interface NupkgContents extends NuspecMetadata, NupkgContainer {
  readonly sizeBytes: number;
}

/**
 * Reads an uploaded package from a file and changes nothing. The file is untrusted: the container is held to every
 * rule before the manifest is unpacked, nothing is unpacked to disk, and the event loop is given way to throughout.
 *
 * @throws NupkgFault when the package breaks a rule; errors of the file system pass through
 */
export async function readNupkg(path: string, options: ReadNupkgOptions): Promise<NupkgContents> {
  const pace = createPace(options.deadlineMs ?? READ_DEADLINE_MS);
  const handle = await open(path, 'r');
  try {
    const { size: sizeBytes } = await handle.stat();
    const container = await readZip(handle, {
      nowMs: options.nowMs,
      maxUncompressedBytes: options.maxUncompressedBytes ?? MAX_UNCOMPRESSED_BYTES,
      pace,
    });
    const metadata = await parseNuspec(container.nuspecBytes, pace);
    return { ...metadata, ...container, sizeBytes };
  } finally {
    await handle.close();
  }
}
