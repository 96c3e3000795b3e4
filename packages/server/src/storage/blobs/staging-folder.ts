import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { noteLitter } from '../../lib/litter.ts';
import type { Random } from '../../lib/random.ts';
import type { StagedBlob } from './blob-store.ts';

const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;
const NAME_BYTES = 16;

export interface FinishedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha512Hex: string;
}

export interface StagingFolder {
  stage(): Promise<StagedBlob>;
  /** @see BlobStore.sweepStaging */
  sweep(olderThanMs: number): Promise<number>;
}

/**
 * Where uploads arrive before anybody has looked at them: files that only the server reads, under names that it
 * makes itself.
 */
export function createStagingFolder(options: {
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: Random;
  /** Puts a finished file under its name in the store; the file may be gone afterwards. */
  readonly place: (file: FinishedFile) => Promise<void>;
  /** Turns an error of the file system into what the store says of it. */
  readonly explain: (error: unknown) => unknown;
}): StagingFolder {
  const { folder, now, random, place, explain } = options;
  return {
    async stage() {
      const name = Buffer.from(random.bytes(NAME_BYTES)).toString('hex');
      const path = join(folder, `${name}.part`);
      try {
        await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
        // The flag x makes a name that is taken a fault instead of two uploads in one file.
        return createStagedBlob({ path, handle: await open(path, 'wx', FILE_MODE), place, explain });
      } catch (error) {
        throw explain(error);
      }
    },

    async sweep(olderThanMs) {
      let removed = 0;
      for await (const name of namesIn(folder)) {
        const path = join(folder, name);
        const info = await statOrNull(path);
        if (info === null || !info.isFile() || now() - info.mtimeMs <= olderThanMs) continue;
        await rm(path, { force: true });
        removed += 1;
      }
      return removed;
    },
  };
}

function createStagedBlob(options: {
  readonly path: string;
  readonly handle: FileHandle;
  readonly place: (file: FinishedFile) => Promise<void>;
  readonly explain: (error: unknown) => unknown;
}): StagedBlob {
  const { path, handle, place, explain } = options;
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
        const { bytesWritten } = await explained(
          explain,
          handle.write(chunk, written, chunk.length - written),
        );
        written += bytesWritten;
      }
      sizeBytes += chunk.length;
      noteLitter(chunk.length);
    },

    async finish() {
      if (state === 'finished' || state === 'promoted') return;
      if (state === 'discarded') throw new Error('A blob that is discarded cannot be finished.');
      await explained(explain, handle.sync());
      await handle.close();
      sha512Hex = hash.digest('hex');
      state = 'finished';
    },

    async promote() {
      if (state === 'promoted') return;
      if (state !== 'finished')
        throw new Error(`A blob that is ${state} cannot be promoted; finish it first.`);
      await place({ path, sizeBytes, sha512Hex: digest() });
      state = 'promoted';
      await rm(path, { force: true });
    },

    async discard() {
      if (state === 'promoted' || state === 'discarded') return;
      if (state === 'writing') await handle.close();
      state = 'discarded';
      await rm(path, { force: true });
    },
  };
}

async function explained<Result>(
  explain: (error: unknown) => unknown,
  work: Promise<Result>,
): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw explain(error);
  }
}

export async function* namesIn(folder: string): AsyncGenerator<string> {
  try {
    for await (const entry of await opendir(folder)) yield entry.name;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

export async function statOrNull(path: string) {
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
