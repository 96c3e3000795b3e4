export { type DataLock, lockDataFolder } from './data-lock.ts';
export { type Executor, openStorage, pingStorage, type Storage } from './database.ts';
export { isRetryable, isUnavailable, isUniqueViolation } from './faults.ts';
export {
  type DataKey,
  type KeyPurpose,
  type Keyring,
  MasterKeyError,
  newMasterKey,
  openKeyring,
  rotateMasterKey,
} from './keyring.ts';
export {
  adoptNextMasterKey,
  isNewSqliteDatabase,
  loadMasterKey,
  readNextMasterKey,
  writeNextMasterKey,
} from './master-key.ts';
export { migrateStorage } from './migrate.ts';
export {
  dropOneTimeLinksOfAccount,
  dropOneTimeLinksOfKey,
  findOneTimeLink,
  insertOneTimeLink,
  type OneTimeLinkRow,
  useOneTimeLink,
} from './one-time-links.ts';
export type * from './schema.ts';
export { inTransaction, type Tx } from './transaction.ts';
