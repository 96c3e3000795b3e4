import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Random, systemRandom } from '../../lib/random.ts';
import { type BlobFaultReason, BlobStoreFault } from './blob-errors.ts';
import { type BlobInfo, type BlobObserver, type BlobStore, blobKey } from './blob-store.ts';
import { createStagingFolder, FOLDER_MODE, namesIn, statOrNull } from './staging-folder.ts';
import { createVerifiedReads } from './verified-reads.ts';

const SHARD = /^[0-9a-f]{2}$/;
const FAULTS: Readonly<Record<string, BlobFaultReason>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  // The limit of a process on the size of its files.
  EFBIG: 'full',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  // Where the folder should be, or on the way to it, is a file.
  ENOTDIR: 'denied',
  EIO: 'failed',
  // Whatever may be missing without harm is asked for by statOrNull.
  ENOENT: 'failed',
  ESTALE: 'failed',
  ETIMEDOUT: 'slow',
};

/**
 * Keeps blobs as files: `aa/bb/<sha512>` by the first two bytes of the hash, and `staging/` beside them in the same
 * file system, so that promoting is one rename. Names are generated or checked; none comes from an upload.
 */
export function createFolderBlobStore(options: {
  folder: string;
  /** Milliseconds since 1970. */
  now: () => number;
  random?: Random;
  observer?: BlobObserver;
}): BlobStore {
  const { folder, now, random = systemRandom, observer } = options;
  const explain = (error: unknown): unknown => explainFolderFault(error, observer);
  const explained = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error);
    }
  };
  const verified = createVerifiedReads({ now, onDamaged: (sha512Hex) => observer?.onDamaged(sha512Hex) });
  const staging = createStagingFolder({
    folder: join(folder, 'staging'),
    now,
    random,
    explain,
    place: ({ path, sha512Hex }) => explained(() => putInPlace(folder, path, sha512Hex)),
  });
  return {
    stage: () => staging.stage(),

    async open(sha512Hex) {
      const path = blobPath(folder, sha512Hex);
      const info = path === null ? null : await explained(() => statOrNull(path));
      if (path === null || info === null || !info.isFile()) return null;
      return verified({
        sha512Hex,
        sizeBytes: info.size,
        revision: `${info.ino} ${info.mtimeMs} ${info.size}`,
        // Opened here, so that a file that cannot be read is a fault before any byte is promised.
        read: (start, end) =>
          explained(async () => {
            const handle = await open(path, 'r');
            return handle.createReadStream(end > start ? { start, end: end - 1 } : { end: 0 });
          }),
      });
    },

    async remove(sha512Hex) {
      const path = blobPath(folder, sha512Hex);
      if (path !== null) await explained(() => rm(path, { force: true }));
    },

    list: () => listBlobs(folder),
    sweepStaging: (olderThanMs) => explained(() => staging.sweep(olderThanMs)),

    async check() {
      const staged = await staging.stage();
      await staged.write(Buffer.from('check'));
      await staged.finish();
      await staged.discard();
    },

    ping: () => explained(() => access(folder, constants.W_OK)),
    close: async () => {},
  };
}

/** What the store says of an error of the file system; an error that has nothing to do with it stays what it is. */
export function explainFolderFault(error: unknown, observer?: BlobObserver): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const reason = typeof code === 'string' ? FAULTS[code] : undefined;
  if (reason === undefined || !(error instanceof Error)) return error;
  const fault = new BlobStoreFault(reason, `The folder of the package files: ${error.message}`, {
    cause: error,
  });
  observer?.onFault(fault);
  return fault;
}

async function putInPlace(folder: string, from: string, sha512Hex: string): Promise<void> {
  const inner = join(folder, sha512Hex.slice(0, 2), sha512Hex.slice(2, 4));
  await mkdir(inner, { recursive: true, mode: FOLDER_MODE });
  // A blob that is there already is replaced by the same bytes: that heals a damaged one, and its new date keeps
  // the sweep of blobs without a row away while this push has not yet written its row.
  await rename(from, join(inner, sha512Hex));
  // All three, for another push may have made the folders a moment ago and not yet synced them.
  for (const changed of [inner, dirname(inner), folder]) await syncFolder(changed);
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

function blobPath(folder: string, sha512Hex: string): string | null {
  const key = blobKey(sha512Hex);
  return key === null ? null : join(folder, key);
}
