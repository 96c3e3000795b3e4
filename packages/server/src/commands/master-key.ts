import process from 'node:process';
import { type Config, type Environment, loadConfig } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import {
  isNewSqliteDatabase,
  openStorage,
  rewrapDataKeys,
  rotateMasterKeyFile,
  type Storage,
  scrubOldWraps,
} from '../storage/index.ts';
import { readArguments } from './arguments.ts';
import { CommandError, commandUsageError, EXIT } from './command.ts';
import { SILENT } from './operator-tools.ts';

interface Outcome {
  /** Data keys that were wrapped anew. */
  readonly count: number;
  /** Nothing in the files of the database opens with the old key any more. */
  readonly isScrubbed: boolean;
}

/**
 * `master-key rotate`: wraps the data keys under a new master key, also beside servers that run. They hold the data
 * keys and go on; nothing that the data keys protect changes.
 */
export async function runMasterKey(args: readonly string[], environment: Environment): Promise<number> {
  const { values, words } = readArguments(args, {}, 1);
  if (words[0] !== 'rotate')
    throw commandUsageError('The one thing to do with the master key is to rotate it.', 'master-key rotate');
  const config = loadConfig(environment);
  if (config.database.engine === 'sqlite' && isNewSqliteDatabase(config.dataDir)) {
    throw new CommandError('master_key.no_database', `There is no database in ${config.dataDir}.`, {
      remedy: 'Set KEYREEVE_DATA_DIR (or KEYREEVE_DATABASE_URL) as it is set for the server.',
    });
  }
  const storage = openStorage(config, SILENT);
  try {
    tell(config, await rotate(config, storage), values.json === true);
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}

async function rotate(config: Config, storage: Storage): Promise<Outcome> {
  const deps = { storage, clock: systemClock, random: systemRandom };
  if (config.masterKey === null) return await rotateMasterKeyFile(deps, config.dataDir);
  if (config.previousMasterKey === null) {
    throw new CommandError('master_key.previous_missing', 'The old master key is not given.', {
      exitCode: EXIT.usage,
      remedy:
        'Put the new key into KEYREEVE_MASTER_KEY (openssl rand -base64 32) and the present one into KEYREEVE_MASTER_KEY_PREVIOUS.',
    });
  }
  const [from, to] = [config.previousMasterKey, config.masterKey].map((key) =>
    Buffer.from(key.reveal(), 'base64'),
  ) as [Buffer, Buffer];
  const count = await rewrapDataKeys(deps, { from, to });
  return { count, isScrubbed: await scrubOldWraps(storage) };
}

function tell(config: Config, { count, isScrubbed }: Outcome, isJson: boolean): void {
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ dataKeys: count, oldKeyIsGone: isScrubbed }, null, 2)}\n`);
    return;
  }
  const lines = [
    count === 0
      ? 'The data keys were wrapped under the new master key before.'
      : `${count} data keys are wrapped under the new master key. Servers that run go on.`,
  ];
  if (config.masterKey !== null)
    lines.push('Start every server with the new key from now on; with the old one it refuses.');
  else
    lines.push('It is in the data folder, in master.key. Keep a copy elsewhere; backups never contain it.');
  if (!isScrubbed)
    lines.push(
      'Somebody was reading, so what the old key opens may still lie in the files of the database. Run the command again.',
    );
  process.stdout.write(`${lines.join('\n')}\n`);
}
