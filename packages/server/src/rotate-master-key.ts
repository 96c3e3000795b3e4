import process from 'node:process';
import { pino } from 'pino';
import { type Environment, loadConfig } from './config/index.ts';
import { systemClock } from './lib/clock.ts';
import { systemRandom } from './lib/random.ts';
import {
  adoptNextMasterKey,
  isNewSqliteDatabase,
  loadMasterKey,
  lockDataFolder,
  newMasterKey,
  openStorage,
  rotateMasterKey,
  writeNextMasterKey,
} from './storage/index.ts';

/** Offline command: puts a new master key in the place of the old one. The server must be stopped. */
export async function rotateStoredMasterKey(variables: Environment): Promise<void> {
  const { KEYREEVE_NEW_MASTER_KEY: newKeyText, ...environment } = variables;
  const config = loadConfig(environment);
  const isSqlite = config.database.engine === 'sqlite';
  const hasKeyFile = config.masterKey === null;
  if (isSqlite && isNewSqliteDatabase(config.dataDir))
    throw new Error(`There is no database in ${config.dataDir}.`);
  if (!hasKeyFile && newKeyText === undefined)
    throw new Error('Give the new key in KEYREEVE_NEW_MASTER_KEY: 32 bytes in base64.');
  const newKey = newKeyText === undefined ? newMasterKey() : Buffer.from(newKeyText, 'base64');
  if (newKey.length !== 32) throw new Error('KEYREEVE_NEW_MASTER_KEY must be exactly 32 bytes in base64.');
  const lock = isSqlite ? lockDataFolder(config.dataDir) : null;
  const masterKey = loadMasterKey(config, false);
  const storage = openStorage(config, pino({ level: 'silent' }));
  try {
    if (hasKeyFile) writeNextMasterKey(config.dataDir, newKey);
    const count = await rotateMasterKey(
      { storage, clock: systemClock, random: systemRandom, masterKey },
      newKey,
    );
    if (hasKeyFile) adoptNextMasterKey(config.dataDir);
    process.stdout.write(
      `${count} data keys are wrapped under the new master key.${hasKeyFile ? '' : ' Start with it as KEYREEVE_MASTER_KEY.'}\n`,
    );
  } finally {
    await storage.close();
    lock?.release();
  }
}
