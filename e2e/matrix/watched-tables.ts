import { DatabaseSync, type StatementSync } from 'node:sqlite';

export type Row = Readonly<Record<string, unknown>>;
type Value = null | number | bigint | string | Uint8Array;

/** The tables of a SQLite database, read again only where they have changed. */
export interface WatchedTables {
  /** All rows of each table; of one that nobody has touched since, the very same array as before. */
  read(): ReadonlyMap<string, readonly Row[]>;
  /** Puts these tables back to what they were, and does one more thing in the same transaction. */
  restore(wanted: ReadonlyMap<string, readonly Row[]>, tables: readonly string[], statement: string): void;
  close(): void;
}

/** One table, with what the triggers have counted when its rows were last read. */
interface Watched {
  rows: readonly Row[];
  lastRowId: number;
  inserted: number;
  touched: number;
}

/**
 * SQLite says of itself whether any other connection has committed anything since this one last asked
 * (`PRAGMA data_version`): as long as not, no row of any table has changed. Triggers count what a commit has done to
 * each table. Thousands of requests each add a row to the same few tables, so where rows were only added, only those
 * are read, and taken out again.
 */
export function watchTables(file: string, names: readonly string[]): WatchedTables {
  // Rows are put back one after the other, so in between they may refer to rows that are not there.
  const database = new DatabaseSync(file, { timeout: 5_000, enableForeignKeyConstraints: false });
  plantTriggers(database, names);
  const version = database.prepare('pragma data_version');
  const counts = database.prepare('select name, inserted, touched from matrix_changes');
  const tables = new Map<string, Watched>();
  const readTable = createTableReader(database);
  let known: number | null = null;

  const readCounts = () => counts.all() as { name: string; inserted: number; touched: number }[];
  const refresh = (): void => {
    for (const { name, inserted, touched } of readCounts()) {
      const table = tables.get(name);
      if (table !== undefined && table.inserted === inserted && table.touched === touched) continue;
      const isOnlyLonger = table !== undefined && table.touched === touched;
      tables.set(name, { ...readTable(name, isOnlyLonger ? table : null), inserted, touched });
    }
  };
  /** Takes out the rows that were added behind `wanted`; false when that is not all that has happened. */
  const shorten = (name: string, wanted: readonly Row[]): boolean => {
    const table = tables.get(name);
    const isOnlyLonger = table !== undefined && wanted.every((row, index) => row === table.rows[index]);
    if (!isOnlyLonger) return false;
    const lastRowId = rowIds.get(wanted.at(-1) ?? {}) ?? -1;
    database.exec(`delete from "${name}" where rowid > ${lastRowId}`);
    const left = database.prepare(`select count(*) as count from "${name}"`).get()?.['count'];
    if (left !== wanted.length) return false;
    tables.set(name, { ...table, rows: wanted, lastRowId });
    return true;
  };
  return {
    read: () => {
      const now = Number(version.get()?.['data_version']);
      if (now !== known) refresh();
      known = now;
      return new Map([...tables].map(([name, { rows }]) => [name, rows]));
    },
    restore: (wanted, changed, statement) => {
      database.exec('begin immediate');
      const shortened = changed.filter((name) => shorten(name, wanted.get(name) ?? []));
      for (const name of changed)
        if (!shortened.includes(name)) putBack(database, name, wanted.get(name) ?? []);
      database.exec(statement);
      database.exec('commit');
      for (const { name, inserted, touched } of readCounts()) {
        const table = tables.get(name);
        // What was only shortened is known row by row; the rest is read again.
        if (table !== undefined && shortened.includes(name)) Object.assign(table, { inserted, touched });
      }
      refresh();
    },
    close: () => database.close(),
  };
}

function plantTriggers(database: DatabaseSync, names: readonly string[]): void {
  database.exec(
    'create table matrix_changes (name text primary key, inserted integer, touched integer) without rowid',
  );
  const insert = database.prepare('insert into matrix_changes values (?, 0, 0)');
  for (const name of names) {
    insert.run(name);
    for (const [event, column] of [
      ['insert', 'inserted'],
      ['update', 'touched'],
      ['delete', 'touched'],
    ]) {
      database.exec(
        `create trigger "matrix_${name}_${event}" after ${event} on "${name}" begin
           update matrix_changes set ${column} = ${column} + 1 where name = '${name}';
         end`,
      );
    }
  }
}

type Found = Pick<Watched, 'rows' | 'lastRowId'>;
const ROW_ID = 'matrix_rowid';
/** The row ids of rows that were read. */
const rowIds = new WeakMap<Row, number>();

/** Reads a table, or what was added to it. A row that another has replaced fires no trigger, so the rows are counted. */
function createTableReader(database: DatabaseSync): (name: string, known: Watched | null) => Found {
  const statements = new Map<string, { readonly after: StatementSync; readonly count: StatementSync }>();
  return (name, known) => {
    const { after, count } = statements.get(name) ?? {
      after: database.prepare(`select *, rowid as ${ROW_ID} from "${name}" where rowid > ? order by rowid`),
      count: database.prepare(`select count(*) as count from "${name}"`),
    };
    statements.set(name, { after, count });
    const readAfter = (rowId: number): Found => {
      const rows = after.all(rowId).map((found) => {
        const row = Object.fromEntries(Object.entries(found).slice(0, -1));
        rowIds.set(row, Number(found[ROW_ID]));
        return row;
      });
      return { rows, lastRowId: rowIds.get(rows.at(-1) ?? {}) ?? rowId };
    };
    if (known === null) return readAfter(-1);
    const added = readAfter(known.lastRowId);
    const rows = [...known.rows, ...added.rows];
    return rows.length === count.get()?.['count'] ? { ...added, rows } : readAfter(-1);
  };
}

function putBack(database: DatabaseSync, name: string, wanted: readonly Row[]): void {
  database.exec(`delete from "${name}"`);
  const columns = Object.keys(wanted[0] ?? {});
  if (columns.length === 0) return;
  const names = columns.map((column) => `"${column}"`).join(', ');
  const places = columns.map(() => '?').join(', ');
  const insert = database.prepare(`insert into "${name}" (rowid, ${names}) values (?, ${places})`);
  for (const row of wanted)
    insert.run(rowIds.get(row) ?? null, ...columns.map((column) => row[column] as Value));
}
