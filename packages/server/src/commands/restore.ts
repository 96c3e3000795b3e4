import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { type Config, type Environment, loadConfig } from '../config/index.ts';
import { checkKeyRows } from '../features/keys/index.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import {
  BackupDamaged,
  compareVersions,
  DatabaseTaken,
  type Held,
  listSqliteFiles,
  type Manifest,
  openRowSink,
  openSqliteSite,
  type RowSink,
  readBackup,
} from '../storage/backup/index.ts';
import type { BlobStore } from '../storage/blobs/index.ts';
import {
  DataFolderBusy,
  type DataLock,
  isMasterKeyOf,
  lockDataFolder,
  migrateStorage,
  openKeyring,
  openStorage,
  type Storage,
} from '../storage/index.ts';
import { createProgressLine, formatBytes, readArguments } from './arguments.ts';
import { CommandError, commandUsageError, EXIT } from './command.ts';
import {
  findForeignOwner,
  findMasterKeys,
  openConfiguredBlobs,
  requireDataFolderAccess,
  SILENT,
} from './operator-tools.ts';
import { createPackageSink, type PackageSink } from './restore-packages.ts';

interface Outcome {
  readonly createdAt: string;
  readonly fromEngine: string;
  readonly toEngine: string;
  readonly rows: number;
  readonly packages: number;
  readonly packageBytes: number;
  readonly missingPackages: readonly string[];
  readonly hasPackages: boolean;
  readonly keys: number;
  readonly alteredKeys: readonly string[];
  readonly held: Held;
}

interface Work {
  readonly config: Config;
  readonly input: Readable;
  readonly sendsPending: boolean;
  readonly onProgress: (text: string) => void;
}

/**
 * Puts a backup into an empty place: the data folder or the database of the configuration. Everything is checked
 * while it is written, and nothing of it can be seen before all of it was right.
 */
export async function runRestore(args: readonly string[], environment: Environment): Promise<number> {
  const { values, words } = readArguments(args, { 'send-pending': { type: 'boolean' } }, 1);
  const [file] = words;
  if (file === undefined)
    throw commandUsageError('Say which backup: keyreeve restore <file>, or - for stdin.');
  const config = loadConfig(environment);
  if (file !== '-') requireReadableFile(file);
  requireOwnFolder(config);
  const line = createProgressLine(values.json !== true);
  try {
    const outcome = await restoreBackup({
      config,
      input: file === '-' ? process.stdin : createReadStream(file),
      sendsPending: values['send-pending'] === true,
      onProgress: (text) => line.show(text),
    });
    line.end();
    tell(outcome, config, values.json === true);
    return EXIT.ok;
  } catch (error) {
    line.end();
    throw error instanceof BackupDamaged ? toDamagedError(error) : error;
  }
}

/** A pipe of the shell (`<(ssh …)`) is as good as a file. */
function requireReadableFile(file: string): void {
  const refuse = (what: string) => {
    throw new CommandError('restore.no_file', what, { remedy: 'Check its name and who may read it.' });
  };
  const info = statSync(file, { throwIfNoEntry: false });
  if (info === undefined) refuse(`There is no file ${file}.`);
  if (info?.isDirectory() === true) refuse(`${file} is a folder.`);
  try {
    accessSync(file, constants.R_OK);
  } catch {
    refuse(`${file} cannot be read by the user ${process.getuid?.() ?? ''}.`);
  }
}

/** What root restores belongs to root, and the server of another user could not open it. */
function requireOwnFolder(config: Config): void {
  requireDataFolderAccess(config);
  const owner = findForeignOwner(config);
  if (owner === null) return;
  const folder = path.resolve(config.dataDir);
  throw new CommandError(
    'restore.foreign_owner',
    `${folder} belongs to the user ${owner}, and what is restored would not. Nothing was restored.`,
    {
      remedy: `Run it as that user (sudo -u '#${owner}' …), or chown ${folder} if the server runs as you do.`,
    },
  );
}

function toDamagedError(error: BackupDamaged): CommandError {
  return new CommandError(
    'restore.damaged',
    `This backup cannot be used. ${error.message} Nothing was restored.`,
    {
      remedy: 'Use another copy, or an older backup.',
      cause: error,
    },
  );
}

