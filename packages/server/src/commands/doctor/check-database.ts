import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { compareVersions } from '../../storage/backup/index.ts';
import {
  checkSqliteFiles,
  findMissingIndexes,
  type Inspection,
  isMasterKeyOf,
  isNewSqliteDatabase,
  NoPrimaryError,
  openInspection,
  readJournalMode,
  readPostgresFacts,
} from '../../storage/index.ts';
import { findMasterKeys } from '../operator-tools.ts';
import { type Check, type Finding, fault, messageOf, type Place, warning } from './check.ts';
import { readMasterKeyCheck } from './installation.repo.ts';

const LOG_BYTES_MAX = 64 * 1024 * 1024;
const POSTGRES_VERSION_MIN = 140_000;
const CLOCK_DIFFERENCE_MAX_MS = 5_000;

/** The engine and its settings, the schema, and whether the master key is the one of this database. */
export const databaseCheck: Check = {
  name: 'database',
  run: async (place) => {
    const { config } = place;
    const isSqlite = config.database.engine === 'sqlite';
    if (isSqlite && isNewSqliteDatabase(config.dataDir)) return 'there is no database yet';
    let inspection: Inspection;
    try {
      inspection = await openInspection(config);
    } catch (error) {
      return [unusable(error, isSqlite)];
    }
    try {
      const engine = isSqlite
        ? await judgeSqlite(inspection, config.dataDir)
        : await judgePostgres(inspection, place);
      return [...engine, ...(await judgeSchema(inspection)), ...(await judgeMasterKey(inspection, place))];
    } catch (error) {
      return [unusable(error, isSqlite)];
    } finally {
      await inspection.close();
    }
  },
};

/** SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN and SQLITE_AUTH: about who may open a file, not about what is in it. */
const NOT_OPENED: readonly unknown[] = [3, 8, 14, 23];

function unusable(error: unknown, isSqlite: boolean): Finding {
  const errcode: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined;
  if (isSqlite && typeof errcode === 'number' && NOT_OPENED.includes(errcode & 0xff)) {
    return fault(
      'database.unreadable',
      `SQLite may not open its files: ${messageOf(error)}.`,
      'Run keyreeve doctor as the user of the server, to whom the data folder and all files in it must belong.',
    );
  }
  if (error instanceof NoPrimaryError)
    return fault(
      'postgres.standby',
      error.message,
      'Name the primary in KEYREEVE_DATABASE_URL, or all servers.',
    );
  return isSqlite
    ? fault(
        'database.corrupt',
        `SQLite cannot read its files: ${messageOf(error)}.`,
        'Stop the server, keep a copy of the data folder, and restore a backup (keyreeve restore).',
      )
    : fault(
        'database.unreachable',
        `PostgreSQL does not answer: ${messageOf(error)}.`,
        'Check KEYREEVE_DATABASE_URL, the rights of its user, and whether PostgreSQL runs.',
      );
}

async function judgeSqlite(inspection: Inspection, dataDir: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const complaints = await checkSqliteFiles(inspection);
  if (complaints.length > 0) {
    findings.push(
      fault(
        'database.corrupt',
        `SQLite finds its files damaged: ${complaints.slice(0, 3).join('; ')}.`,
        'Stop the server, keep a copy of the data folder, and restore a backup (keyreeve restore). Check the disk.',
      ),
    );
  }
  const mode = await readJournalMode(inspection);
  // A file that is opened as unchanging, because its server is stopped, says nothing of its mode.
  if (mode !== 'wal' && existsSync(path.join(dataDir, 'keyreeve.db-wal'))) {
    findings.push(
      fault(
        'sqlite.journal_mode',
        `The journal mode is ${mode}, not wal.`,
        'Restart the server, which sets it.',
      ),
    );
  }
  const log = path.join(dataDir, 'keyreeve.db-wal');
  const logBytes = existsSync(log) ? statSync(log).size : 0;
  if (logBytes > LOG_BYTES_MAX) {
    findings.push(
      warning(
        'sqlite.log_large',
        `The log keyreeve.db-wal has ${Math.round(logBytes / 1_000_000)} MB: something reads for a long time.`,
        'Look for a backup or a tool that hangs; a restart of the server empties it.',
      ),
    );
  }
  return findings;
}

