import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { type Config, type Environment, loadConfig, publicUrlOf } from '../config/index.ts';
import { systemClock, toIso } from '../lib/clock.ts';
import { type BackupTotals, openSnapshot, produceBackup, type Snapshot } from '../storage/backup/index.ts';
import { isMasterKeyOf, isNewSqliteDatabase } from '../storage/index.ts';
import { createProgressLine, formatBytes, readArguments } from './arguments.ts';
import { CommandError, commandUsageError, EXIT } from './command.ts';
import { findMasterKeys, openConfiguredBlobs, requireDataFolderAccess, SILENT } from './operator-tools.ts';

const COMPRESSION_LEVEL = 3;
const INTERRUPTED = 130;
/** SIGHUP is what a connection by ssh leaves when it breaks. */
const INTERRUPTING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Work {
  readonly config: Config;
  readonly masterKeys: readonly Uint8Array[];
  readonly hasPackages: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (totals: BackupTotals, part: string) => void;
}

/**
 * Writes everything but the master key into one file, beside a server that goes on working: another process, one
 * snapshot, no lock. The file has its name once it is whole and on the disk.
 */
export async function runBackup(args: readonly string[], environment: Environment): Promise<number> {
  const { values, words } = readArguments(
    args,
    { force: { type: 'boolean' }, 'without-packages': { type: 'boolean' } },
    1,
  );
  const config = loadConfig(environment);
  const file = words[0] ?? defaultName();
  const isStream = file === '-';
  if (isStream && process.stdout.isTTY)
    throw commandUsageError(
      'A backup is nothing to look at.',
      'Give the name of a file, or send stdout elsewhere.',
    );
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const name of INTERRUPTING) process.once(name, interrupt);
  const line = createProgressLine(values.json !== true);
  const work: Work = {
    config,
    masterKeys: requireMasterKeys(config),
    hasPackages: values['without-packages'] !== true,
    signal: interruption.signal,
    onProgress: (totals, part) =>
      line.show(
        `${part}: ${totals.rows} rows, ${totals.packages} package files, ${formatBytes(totals.packageBytes)}`,
      ),
  };
  const startedAt = performance.now();
  try {
    const { totals, bytes } = isStream
      ? await writeBackup(process.stdout, work)
      : await writeFile(path.resolve(file), values.force === true, work);
    line.end();
    const durationMs = Math.round(performance.now() - startedAt);
    const report = { file: isStream ? null : path.resolve(file), bytes, durationMs, ...totals };
    tell(report, { isJson: values.json === true, isStream });
    return totals.missing.length > 0 ? EXIT.refused : EXIT.ok;
  } catch (error) {
    line.end();
    if (!interruption.signal.aborted) throw explain(error);
    process.stderr.write('Interrupted; nothing was written.\n');
    return INTERRUPTED;
  } finally {
    for (const name of INTERRUPTING) process.off(name, interrupt);
  }
}

function defaultName(): string {
  const stamp = toIso(systemClock.now()).replace(/[-:]|\.\d+/g, '');
  return `keyreeve-${stamp}.backup`;
}

function requireMasterKeys(config: Config): readonly Uint8Array[] {
  const isSqlite = config.database.engine === 'sqlite';
  if (isSqlite) requireDataFolderAccess(config);
  if (isSqlite && isNewSqliteDatabase(config.dataDir)) {
    throw new CommandError('backup.no_database', `There is no database in ${path.resolve(config.dataDir)}.`, {
      remedy: 'Set KEYREEVE_DATA_DIR (or KEYREEVE_DATABASE_URL) as it is set for the server.',
    });
  }
  const keys = findMasterKeys(config);
  if (keys.length > 0) return keys;
  throw new CommandError(
    'backup.master_key_missing',
    `The master key is missing: neither KEYREEVE_MASTER_KEY nor ${path.join(config.dataDir, 'master.key')}.`,
    { remedy: 'A backup is signed under it, and never contains it. Run the command as the server is run.' },
  );
}