/** @throws CommandError or BackupDamaged; nothing is restored then */
export async function restoreBackup(work: Work): Promise<Outcome> {
  const { config, input } = work;
  let masterKey: Uint8Array | null = null;
  const items = readBackup(input, (manifest) => (masterKey = requireMasterKey(manifest, config)));
  const first = await items.next();
  // The manifest comes first and with it the master key, before anything is made.
  if (first.done === true || first.value.kind !== 'manifest' || masterKey === null)
    throw new BackupDamaged('It does not begin as a backup does.');
  const { manifest } = first.value;
  requireKnownSchema(manifest);
  const isSqlite = config.database.engine === 'sqlite';
  const lock = isSqlite ? lockFreeFolder(config.dataDir) : null;
  const site = isSqlite ? openSqliteSite(config.dataDir) : null;
  try {
    const place = site === null ? config : { ...config, dataDir: site.folder };
    // What SQLite sorts for a while is as confidential as the database, and needs as much room.
    if (site !== null) process.env['SQLITE_TMPDIR'] = site.folder;
    const outcome = await fillPlace({ ...work, manifest, items, masterKey }, place);
    await site?.moveIn();
    return outcome;
  } catch (error) {
    throw explainFault(error);
  } finally {
    site?.remove();
    lock?.release();
  }
}

