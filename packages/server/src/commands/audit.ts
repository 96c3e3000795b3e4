import { createReadStream } from 'node:fs';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { type Environment, loadConfig } from '../config/index.ts';
import {
  AuditKeysMissing,
  ChainFileUnreadable,
  type ChainReport,
  fingerprintsOf,
  toCheckpoint,
  verifyChainFile,
  verifyDatabase,
} from '../features/audit/index.ts';
import { systemClock, toIso } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { compareVersions, openSnapshot, type Snapshot } from '../storage/backup/index.ts';
import {
  type AuditCheckpointsTable,
  isMasterKeyOf,
  isNewSqliteDatabase,
  openKeyring,
  openStorage,
} from '../storage/index.ts';
import { createProgressLine, readArguments } from './arguments.ts';
import { CommandError, commandUsageError, EXIT } from './command.ts';
import { findMasterKeys, requireDataFolderAccess, SILENT } from './operator-tools.ts';

/** Whether the log is whole cannot be said: something that is needed for it is not there. */
const UNVERIFIED = 3;
/** A line of an export is a row; no row is as long as this. */
const LINE_CHARACTERS_MAX = 4 * 1024 * 1024;

interface Outcome {
  readonly reports: readonly ChainReport[];
  readonly fingerprints: readonly string[];
  readonly exportedAt: string | null;
}

/**
 * `audit verify`: whether the audit log is as it was written, and which row is the first that is not. In the database
 * of the configuration, beside a server or without one, or in an export.
 */
export async function runAudit(args: readonly string[], environment: Environment): Promise<number> {
  const { values, words } = readArguments(
    args,
    {
      file: { type: 'string' },
      fingerprint: { type: 'string' },
      workspace: { type: 'string' },
      checkpoints: { type: 'string' },
    },
    1,
  );
  if (words[0] !== 'verify')
    throw commandUsageError('The one thing to do with the audit log here is to verify it.', 'audit verify');
  const { file, fingerprint, workspace, checkpoints } = values;
  if (file !== undefined && (workspace !== undefined || checkpoints !== undefined))
    throw commandUsageError('--workspace and --checkpoints go with a database, not with --file.');
  const line = createProgressLine(values.json !== true);
  const onProgress = (rows: number) => line.show(`${rows} rows`);
  let outcome: Outcome;
  try {
    outcome =
      file === undefined
        ? await verifyHere(environment, { workspace, checkpoints, onProgress })
        : await verifyExport(file, fingerprint ?? null, onProgress);
  } finally {
    line.end();
  }
  if (fingerprint !== undefined && !outcome.fingerprints.includes(fingerprint))
    throw unverified(
      'audit.other_key',
      `This log is signed with another key than ${fingerprint}: ${outcome.fingerprints.join(', ')}.`,
      'Keys never change. Somebody has made a new chain, or this is another deployment.',
    );
  tell(outcome, values.json === true);
  return outcome.reports.some(({ fault }) => fault !== null) ? EXIT.refused : EXIT.ok;
}

function unverified(code: string, message: string, remedy: string, cause?: unknown): CommandError {
  return new CommandError(code, message, { exitCode: UNVERIFIED, remedy, cause });
}

async function verifyExport(
  file: string,
  fingerprint: string | null,
  onProgress: (rows: number) => void,
): Promise<Outcome> {
  try {
    const found = await verifyChainFile(readLines(file), fingerprint, onProgress);
    return { reports: [found.report], fingerprints: found.fingerprints, exportedAt: found.exportedAt };
  } catch (error) {
    if (!(error instanceof ChainFileUnreadable)) throw error;
    throw unverified('audit.file_unreadable', error.message, 'Export the log anew.', error);
  }
}

/** The lines of a file, or of stdin for `-`; memory is bounded, whatever is in it. */
async function* readLines(file: string): AsyncGenerator<string> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file);
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of input) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LINE_CHARACTERS_MAX)
        throw new ChainFileUnreadable('A line is longer than any row of a log.');
      for (const text of lines) if (text !== '') yield text;
    }
  } catch (error) {
    if (error instanceof ChainFileUnreadable) throw error;
    throw unverified(
      'audit.no_file',
      `${file} cannot be read.`,
      'Check its name and who may read it.',
      error,
    );
  }
  if (rest !== '') yield rest;
}

interface Place {
  readonly workspace: string | undefined;
  readonly checkpoints: string | undefined;
  readonly onProgress: (rows: number) => void;
}

