export { BlobStoreFault, blobMissing } from './blob-errors.ts';
export { type BlobHealth, createBlobHealth } from './blob-health.ts';
export type { BlobStore } from './blob-store.ts';
export { BlobStoreRefused, openBlobStore } from './open-blob-store.ts';
