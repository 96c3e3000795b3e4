import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import type { Config } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { type BlobStore, openBlobStore } from '../storage/blobs/index.ts';

/** What commands hand to parts that log: they tell the operator themselves what he needs to know. */
export const SILENT = pino({ level: 'silent' });

/** The store of the package files as the configuration names it, without the metrics of a server. */
export async function openConfiguredBlobs(config: Config): Promise<BlobStore> {
  const observer = { onDamaged: () => {}, onFault: () => {} };
  return await openBlobStore({ config, clock: systemClock, random: systemRandom, observer });
}

/** The master key of the configuration, or of the file in the data folder; null when there is neither. Makes none. */
export function findMasterKey(config: Pick<Config, 'dataDir' | 'masterKey'>): Uint8Array | null {
  if (config.masterKey !== null) return Buffer.from(config.masterKey.reveal(), 'base64');
  const file = path.join(config.dataDir, 'master.key');
  const key = existsSync(file) ? Buffer.from(readFileSync(file, 'utf8').trim(), 'base64') : null;
  return key?.length === 32 ? key : null;
}
