import type { Clock } from '../../lib/clock.ts';
import type { BlobInfo, BlobStore } from '../../storage/blobs/blob-store.ts';
import { inTransaction, type Storage } from '../../storage/index.ts';
import { findUsedBlobs, lockBlob } from './package-versions.repo.ts';

export interface SweptBlobs {
  readonly blobs: number;
  readonly staged: number;
}

export interface BlobSweeper {
  /**
   * Removes package files that no version names: what pushes left behind that failed between putting the file
   * in place and writing the row, or in the middle of an upload. Only files last written more than `olderThanMs`
   * ago, which must be longer than any upload takes; an hour is plenty.
   */
  sweepOrphanBlobs(olderThanMs: number): Promise<SweptBlobs>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly blobs: BlobStore;
}

const BATCH = 200;

export function createBlobSweeper({ storage, clock, blobs }: Deps): BlobSweeper {
  /**
   * The age alone does not keep a push safe that brings the same bytes again just now: its file may be put in
   * place between the look at the date and the removal. So the removal happens under a lock that the
   * transaction of a push takes as well. A push that comes later finds the file missing and says "try again"
   * before it has written anything; of a push that came first, the row is seen here.
   *
   * The rows are read outside the locking transaction on purpose: on PostgreSQL its own snapshot may be older
   * than the lock. On SQLite nobody else can commit while it is open.
   */
  const removeIfUnused = (sha512: string): Promise<boolean> =>
    inTransaction(storage, async (tx) => {
      await lockBlob(tx, storage.engine, sha512);
      const used = await findUsedBlobs(storage.read, [sha512]);
      if (used.has(sha512)) return false;
      await blobs.remove(sha512);
      return true;
    });

  const sweepBatch = async (batch: readonly BlobInfo[]): Promise<number> => {
    const used = await findUsedBlobs(
      storage.read,
      batch.map((blob) => blob.sha512Hex),
    );
    let removed = 0;
    for (const { sha512Hex } of batch) {
      if (!used.has(sha512Hex) && (await removeIfUnused(sha512Hex))) removed += 1;
    }
    return removed;
  };

  return {
    sweepOrphanBlobs: async (olderThanMs) => {
      let removed = 0;
      let batch: BlobInfo[] = [];
      for await (const blob of blobs.list()) {
        if (clock.now() - blob.modifiedAt <= olderThanMs) continue;
        batch.push(blob);
        if (batch.length < BATCH) continue;
        removed += await sweepBatch(batch);
        batch = [];
      }
      removed += await sweepBatch(batch);
      return { blobs: removed, staged: await blobs.sweepStaging(olderThanMs) };
    },
  };
}
