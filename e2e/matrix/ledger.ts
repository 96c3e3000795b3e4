import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inTransaction, type Storage } from '@keyreeve/server';
import type { Harness } from '@keyreeve/testkit';

type Row = Readonly<Record<string, unknown>>;
/** The tables are found by name; to the types any one will do. */
type Table = 'audit';

/** All rows of all tables at one moment. */
export interface Snapshot {
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  readonly texts: ReadonlyMap<string, string>;
}

export interface Ledger {
  read(): Promise<Snapshot>;
  /** The tables whose rows differ. */
  compare(before: Snapshot, after: Snapshot): string[];
  /** The same, looking only at the rows of one workspace. */
  compareWithin(workspaceId: string, before: Snapshot, after: Snapshot): string[];
  /** Puts all tables back to what they were, so that the next request meets the same stage. */
  restore(wanted: Snapshot): Promise<void>;
  close(): void;
}

/** Counters of refusals, which a refusal is meant to raise, and the migrations' own. */
const COUNTERS = [
  'refusals',
  'refusal_hours',
  'attempts',
  'key_hours',
  'key_last_uses',
  'key_last_refusals',
  'workspace_hours',
];
const ROWS_AT_ONCE = 50;
/** What the search of SQLite keeps its index in: triggers write it along with the rows that it is about. */
const isIndexTable = (name: string): boolean => name.startsWith('package_search_trigrams');

/**
 * Reads the tables that the database has, not those that somebody has listed, so that a new one is watched too.
 * Left out is what a refused request may write: counters, the time a session was last seen, and audit rows that
 * tell of refusals.
 */
export async function openLedger({ deps: { storage }, database }: Harness): Promise<Ledger> {
  const found = await storage.read.introspection.getTables();
  const tables = found
    .map(({ name }) => name)
    .filter((name) => !COUNTERS.includes(name) && !name.startsWith('schema_') && !isIndexTable(name));
  if (tables.length < 15) throw new Error(`Only ${tables.length} tables were found: ${tables.join(', ')}.`);
  const commits =
    database.engine === 'sqlite' ? watchCommits(path.join(database.dataDir, 'keyreeve.db')) : null;
  let last: { readonly version: number; readonly snapshot: Snapshot } | null = null;

  const read: Ledger['read'] = async () => {
    const version = commits?.version() ?? null;
    if (last !== null && version === last.version) return last.snapshot;
    const snapshot = await readTables(storage, tables);
    last = version === null ? null : { version, snapshot };
    return snapshot;
  };
  const compare: Ledger['compare'] = (before, after) =>
    before === after ? [] : tables.filter((table) => before.texts.get(table) !== after.texts.get(table));
  return {
    read,
    compare,
    compareWithin: (workspaceId, before, after) =>
      compare(before, after).filter((table) => {
        const textIn = ({ rows }: Snapshot) =>
          toText(table, rows.get(table)?.filter((row) => row['workspace_id'] === workspaceId) ?? []);
        return textIn(before) !== textIn(after);
      }),
    restore: async (wanted) => {
      const changed = compare(wanted, await read());
      await inTransaction(storage, async (tx) => {
        for (const table of changed as Table[]) {
          await tx.deleteFrom(table).execute();
          const rows = wanted.rows.get(table) ?? [];
          for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
            await tx
              .insertInto(table)
              .values(rows.slice(start, start + ROWS_AT_ONCE) as never)
              .execute();
          }
        }
      });
      const { texts } = await readTables(storage, changed);
      const wrong = changed.filter((table) => texts.get(table) !== wanted.texts.get(table));
      if (wrong.length > 0) throw new Error(`The tables ${wrong.join(', ')} could not be put back.`);
      if (commits !== null) last = { version: commits.version(), snapshot: wanted };
    },
    close: () => commits?.close(),
  };
}

/**
 * SQLite says of itself whether any other connection has committed anything since this one last asked
 * (`PRAGMA data_version`): as long as not, no row of any table has changed, and none has to be read again.
 */
function watchCommits(file: string): { version(): number; close(): void } {
  const database = new DatabaseSync(file, { readOnly: true });
  const statement = database.prepare('PRAGMA data_version');
  return {
    version: () => Number(statement.get()?.['data_version']),
    close: () => database.close(),
  };
}

async function readTables(storage: Storage, tables: readonly string[]): Promise<Snapshot> {
  const rows = new Map<string, readonly Row[]>();
  const texts = new Map<string, string>();
  for (const table of tables) {
    const all: readonly Row[] = await storage.read
      .selectFrom(table as Table)
      .selectAll()
      .execute();
    const kept = table === 'audit' ? all.filter((row) => row['action'] !== 'access.refused') : all;
    rows.set(table, kept);
    texts.set(table, toText(table, kept));
  }
  return { rows, texts };
}

function toText(table: string, rows: readonly Row[]): string {
  const lines = rows.map((row) => JSON.stringify(table === 'sessions' ? { ...row, last_seen_at: 0 } : row));
  return lines.toSorted().join('\n');
}
