export {
  BlobDamaged,
  type BlobInfo,
  type BlobStore,
  type StagedBlob,
  type StoredBlob,
} from './blob-store.ts';
export { createFolderBlobStore } from './folder-blob-store.ts';
