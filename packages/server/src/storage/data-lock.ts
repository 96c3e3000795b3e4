import { accessSync, constants, mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isRetryable } from './faults.ts';

/** Held for the life of the process; the operating system lets go of it when the process dies. */
export interface DataLock {
  release(): void;
}

/** Another process has the folder. */
export class DataFolderBusy extends Error {}

/**
 * One deployment owns a data folder. The lock is an exclusive transaction on a file of its own: unlike a
 * file with a process number in it, it cannot be left behind by a crash.
 *
 * @throws DataFolderBusy when another process holds it, Error when this user may not write there.
 */
export function lockDataFolder(dataDir: string): DataLock {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return lockFile(path.join(dataDir, 'lock.db'));
  } catch (error) {
    if (isRetryable(error)) {
      throw new DataFolderBusy(
        `The data folder ${dataDir} is in use by another Keyreeve process. Stop that one first, or choose another KEYREEVE_DATA_DIR.`,
        { cause: error },
      );
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The data folder ${dataDir} cannot be written (${reason}). It and the files in it must belong to the user as whom the server runs; \`keyreeve doctor\` names those that do not.`,
      { cause: error },
    );
  }
}

/** Who may change the files of the master key: one process at a time, beside a server that runs. Null when busy. */
export function lockMasterKeyFiles(dataDir: string): DataLock | null {
  try {
    return lockFile(path.join(dataDir, 'master-key-lock.db'));
  } catch (error) {
    if (isRetryable(error)) return null;
    throw error;
  }
}

/** A connection that nobody refers to is closed when memory is collected, and its lock is gone. */
const held = new Set<DatabaseSync>();

function lockFile(file: string): DataLock {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // SQLite opens a file that we may not write for reading, and then has everybody in at once.
    accessSync(file, constants.W_OK);
    database.exec('begin exclusive');
  } catch (error) {
    database.close();
    throw error;
  }
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}
