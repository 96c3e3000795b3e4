import path from 'node:path';
import type { Config } from '../../config/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { BlobStoreFault } from './blob-errors.ts';
import type { BlobObserver, BlobStore } from './blob-store.ts';
import { createFolderBlobStore, explainFolderFault } from './folder-blob-store.ts';
import { createS3BlobStore } from './s3-blob-store.ts';

/** The store that the configuration names is not one that can be used. */
export class BlobStoreRefused extends Error {
  constructor(fault: BlobStoreFault) {
    super(
      `The store of the package files (KEYREEVE_BLOB_URL) cannot be used.\n  ${fault.internal ?? fault.message}\nCheck its address, its name, the keys and their rights; see docs/operations/blobs.md.`,
      { cause: fault },
    );
    this.name = 'BlobStoreRefused';
  }
}

/**
 * Opens the store that the configuration names and tries it. A store that refuses stops the start, for nobody but an
 * operator mends that; one that merely does not answer does not, because keys must be verified all the same.
 *
 * @throws BlobStoreRefused
 */
export async function openBlobStore(options: {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: BlobObserver;
}): Promise<BlobStore> {
  const { config, clock, random, observer } = options;
  const common = { now: () => clock.now(), random, observer };
  const store =
    config.blobs.kind === 'folder'
      ? createFolderBlobStore({ ...common, folder: config.blobs.folder })
      : await createS3BlobStore({
          ...common,
          config: config.blobs,
          stagingFolder: path.join(config.dataDir, 'blobs', 'staging'),
          explainFile: (error) => explainFolderFault(error, observer),
        });
  try {
    await store.check();
  } catch (error) {
    if (!(error instanceof BlobStoreFault)) throw error;
    if (error.reason === 'denied') {
      await store.close();
      throw new BlobStoreRefused(error);
    }
  }
  return store;
}