async function judgePostgres(inspection: Inspection, { now }: Place): Promise<Finding[]> {
  const before = now();
  const facts = await readPostgresFacts(inspection);
  const differenceMs = Math.abs(facts.now - (before + now()) / 2);
  const findings: Finding[] = [];
  const add = (code: string, message: string, remedy: string) => findings.push(fault(code, message, remedy));
  if (facts.version < POSTGRES_VERSION_MIN)
    add(
      'postgres.version',
      `PostgreSQL ${Math.floor(facts.version / 10_000)} is too old.`,
      'Use 14 or newer.',
    );
  if (facts.fsync !== 'on')
    add('postgres.fsync', 'fsync is off: a crash can lose or damage everything.', 'Set fsync = on.');
  if (facts.full_page_writes !== 'on')
    add('postgres.full_page_writes', 'full_page_writes is off: a crash can damage pages.', 'Set it to on.');
  if (!['on', 'remote_apply'].includes(facts.synchronous_commit))
    add(
      'postgres.synchronous_commit',
      `synchronous_commit is ${facts.synchronous_commit}: a crash can lose what was acknowledged.`,
      'Set it to on.',
    );
  if (differenceMs > CLOCK_DIFFERENCE_MAX_MS)
    add(
      'clock.database',
      `The clock of the database differs from the one here by ${Math.round(differenceMs / 1_000)} seconds.`,
      'Set both by NTP: expiries go by the clock.',
    );
  return findings;
}

async function judgeSchema(inspection: Inspection): Promise<Finding[]> {
  const found = await inspection.readVersions();
  const relation = compareVersions(found);
  if (relation === 'newer') {
    return [
      fault(
        'schema.newer',
        `The database was made by a newer release (${found.main.at(-1) ?? ''}).`,
        'Run that release or a later one.',
      ),
    ];
  }
  if (relation === 'same') return await judgeIndexes(inspection);
  return [
    warning(
      'schema.older',
      `The schema is of an older release (${found.main.at(-1) ?? 'none'}).`,
      'The next start brings it up to date. Make a backup first.',
    ),
  ];
}

/** What a node makes behind a migration on PostgreSQL, and may have failed to: it serves all the same. */
async function judgeIndexes({ main, engine }: Inspection): Promise<Finding[]> {
  const missing = await findMissingIndexes(main, engine);
  return missing.map(({ name, definition }) =>
    warning(
      'database.index_missing',
      `The index ${name} is missing or broken, so lists of many keys are slow.`,
      engine === 'postgres'
        ? 'Restart one node: it makes the index while others read and write, and its log says what keeps it from that (disk space, rights, a limit on statements).'
        : `Stop the server, make a backup, and run this in keyreeve.db: create index ${name} on ${definition};`,
    ),
  );
}

async function judgeMasterKey(inspection: Inspection, { config }: Place): Promise<Finding[]> {
  const masterKeys = readMasterKeys(config);
  // That it is missing or malformed is told by the check of its file.
  if (masterKeys.length === 0 || (await inspection.readVersions()).main.length === 0) return [];
  const check = await readMasterKeyCheck(inspection.main);
  if (check === null || masterKeys.some((key) => isMasterKeyOf(check, key))) return [];
  return [
    fault(
      'master_key.wrong',
      'The master key is not the one that this database was made with.',
      'Put the right one back (KEYREEVE_MASTER_KEY, or master.key in the data folder); with another one no key can be verified.',
    ),
  ];
}

function readMasterKeys(config: Place['config']): readonly Uint8Array[] {
  try {
    return findMasterKeys(config);
  } catch {
    return [];
  }
}
