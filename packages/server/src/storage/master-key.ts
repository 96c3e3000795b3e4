import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Config } from '../config/index.ts';
import { MasterKeyError, newMasterKey } from './keyring.ts';

const MASTER_KEY_BYTES = 32;

/**
 * The master key: from the configuration, or from the file beside an embedded database. The file is made
 * only together with a new database: made beside an existing one, it would hide that the real one is lost.
 *
 * @throws MasterKeyError when the key is missing or is not 32 bytes.
 */
export function loadMasterKey(
  config: Pick<Config, 'database' | 'dataDir' | 'masterKey'>,
  isNewDatabase: boolean,
): Uint8Array {
  if (config.masterKey !== null) return decode(config.masterKey.reveal(), 'KEYREEVE_MASTER_KEY');
  const file = keyFile(config.dataDir);
  const known = readMasterKeyFile(config.dataDir);
  if (known !== null) return known;
  if (!isNewDatabase) {
    throw new MasterKeyError(
      `There is a database in ${config.dataDir}, but its master key is missing: neither KEYREEVE_MASTER_KEY nor ${file}. Restore it; see docs/operations/master-key.md.`,
    );
  }
  const key = newMasterKey();
  writeFileSync(file, `${Buffer.from(key).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return key;
}

function keyFile(dataDir: string): string {
  return path.join(dataDir, 'master.key');
}

function nextFile(dataDir: string): string {
  return path.join(dataDir, 'master.key.next');
}

/** The key in the file; null when there is none. @throws MasterKeyError when it is not 32 bytes */
export function readMasterKeyFile(dataDir: string): Uint8Array | null {
  return readIfThere(keyFile(dataDir));
}

/**
 * Step one of a rotation: the new key is on disk, whole, before anything is wrapped under it. Written under another
 * name first, so that a crash leaves the file whole or not at all.
 */
export function writeNextMasterKey(dataDir: string, key: Uint8Array): void {
  const part = `${nextFile(dataDir)}.part`;
  writeFileSync(part, `${Buffer.from(key).toString('base64')}\n`, { mode: 0o600, flush: true });
  renameSync(part, nextFile(dataDir));
  syncFolder(dataDir);
}

/** The key of a rotation that is under way or was cut short, or null. */
export function readNextMasterKey(dataDir: string): Uint8Array | null {
  return readIfThere(nextFile(dataDir));
}

/** The last step: the database is wrapped under the new key, which takes the place of the old one. */
export function adoptNextMasterKey(dataDir: string): void {
  renameSync(nextFile(dataDir), keyFile(dataDir));
  syncFolder(dataDir);
}

/** A renaming is durable only once its folder is. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** One read: another process may rename the file between a look and a read. */
function readIfThere(file: string): Uint8Array | null {
  try {
    return decode(readFileSync(file, 'utf8').trim(), file);
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return null;
    throw error;
  }
}

function decode(text: string, source: string): Uint8Array {
  const key = Buffer.from(text, 'base64');
  if (key.length !== MASTER_KEY_BYTES)
    throw new MasterKeyError(`${source} must hold exactly ${MASTER_KEY_BYTES} bytes in base64.`);
  return key;
}

/** True when the embedded database does not exist yet. */
export function isNewSqliteDatabase(dataDir: string): boolean {
  return !existsSync(path.join(dataDir, 'keyreeve.db'));
}
