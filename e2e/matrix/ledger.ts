import path from 'node:path';
import type { Harness } from '@keyreeve/testkit';
import { type Row, watchTables } from './watched-tables.ts';

/** All rows of all tables at one moment. */
export interface Snapshot {
  readonly all: ReadonlyMap<string, readonly Row[]>;
  /** What of them counts, for comparing. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface Ledger {
  read(): Snapshot;
  /** The tables whose rows differ. */
  compare(before: Snapshot, after: Snapshot): string[];
  /** Rows of the audit log that were added in between. */
  findLogged(before: Snapshot, after: Snapshot): readonly Row[];
  /** The same as `compare`, looking only at the rows of one workspace. */
  compareWithin(workspaceId: string, before: Snapshot, after: Snapshot): string[];
  /**
   * Puts all tables back to what they were, so that the next request meets the same stage, but the revocation epochs,
   * which are raised: with the old ones, what the server has kept of the changed rows would count as true once more.
   */
  restore(wanted: Snapshot): void;
  close(): void;
}

/** Counters of refusals, which a refusal is meant to raise, the ends of the audit logs, and the migrations' own. */
const COUNTERS = [
  'audit_heads',
  'refusals',
  'refusal_hours',
  'attempts',
  'key_hours',
  'key_last_uses',
  'key_quotas',
  'key_last_refusals',
  'workspace_hours',
];
const EPOCHS = 'revocation_epochs';
/** What the search of SQLite keeps its index in: triggers write it along with the rows that it is about. */
const isIndexTable = (name: string): boolean => name.startsWith('package_search_trigrams');

/**
 * Reads the tables that the database has, not those that somebody has listed, so that a new one is watched too.
 * Left out is what a refused request may write: counters and the time a session was last seen. Audit rows of refusals
 * are written later, by whoever asks for it.
 */
export async function openLedger({ deps: { storage }, database }: Harness): Promise<Ledger> {
  const found = await storage.read.introspection.getTables();
  const tables = found
    .map(({ name }) => name)
    .filter((name) => !COUNTERS.includes(name) && !name.startsWith('schema_') && !isIndexTable(name));
  if (tables.length < 15) throw new Error(`Only ${tables.length} tables were found: ${tables.join(', ')}.`);
  if (database.engine !== 'sqlite') throw new Error('The rows of the matrix lie in a SQLite file.');
  const watched = watchTables(path.join(database.dataDir, 'keyreeve.db'), tables);
  const texts = createTexts();
  const read: Ledger['read'] = () => {
    const all = watched.read();
    return { all, texts: new Map([...all].map(([table, rows]) => [table, texts.of(table, rows)])) };
  };
  const compare: Ledger['compare'] = (before, after) =>
    tables.filter((table) => before.texts.get(table) !== after.texts.get(table));
  return {
    read,
    compare,
    findLogged,
    compareWithin: (workspaceId, before, after) =>
      compare(before, after).filter((table) => {
        const textIn = ({ all }: Snapshot) =>
          texts.join(table, all.get(table)?.filter((row) => row['workspace_id'] === workspaceId) ?? []);
        return textIn(before) !== textIn(after);
      }),
    restore: (wanted) => {
      const differs = () => compare(wanted, read()).filter((table) => table !== EPOCHS);
      watched.restore(wanted.all, differs(), `update ${EPOCHS} set epoch = epoch + 1`);
      const wrong = differs();
      if (wrong.length > 0) throw new Error(`The tables ${wrong.join(', ')} could not be put back.`);
    },
    close: () => watched.close(),
  };
}

function findLogged(before: Snapshot, after: Snapshot): readonly Row[] {
  const [old = [], now = []] = [before, after].map(({ all }) => all.get('audit'));
  if (old === now) return [];
  const known = new Set(old.map((row) => row['seq']));
  return now.filter((row) => !known.has(row['seq']));
}

/** The rows of a table as one text, whatever their order; each row and each table is written once. */
function createTexts() {
  const ofRows = new WeakMap<readonly Row[], string>();
  const ofRow = new WeakMap<Row, string>();
  const toLine = (table: string, row: Row): string => {
    const line = ofRow.get(row) ?? JSON.stringify(table === 'sessions' ? { ...row, last_seen_at: 0 } : row);
    ofRow.set(row, line);
    return line;
  };
  const join = (table: string, rows: readonly Row[]): string =>
    rows
      .map((row) => toLine(table, row))
      .toSorted()
      .join('\n');
  const of = (table: string, rows: readonly Row[]): string => {
    const text = ofRows.get(rows) ?? join(table, rows);
    ofRows.set(rows, text);
    return text;
  };
  return { of, join };
}
