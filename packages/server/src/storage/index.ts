export { findMissingIndexes } from './concurrent-indexes.ts';
export { DataFolderBusy, type DataLock, lockDataFolder } from './data-lock.ts';
export { type Executor, pingStorage, type Storage } from './database.ts';
export type { EpochGuard, Freshness } from './epoch-guard.ts';
export { isRetryable, isUniqueViolation } from './faults.ts';
export {
  checkSqliteFiles,
  type Inspection,
  openInspection,
  readJournalMode,
  readPostgresFacts,
} from './inspection.ts';
export {
  isMasterKeyOf,
  type Keyring,
  MasterKeyError,
  openKeyring,
} from './keyring.ts';
export { type Direction, isBehind, isUpTo } from './keyset.ts';
export { containsText, startsWithText, toLikePattern } from './like.ts';
export {
  isNewSqliteDatabase,
  loadMasterKey,
  readMasterKeyFile,
  readNextMasterKey,
} from './master-key.ts';
export {
  recoverMasterKey,
  rewrapDataKeys,
  rotateMasterKeyFile,
  scrubOldWraps,
} from './master-key-rotation.ts';
export { migrateStorage, NewerDatabaseError } from './migrate.ts';
export {
  deleteEndedOneTimeLinks,
  dropOneTimeLinksOfAccount,
  dropOneTimeLinksOfKey,
  findOneTimeLink,
  insertOneTimeLink,
  useOneTimeLink,
} from './one-time-links.ts';
export { openStorage } from './open-storage.ts';
export { rotatePepper, withdrawOldPeppers } from './pepper-rotation.ts';
export { NoPrimaryError } from './postgres/primary.ts';
export { raiseRevocationEpoch } from './revocation-epochs.ts';
export { isOfWorkspace, SORTED_ID } from './row-checks.ts';
export type * from './schema.ts';
export type * from './schema-gallery.ts';
export {
  beforeCommit,
  inLockedTransaction,
  inTransaction,
  inUsageTransaction,
  type Tx,
} from './transaction.ts';
