import { inTransaction, type Storage } from '@keyreeve/server';

type Row = Readonly<Record<string, unknown>>;
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
  /** Puts all tables back to what they were, so that the next request meets the same stage. */
  restore(wanted: Snapshot): Promise<void>;
}

/** Counters of refusals, which a refusal is meant to raise, and the migrations' own. */
const COUNTERS = ['refusals', 'refusal_hours', 'attempts', 'key_hours', 'key_last_uses'];

/**
 * Reads the tables that the database has, not those that somebody has listed, so that a new one is watched too.
 * Left out is what a refused request may write: counters, the time a session was last seen, and audit rows that
 * tell of refusals.
 */
export async function openLedger(storage: Storage): Promise<Ledger> {
  const found = await storage.read.introspection.getTables();
  const tables = found
    .map(({ name }) => name)
    .filter((name) => !COUNTERS.includes(name) && !name.startsWith('schema_'));
  if (tables.length < 15) throw new Error(`Only ${tables.length} tables were found: ${tables.join(', ')}.`);

  const read: Ledger['read'] = async () => {
    const rows = new Map<string, readonly Row[]>();
    const texts = new Map<string, string>();
    for (const table of tables) {
      const all = (await storage.read
        .selectFrom(table as Table)
        .selectAll()
        .execute()) as readonly Row[];
      const kept = table === 'audit' ? all.filter((row) => row['action'] !== 'access.refused') : all;
      rows.set(table, kept);
      texts.set(table, toText(table, kept));
    }
    return { rows, texts };
  };
  const compare: Ledger['compare'] = (before, after) =>
    tables.filter((table) => before.texts.get(table) !== after.texts.get(table));
  return {
    read,
    compare,
    restore: async (wanted) => {
      const changed = compare(wanted, await read());
      await inTransaction(storage, async (tx) => {
        for (const table of changed) {
          await tx.deleteFrom(table as Table).execute();
          for (const row of wanted.rows.get(table) ?? [])
            await tx
              .insertInto(table as Table)
              .values(row as never)
              .execute();
        }
      });
    },
  };
}

function toText(table: string, rows: readonly Row[]): string {
  const lines = rows.map((row) => JSON.stringify(table === 'sessions' ? { ...row, last_seen_at: 0 } : row));
  return lines.toSorted().join('\n');
}
