import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config/index.ts';
import type { Clock } from './lib/clock.ts';
import type { Random } from './lib/random.ts';
import {
  isNewSqliteDatabase,
  type Keyring,
  loadMasterKey,
  MasterKeyError,
  migrateStorage,
  openKeyring,
  openStorage,
  recoverMasterKey,
  rewrapDataKeys,
  type Storage,
  scrubOldWraps,
} from './storage/index.ts';

interface Surroundings {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: FastifyBaseLogger;
}

/**
 * Opens the database, brings it to the newest schema and unlocks its data keys, wrapping them under the new master key
 * where one was given beside the old one.
 *
 * @throws MasterKeyError, or the error of a migration that failed
 */
export async function openDatabase(
  surroundings: Surroundings,
): Promise<{ storage: Storage; keyring: Keyring }> {
  const { config, clock, random, logger } = surroundings;
  const isNew = config.database.engine === 'sqlite' && isNewSqliteDatabase(config.dataDir);
  // The key comes first: a database without its key could never be used, a key without a database can.
  const masterKey = loadMasterKey(config, isNew);
  const storage = openStorage(config, logger);
  try {
    await migrateStorage(storage, logger);
    return { storage, keyring: await unlock({ storage, clock, random, masterKey }, surroundings) };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function unlock(
  deps: Parameters<typeof openKeyring>[0],
  { config, logger }: Surroundings,
): Promise<Keyring> {
  if (config.previousMasterKey !== null) {
    const from = Buffer.from(config.previousMasterKey.reveal(), 'base64');
    const count = await rewrapDataKeys(deps, { from, to: deps.masterKey });
    // Also when there was nothing to wrap: whoever did it may have been cut short before this.
    const isScrubbed = await scrubOldWraps(deps.storage);
    logger.info(
      { dataKeys: count, oldKeyIsGone: isScrubbed },
      'KEYREEVE_MASTER_KEY_PREVIOUS is set: the data keys are wrapped under KEYREEVE_MASTER_KEY. Remove it once every node has started.',
    );
  }
  try {
    return await openKeyring(deps);
  } catch (error) {
    if (!(error instanceof MasterKeyError) || config.masterKey !== null) throw error;
    const masterKey = await recoverMasterKey(deps.storage, config.dataDir);
    const keyring = await openKeyring({ ...deps, masterKey });
    await scrubOldWraps(deps.storage);
    return keyring;
  }
}
