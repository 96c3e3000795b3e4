export { BackupDamaged, type Manifest } from './backup-format.ts';
export { USAGE_TABLES } from './catalog.ts';
export { type BackupTotals, produceBackup } from './produce-backup.ts';
export { readBackup } from './read-backup.ts';
export { compareVersions, DatabaseTaken, type Held, openRowSink, type RowSink } from './restore-rows.ts';
export { openSnapshot, readVersions, type Snapshot } from './snapshot.ts';
export { listSqliteFiles, openSqliteSite } from './sqlite-swap.ts';