function lockFreeFolder(dataDir: string): DataLock {
  const requireNoDatabase = () => {
    const found = listSqliteFiles(dataDir);
    if (found.length > 0) throw notEmpty(`${path.resolve(dataDir)} (${found.join(', ')})`);
  };
  requireNoDatabase();
  let lock: DataLock;
  try {
    lock = lockDataFolder(dataDir);
  } catch (error) {
    throw error instanceof DataFolderBusy ? busy(path.resolve(dataDir)) : error;
  }
  try {
    // Whoever had the lock until now may have made one.
    requireNoDatabase();
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function fillPlace(
  work: Omit<FillWork, 'storage' | 'blobs'>,
  place: Pick<Config, 'database' | 'dataDir'>,
): Promise<Outcome> {
  const storage = openStorage(place, SILENT);
  try {
    const blobs = await openConfiguredBlobs(work.config);
    try {
      return await fill({ ...work, storage, blobs });
    } finally {
      await blobs.close();
    }
  } finally {
    await storage.close();
  }
}

const NO_ROOM = /no space left|file too large|database or disk is full|disk i\/o error/i;

/** What the disk says through SQLite and through the store of the package files, and who was there before. */
function explainFault(error: unknown): unknown {
  const database = 'the database of KEYREEVE_DATABASE_URL';
  if (error instanceof DatabaseTaken) return error.isBusy ? busy(database) : notEmpty(database);
  const told =
    error instanceof Error ? `${error.message} ${String(Reflect.get(error, 'internal') ?? '')}` : '';
  if (!NO_ROOM.test(told)) return error;
  return new CommandError('restore.disk_full', 'There is no room, or the disk fails. Nothing was restored.', {
    remedy: 'Make room, or choose another disk, and run it again.',
    cause: error,
  });
}

type FillWork = Work & {
  readonly manifest: Manifest;
  readonly items: ReturnType<typeof readBackup>;
  readonly masterKey: Uint8Array;
  readonly storage: Storage;
  readonly blobs: BlobStore;
};

async function fill(work: FillWork): Promise<Outcome> {
  const { manifest, storage, masterKey } = work;
  const sink = await openRowSink(storage, manifest.schema);
  const packages = createPackageSink(work.blobs);
  let isCommitted = false;
  try {
    const read = await takeItems(work, sink, packages);
    const held = await sink.commit({ sendsPending: work.sendsPending, now: systemClock.now() });
    isCommitted = true;
    await migrateStorage(storage);
    const keyring = await openKeyring({ storage, clock: systemClock, random: systemRandom, masterKey });
    const { checked, altered } = await checkKeyRows(storage.read, keyring);
    return {
      createdAt: manifest.createdAt,
      fromEngine: manifest.engine,
      toEngine: storage.engine,
      hasPackages: manifest.hasPackages,
      ...read,
      keys: checked,
      alteredKeys: altered,
      held,
    };
  } catch (error) {
    // A connection that broke cannot roll back and need not; what broke it is the fault to tell.
    await sink.rollback().catch(() => {});
    // On PostgreSQL the rows are there from now on, and need their files; SQLite's are thrown away with their folder.
    if (!isCommitted || storage.engine === 'sqlite') await packages.takeBack();
    throw error;
  }
}

async function takeItems({ items, onProgress }: FillWork, sink: RowSink, packages: PackageSink) {
  let [table, rows] = ['', 0];
  for await (const item of items) {
    if (item.kind === 'table') {
      table = item.table;
      await sink.begin(item);
    } else if (item.kind === 'rows') {
      await sink.insert(item.rows);
      rows += item.rows.length;
      onProgress(`${table}: ${rows} rows`);
    } else if (item.kind === 'end') {
      const { ending } = item;
      return { ...ending, missingPackages: ending.missing };
    } else if (item.kind !== 'manifest') {
      await packages.take(item);
      onProgress(`package files: ${packages.count}`);
    }
  }
  throw new BackupDamaged('It breaks off before its end.');
}

/** Before anything is written: without its key, a restored database could only be thrown away. */
function requireMasterKey({ masterKeyCheck }: Manifest, config: Config): Uint8Array {
  const file = path.join(path.resolve(config.dataDir), 'master.key');
  const remedy = `A backup never contains the master key. Take it from where the old server had it (KEYREEVE_MASTER_KEY, or the file master.key of its data folder), and set KEYREEVE_MASTER_KEY or put it at ${file}. See docs/operations/master-key.md.`;
  const keys = findMasterKeys(config);
  if (keys.length === 0) {
    throw new CommandError(
      'restore.master_key_missing',
      `The master key is missing: neither KEYREEVE_MASTER_KEY nor ${file}. Nothing was restored.`,
      { remedy },
    );
  }
  const key = keys.find((candidate) => isMasterKeyOf(masterKeyCheck, candidate));
  if (key !== undefined) return key;
  throw new CommandError(
    'restore.master_key_wrong',
    'The master key here is not the one of this backup. Nothing was restored.',
    { remedy },
  );
}

function requireKnownSchema({ schema }: Manifest): void {
  if (compareVersions(schema) !== 'newer') return;
  throw new CommandError('restore.newer', 'A newer release wrote this backup. Nothing was restored.', {
    remedy: 'Restore it with that release or a later one.',
  });
}

function notEmpty(what: string): CommandError {
  return new CommandError(
    'restore.not_empty',
    `There is a deployment, or the rest of one, in ${what} already. Nothing was restored.`,
    {
      remedy:
        'Restore into an empty data folder or a new database; move the old one away first if it must go.',
    },
  );
}

function busy(what: string): CommandError {
  return new CommandError(
    'restore.busy',
    `A server or another restore is at work in ${what}. Nothing was restored.`,
    { remedy: 'Stop it, or wait for its end; restore into another place otherwise.' },
  );
}

function tell(outcome: Outcome, config: Config, isJson: boolean): void {
  if (isJson) {
    process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
    return;
  }
  const { createdAt, rows, packages, packageBytes, keys, alteredKeys, held, hasPackages } = outcome;
  const lines = [
    `The backup of ${createdAt} is restored: ${rows} rows, ${packages} package files (${formatBytes(packageBytes)}).`,
    `${keys} keys were checked; ${alteredKeys.length === 0 ? 'all are as they were written' : `${alteredKeys.length} were altered outside Keyreeve and will be refused: ${alteredKeys.slice(0, 10).join(', ')}`}.`,
  ];
  if (held.mails + held.deliveries > 0)
    lines.push(
      `${held.mails} mails and ${held.deliveries} webhook deliveries were waiting. They are held back, since they may have been sent; --send-pending would have sent them.`,
    );
  if (!hasPackages)
    lines.push(
      'The files of packages are not in this backup: copy them to their store (docs/operations/blobs.md).',
    );
  for (const name of outcome.missingPackages)
    lines.push(`This package file was damaged or gone already: ${name}`);
  lines.push(
    'What was revoked after the backup works again: look through your notes, and delete or disable it.',
    'Everybody signs in anew. Start the server, then run: keyreeve doctor',
  );
  const isElsewhere = config.publicUrl === null;
  if (isElsewhere)
    lines.push('KEYREEVE_PUBLIC_URL is not set: tokens of the old server name its address as issuer.');
  process.stdout.write(`${lines.join('\n')}\n`);
}