/** Writes a backup of what runs now, packed, and ends `output`. */
export async function writeBackup(
  output: Writable,
  work: Work,
): Promise<{ totals: BackupTotals; bytes: number }> {
  const totals: BackupTotals = { rows: 0, tables: {}, packages: 0, packageBytes: 0, missing: [] };
  const { config } = work;
  const snapshot = await openSnapshot(config, SILENT);
  let bytes = 0;
  try {
    // Looked for before the snapshot and after it: a rotation may have ended in between.
    const masterKey = chooseRightKey(snapshot, [...work.masterKeys, ...findMasterKeys(config)]);
    const blobs = work.hasPackages ? await openConfiguredBlobs(config) : null;
    try {
      const content = produceBackup(snapshot, {
        blobs,
        masterKey,
        publicUrl: publicUrlOf(config),
        createdAt: toIso(systemClock.now()),
        totals,
        onProgress: work.onProgress,
      });
      const params = {
        [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL,
        [constants.ZSTD_c_checksumFlag]: 1,
      };
      const packed = createZstdCompress({ params });
      packed.on('data', (chunk: Buffer) => (bytes += chunk.length));
      await pipeline(Readable.from(content, { objectMode: false }), packed, output, { signal: work.signal });
    } finally {
      await blobs?.close();
    }
  } finally {
    await snapshot.close();
  }
  return { totals, bytes };
}

/** Writes under a name that nobody takes for a backup; a crash leaves that and nothing else. */
async function writeFile(
  file: string,
  isForced: boolean,
  work: Work,
): Promise<{ totals: BackupTotals; bytes: number }> {
  refuseExisting(file, isForced);
  removeLeftovers(file);
  const part = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.part`;
  const handle = await open(part, 'wx', 0o600);
  try {
    const outcome = await writeBackup(handle.createWriteStream({ flush: true }), work);
    if (isForced) await rename(part, file);
    else await renameToNew(part, file);
    await syncFolder(path.dirname(file));
    return outcome;
  } catch (error) {
    await handle.close().catch(() => {});
    rmSync(part, { force: true });
    if (error instanceof Error && Reflect.get(error, 'code') === 'EEXIST') refuseExisting(file, isForced);
    throw error;
  }
}

/** FAT and some network file systems have no links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Gives the whole file its name, and replaces none that has come about meanwhile: a link fails there, a rename would not.
 *
 * @param makeLink for tests
 */
export async function renameToNew(part: string, file: string, makeLink = link): Promise<void> {
  try {
    await makeLink(part, file);
    await rm(part);
  } catch (error) {
    const code = error instanceof Error ? String(Reflect.get(error, 'code')) : '';
    if (!NO_LINKS.includes(code)) throw error;
    refuseExisting(file, false);
    await rename(part, file);
  }
}

function refuseExisting(file: string, isForced: boolean): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) {
    throw new CommandError('backup.not_a_file', `${file} is a folder or a device.`, {
      remedy: 'Give the name of a file, or - for stdout.',
    });
  }
  if (isForced || !existsSync(file)) return;
  throw new CommandError('backup.exists', `There is a file ${file} already.`, {
    remedy: 'Choose another name, or say --force to replace it once the new backup is whole.',
  });
}

/** What processes that no longer live have left of backups of this name. */
function removeLeftovers(file: string): void {
  const folder = path.dirname(file);
  if (!existsSync(folder)) {
    throw new CommandError('backup.no_folder', `There is no folder ${folder}.`, {
      remedy: 'Make it, or choose another name.',
    });
  }
  for (const name of readdirSync(folder)) {
    const match = name.startsWith(`${path.basename(file)}.`) ? /\.(\d+)-[0-9a-f]{8}\.part$/.exec(name) : null;
    if (match !== null && !isAlive(Number(match[1]))) rmSync(path.join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && Reflect.get(error, 'code') === 'EPERM';
  }
}

/** The name itself is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** In the middle of a rotation either of the two may be that of the snapshot. */
function chooseRightKey({ masterKeyCheck }: Snapshot, masterKeys: readonly Uint8Array[]): Uint8Array {
  const right = masterKeys.find((key) => masterKeyCheck !== null && isMasterKeyOf(masterKeyCheck, key));
  if (right !== undefined) return right;
  throw new CommandError(
    'backup.master_key_wrong',
    'The master key here is not the one of the database, so a restore could never use this backup.',
    { remedy: 'Set KEYREEVE_MASTER_KEY (or put the file master.key) as it is for the server.' },
  );
}

function explain(error: unknown): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new CommandError('backup.disk_full', 'There is no room for the backup; nothing was kept of it.', {
      remedy: 'Make room, choose another disk, or leave the package files out (--without-packages).',
      cause: error,
    });
  }
  return error;
}

interface Report extends BackupTotals {
  readonly file: string | null;
  readonly bytes: number;
  readonly durationMs: number;
}

const NO_MASTER_KEY =
  'The master key is not in it, and without that key the backup is worth nothing: keep it elsewhere.';

function tell(report: Report, { isJson, isStream }: { isJson: boolean; isStream: boolean }): void {
  const result = isStream ? process.stderr : process.stdout;
  if (isJson) {
    result.write(`${JSON.stringify({ ...report, containsMasterKey: false }, null, 2)}\n`);
    return;
  }
  const { file, bytes, rows, packages, packageBytes, missing } = report;
  result.write(
    `${file ?? 'Backup'}: ${formatBytes(bytes)}, ${rows} rows, ${packages} package files (${formatBytes(packageBytes)}).\n`,
  );
  process.stderr.write(`${NO_MASTER_KEY}\n`);
  if (missing.length === 0) return;
  process.stderr.write(
    `${missing.length} package files are damaged or gone, and not in it:\n${missing.map((name) => `  ${name}\n`).join('')}`,
  );
}
