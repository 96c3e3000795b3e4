import type { BlobStore } from '../storage/blobs/index.ts';

type StagedBlob = Awaited<ReturnType<BlobStore['stage']>>;

type PackageItem =
  | { readonly kind: 'package'; readonly sha512: string; readonly sizeBytes: number }
  | { readonly kind: 'chunk'; readonly bytes: Buffer }
  | { readonly kind: 'packageEnd'; readonly sha512: string; readonly isWhole: boolean };

/** Puts the package files of a backup into the store of the configuration. */
export interface PackageSink {
  /** Files that are in the store by now. */
  readonly count: number;
  take(item: PackageItem): Promise<void>;
  /** Removes what was put there; what had been there before stays. */
  takeBack(): Promise<void>;
}

export function createPackageSink(blobs: BlobStore): PackageSink {
  const added: string[] = [];
  let count = 0;
  let staged: StagedBlob | null = null;
  const drop = async () => {
    await staged?.discard();
    staged = null;
  };
  return {
    get count() {
      return count;
    },
    async take(item) {
      if (item.kind === 'package') {
        await drop();
        staged = await blobs.stage();
      } else if (item.kind === 'chunk') await staged?.write(item.bytes);
      else if (!item.isWhole) await drop();
      else {
        const isNew = (await blobs.open(item.sha512)) === null;
        await staged?.finish();
        await staged?.promote();
        staged = null;
        count += 1;
        if (isNew) added.push(item.sha512);
      }
    },
    async takeBack() {
      await drop();
      for (const name of added) await blobs.remove(name);
    },
  };
}
