import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, Readable, Transform } from 'node:stream';
import { type Random, systemRandom } from '../../lib/random.ts';
import { BlobDamaged, type BlobInfo, type BlobStore, type StagedBlob } from './blob-store.ts';

const SHA512_HEX = /^[0-9a-f]{128}$/;
const SHARD = /^[0-9a-f]{2}$/;
const STAGING = 'staging';
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const NAME_BYTES = 16;

/**
 * Keeps blobs as files: `aa/bb/<sha512>` by the first two bytes of the hash, and `staging/` beside them in the same
 * file system, so that promoting is one rename. Names are generated or checked; none comes from an upload.
 */
export function createFolderBlobStore(options: {
  folder: string;
  /** Milliseconds since 1970. */
  now: () => number;
  random?: Random;
}): BlobStore {
  const { folder, now, random = systemRandom } = options;
  const staging = join(folder, STAGING);
  return {
    async stage() {
      await mkdir(staging, { recursive: true, mode: FOLDER_MODE });
      const name = Buffer.from(random.bytes(NAME_BYTES)).toString('hex');
      const path = join(staging, `${name}.part`);
      // The flag x makes a name that is taken a fault instead of two uploads in one file.
      return createStagedBlob(folder, path, await open(path, 'wx', FILE_MODE));
    },

    async open(sha512Hex) {
      const path = blobPath(folder, sha512Hex);
      const info = path === null ? null : await statOrNull(path);
      if (path === null || info === null || !info.isFile()) return null;
      const sizeBytes = info.size;
      return { sizeBytes, stream: (start, end) => openStream(path, sha512Hex, sizeBytes, start, end) };
    },

    async remove(sha512Hex) {
      const path = blobPath(folder, sha512Hex);
      if (path !== null) await rm(path, { force: true });
    },

    list: () => listBlobs(folder),

    async sweepStaging(olderThanMs) {
      let removed = 0;
      for await (const name of namesIn(staging)) {
        const path = join(staging, name);
        const info = await statOrNull(path);
        if (info === null || !info.isFile() || now() - info.mtimeMs <= olderThanMs) continue;
        await rm(path, { force: true });
        removed += 1;
      }
      return removed;
    },
  };
}

function createStagedBlob(folder: string, path: string, handle: FileHandle): StagedBlob {
  const hash = createHash('sha512');
  let state: 'writing' | 'finished' | 'promoted' | 'discarded' = 'writing';
  let sizeBytes = 0;
  let sha512Hex: string | null = null;
  const digest = (): string => {
    if (sha512Hex === null) throw new Error('The hash of a staged blob is known only after finish().');
    return sha512Hex;
  };
  return {
    path,
    get sizeBytes() {
      return sizeBytes;
    },
    get sha512Hex() {
      return digest();
    },

    async write(chunk) {
      if (state !== 'writing') throw new Error(`A blob that is ${state} takes no more bytes.`);
      hash.update(chunk);
      let written = 0;
      while (written < chunk.length) {
        const { bytesWritten } = await handle.write(chunk, written, chunk.length - written);
        written += bytesWritten;
      }
      sizeBytes += chunk.length;
    },

    async finish() {
      if (state === 'finished' || state === 'promoted') return;
      if (state === 'discarded') throw new Error('A blob that is discarded cannot be finished.');
      await handle.sync();
      await handle.close();
      sha512Hex = hash.digest('hex');
      state = 'finished';
    },

    async promote() {
      if (state === 'promoted') return;
      if (state !== 'finished')
        throw new Error(`A blob that is ${state} cannot be promoted; finish it first.`);
      await putInPlace(folder, path, digest());
      state = 'promoted';
    },

    async discard() {
      if (state === 'promoted' || state === 'discarded') return;
      if (state === 'writing') await handle.close();
      state = 'discarded';
      await rm(path, { force: true });
    },
  };
}

async function putInPlace(folder: string, from: string, sha512Hex: string): Promise<void> {
  const outer = join(folder, sha512Hex.slice(0, 2));
  const inner = join(outer, sha512Hex.slice(2, 4));
  await mkdir(inner, { recursive: true, mode: FOLDER_MODE });
  // A blob that is there already is replaced by the same bytes: that heals a damaged one, and its new date keeps
  // the sweep of blobs without a row away while this push has not yet written its row.
  await rename(from, join(inner, sha512Hex));
  // All three, for another push may have made the folders a moment ago and not yet synced them.
  for (const changed of [inner, outer, folder]) await syncFolder(changed);
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and makes a rename durable by itself.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function openStream(
  path: string,
  sha512Hex: string,
  sizeBytes: number,
  start = 0,
  end = sizeBytes,
): Readable {
  const from = Math.max(0, start);
  const to = Math.min(end, sizeBytes);
  const isWhole = from === 0 && to === sizeBytes;
  if (from >= to && !isWhole) return Readable.from([]);
  if (!isWhole) return createReadStream(path, { start: from, end: to - 1 });
  const verifier = createVerifier(sha512Hex);
  // The verifier carries every failure of the file on to its reader.
  pipeline(createReadStream(path), verifier, () => {});
  return verifier;
}

/** Passes bytes on one chunk late: the last chunk leaves only when the hash of the whole is right. */
function createVerifier(sha512Hex: string): Transform {
  const hash = createHash('sha512');
  let held: Buffer | null = null;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      const ready = held;
      held = chunk;
      done(null, ready ?? undefined);
    },
    flush(done) {
      if (hash.digest('hex') !== sha512Hex) done(new BlobDamaged(sha512Hex));
      else done(null, held ?? undefined);
    },
  });
}

async function* listBlobs(folder: string): AsyncGenerator<BlobInfo> {
  for await (const outer of namesIn(folder)) {
    if (!SHARD.test(outer)) continue;
    for await (const inner of namesIn(join(folder, outer))) {
      if (!SHARD.test(inner)) continue;
      for await (const name of namesIn(join(folder, outer, inner))) {
        const path = blobPath(folder, name);
        if (path === null || path !== join(folder, outer, inner, name)) continue;
        // A blob that is removed meanwhile is simply not listed.
        const info = await statOrNull(path);
        if (info?.isFile() !== true) continue;
        yield { sha512Hex: name, sizeBytes: info.size, modifiedAt: Math.trunc(info.mtimeMs) };
      }
    }
  }
}

/** The path of a blob; `null` for anything but 128 lower-case hex digits, so that no name can lead elsewhere. */
function blobPath(folder: string, sha512Hex: string): string | null {
  if (!SHA512_HEX.test(sha512Hex)) return null;
  return join(folder, sha512Hex.slice(0, 2), sha512Hex.slice(2, 4), sha512Hex);
}

async function* namesIn(folder: string): AsyncGenerator<string> {
  try {
    for await (const entry of await opendir(folder)) yield entry.name;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function statOrNull(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
