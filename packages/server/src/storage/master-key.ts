import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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
  const file = path.join(config.dataDir, 'master.key');
  if (existsSync(file)) return decode(readFileSync(file, 'utf8').trim(), file);
  if (!isNewDatabase) {
    throw new MasterKeyError(
      `There is a database in ${config.dataDir}, but its master key is missing: neither KEYREEVE_MASTER_KEY nor ${file}. Restore it; see docs/operations/master-key.md.`,
    );
  }
  const key = newMasterKey();
  writeFileSync(file, `${Buffer.from(key).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return key;
}

function nextFile(dataDir: string): string {
  return path.join(dataDir, 'master.key.next');
}

/** Step one of a rotation: the new key is on disk before anything is wrapped under it. */
export function writeNextMasterKey(dataDir: string, key: Uint8Array): void {
  writeFileSync(nextFile(dataDir), `${Buffer.from(key).toString('base64')}\n`, { mode: 0o600, flush: true });
}

/** The key of a rotation that was cut short, or null. */
export function readNextMasterKey(dataDir: string): Uint8Array | null {
  return existsSync(nextFile(dataDir))
    ? decode(readFileSync(nextFile(dataDir), 'utf8').trim(), nextFile(dataDir))
    : null;
}

/** The last step: the database is wrapped under the new key, which takes its place. */
export function adoptNextMasterKey(dataDir: string): void {
  renameSync(nextFile(dataDir), path.join(dataDir, 'master.key'));
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