async function verifyHere(environment: Environment, place: Place): Promise<Outcome> {
  const config = loadConfig(environment);
  if (config.database.engine === 'sqlite') {
    requireDataFolderAccess(config);
    if (isNewSqliteDatabase(config.dataDir))
      throw unverified(
        'audit.no_database',
        `There is no database in ${config.dataDir}.`,
        'Set KEYREEVE_DATA_DIR (or KEYREEVE_DATABASE_URL) as it is set for the server.',
      );
  }
  const witnesses = place.checkpoints === undefined ? [] : await readWitnesses(place.checkpoints);
  const snapshot = await openSnapshot(config, SILENT);
  try {
    requireSchema(snapshot);
    const { masterKeyCheck } = snapshot;
    const masterKey = findMasterKeys(config).find(
      (key) => masterKeyCheck !== null && isMasterKeyOf(masterKeyCheck, key),
    );
    if (masterKey === undefined)
      throw unverified(
        'audit.master_key',
        'The master key of this database is not here.',
        'Run the command as the server is run. Without the key, verify an export: keyreeve audit verify --file.',
      );
    const storage = openStorage(config, SILENT);
    try {
      const keyring = await openKeyring({ storage, clock: systemClock, random: systemRandom, masterKey });
      const { main: exec } = snapshot;
      const { workspace: workspaceId, onProgress } = place;
      const now = systemClock.now();
      const reports = await verifyDatabase({ exec, keyring, now, workspaceId, witnesses, onProgress });
      return { reports, fingerprints: await fingerprintsOf(exec, keyring), exportedAt: null };
    } catch (error) {
      if (!(error instanceof AuditKeysMissing)) throw error;
      const code = error.isBegun ? 'audit.keys_missing' : 'audit.not_begun';
      throw new CommandError(code, error.message, { exitCode: UNVERIFIED, cause: error });
    } finally {
      await storage.close();
    }
  } finally {
    await snapshot.close();
  }
}

function requireSchema(snapshot: Snapshot): void {
  if (compareVersions(snapshot.versions) === 'same') return;
  throw unverified(
    'audit.other_schema',
    'The database has the schema of another release.',
    'Start the server of this release once, or run the command of the other release.',
  );
}

/** Checkpoints in the log of a server, or in an export: whatever else is in the file is passed over. */
async function readWitnesses(file: string): Promise<AuditCheckpointsTable[]> {
  const found: AuditCheckpointsTable[] = [];
  let workspaceId = '';
  for await (const text of readLines(file)) {
    if (!text.includes('heckpoint') && !text.includes('keyreeveAudit')) continue;
    const line = parseObject(text);
    workspaceId = textOr(line['workspaceId'], workspaceId);
    const checkpoint = line['auditCheckpoint'] ?? line['checkpoint'];
    if (typeof checkpoint !== 'object' || checkpoint === null) continue;
    const each = checkpoint as Readonly<Record<string, unknown>>;
    found.push(toCheckpoint(textOr(each['workspaceId'], workspaceId), each));
  }
  if (found.length > 0) return found;
  throw unverified(
    'audit.no_checkpoints',
    `${file} holds no checkpoint.`,
    'Give the log of the server, or an export.',
  );
}

function textOr(value: unknown, other: string): string {
  return typeof value === 'string' ? value : other;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function tell({ reports, fingerprints, exportedAt }: Outcome, isJson: boolean): void {
  if (isJson) {
    const isWhole = reports.every(({ fault }) => fault === null);
    const faults = reports.flatMap(({ fault }) => (fault === null ? [] : [fault]));
    process.stdout.write(
      `${JSON.stringify({ isWhole, faults, logs: reports, fingerprints, exportedAt }, null, 2)}\n`,
    );
    return;
  }
  const lines = [...reports.flatMap(describe), ...fingerprints.map((each) => `signed with ${each}`)];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function describe({ workspaceId, rows, adopted, waiting, checkpoints, fault }: ChainReport): string[] {
  const notes = [
    adopted > 0 ? `${adopted} of them were there before the chain was begun` : '',
    waiting > 0 ? `${waiting} rows of an older release are not chained yet` : '',
  ].filter((note) => note !== '');
  if (fault === null)
    return [
      `whole   ${workspaceId}: ${rows} rows, ${checkpoints} checkpoints${notes.map((note) => `; ${note}`).join('')}`,
    ];
  const { number, seq, at, action, kind, message } = fault;
  const where = [
    `row ${number}`,
    seq === null ? '' : `seq ${seq}`,
    at === null || !Number.isSafeInteger(at) || Math.abs(at) > 8.64e15 ? '' : toIso(at),
    action ?? '',
  ].filter((each) => each !== '');
  return [`BROKEN  ${workspaceId}: ${kind}, ${where.join(', ')}`, `        ${message}`];
}
