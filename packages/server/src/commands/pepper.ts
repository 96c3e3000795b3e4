import process from 'node:process';
import { type Config, type Environment, loadConfig } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { isNewSqliteDatabase, openStorage, recoverMasterKey, rotatePepper } from '../storage/index.ts';
import { readArguments } from './arguments.ts';
import { CommandError, commandUsageError, EXIT } from './command.ts';
import { requireDataFolderAccess, SILENT } from './operator-tools.ts';

/** `pepper rotate`: a new pepper for new secrets, also beside servers that run. Every key stays as it is. */
export async function runPepper(args: readonly string[], environment: Environment): Promise<number> {
  const { values, words } = readArguments(args, {}, 1);
  if (words[0] !== 'rotate')
    throw commandUsageError('The one thing to do with the pepper is to rotate it.', 'pepper rotate');
  const config = loadConfig(environment);
  if (config.database.engine === 'sqlite') requireDatabase(config);
  const storage = openStorage(config, SILENT);
  try {
    const masterKey =
      config.masterKey === null
        ? await recoverMasterKey(storage, config.dataDir)
        : Buffer.from(config.masterKey.reveal(), 'base64');
    const deps = { storage, clock: systemClock, random: systemRandom, masterKey };
    const { id, count } = await rotatePepper(deps);
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify({ pepper: id, peppers: count }, null, 2)}\n`
        : `New secrets are stored under the pepper ${id}, on every node within 30 seconds. There are ${count} peppers; each key keeps its own until it is regenerated.\n`,
    );
    return EXIT.ok;
  } finally {
    await storage.close();
  }
}

function requireDatabase(config: Config): void {
  requireDataFolderAccess(config);
  if (!isNewSqliteDatabase(config.dataDir)) return;
  throw new CommandError('pepper.no_database', `There is no database in ${config.dataDir}.`, {
    remedy: 'Set KEYREEVE_DATA_DIR (or KEYREEVE_DATABASE_URL) as it is set for the server.',
  });
}
