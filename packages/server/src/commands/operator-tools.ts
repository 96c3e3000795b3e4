import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pino } from 'pino';
import type { Config } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { type BlobStore, openBlobStore } from '../storage/blobs/index.ts';
import { readMasterKeyFile, readNextMasterKey } from '../storage/index.ts';
import { CommandError } from './command.ts';

/** What commands hand to parts that log: they tell the operator themselves what he needs to know. */
export const SILENT = pino({ level: 'silent' });

/** The store of the package files as the configuration names it, without the metrics of a server. */
export async function openConfiguredBlobs(config: Config): Promise<BlobStore> {
  const observer = { onDamaged: () => {}, onFault: () => {} };
  return await openBlobStore({ config, clock: systemClock, random: systemRandom, observer });
}

/**
 * The master keys of the configuration or of the data folder: the present one first, then the other one of a rotation
 * that is under way. Empty when there is none. Makes none.
 *
 * @throws MasterKeyError when a file does not hold 32 bytes
 */
export function findMasterKeys(
  config: Pick<Config, 'dataDir' | 'masterKey' | 'previousMasterKey'>,
): readonly Uint8Array[] {
  const given = [config.masterKey, config.previousMasterKey].filter((key) => key !== null);
  if (given.length > 0) return given.map((key) => Buffer.from(key.reveal(), 'base64'));
  return [readMasterKeyFile(config.dataDir), readNextMasterKey(config.dataDir)].filter((key) => key !== null);
}

/**
 * Before anything is looked for in the data folder: to whom may not enter it, it looks empty.
 *
 * @throws CommandError when this is another user than the one as whom the server runs
 */
export function requireDataFolderAccess({ dataDir }: Pick<Config, 'dataDir'>): void {
  const folder = path.resolve(dataDir);
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
  } catch (error) {
    if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EACCES') return;
    throw new CommandError(
      'command.no_access',
      `The user ${process.getuid?.() ?? ''} may not enter ${folder}.`,
      {
        remedy: 'Run the command as the user of the server (sudo -u …).',
      },
    );
  }
}

/** The user to whom the data folder belongs, when that is not the one who runs this; root may enter all the same. */
export function findForeignOwner({ dataDir }: Pick<Config, 'dataDir'>): number | null {
  const owner = statSync(dataDir, { throwIfNoEntry: false })?.uid;
  return process.getuid === undefined || owner === undefined || owner === process.getuid() ? null : owner;
}
