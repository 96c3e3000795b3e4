import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isRetryable } from './faults.ts';

/** Held for the life of the process; the operating system lets go of it when the process dies. */
export interface DataLock {
  release(): void;
}

/**
 * One deployment owns a data folder. The lock is an exclusive transaction on a file of its own: unlike a
 * file with a process number in it, it cannot be left behind by a crash.
 *
 * @throws Error when another process holds it.
 */
export function lockDataFolder(dataDir: string): DataLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    return lockFile(path.join(dataDir, 'lock.db'));
  } catch (error) {
    throw new Error(
      `The data folder ${dataDir} is in use by another Keyreeve process. Stop that one first, or choose another KEYREEVE_DATA_DIR.`,
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

function lockFile(file: string): DataLock {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('begin exclusive');
  } catch (error) {
    database.close();
    throw error;
  }
  return { release: () => database.close() };
}
