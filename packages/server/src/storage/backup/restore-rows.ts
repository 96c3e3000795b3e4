import { CompiledQuery, type Kysely, sql } from 'kysely';
import type { Storage } from '../database.ts';
import { isRefusedRow, isRetryable } from '../faults.ts';
import { migrateStorageTo, SCHEMA_VERSIONS, type SchemaVersions } from '../migrate.ts';
import type { Database } from '../schema.ts';
import { BackupDamaged, type TableLine } from './backup-format.ts';
import { listTables } from './catalog.ts';
import { setIndexesAside } from './restore-indexes.ts';
import { readVersions } from './snapshot.ts';

const ROWS_AT_ONCE = 200;
/** SQLite takes 32,766 parameters a statement, PostgreSQL 65,535. */
const PARAMETERS_MAX = 30_000;
/** An index of a million keys is sorted within it; with the small cache of a server most of it would go by way of the disk. */
const CACHE_KIB = 262_144;
/** Rows in any of them make a database one that somebody uses. */
const TELLING_TABLES = ['data_keys', 'workspaces', 'accounts', 'api_keys'] as const;

/** Where rows of a backup go: into transactions that nobody sees before `commit`. */
export interface RowSink {
  /** Empties the table, and takes its rows from now on. */
  begin(table: TableLine): Promise<void>;
  insert(rows: readonly (readonly unknown[])[]): Promise<void>;
  /** What the rows need before somebody may see them; then they are there. */
  commit(options: { readonly sendsPending: boolean; readonly now: number }): Promise<Held>;
  /** Does nothing after `commit`. */
  rollback(): Promise<void>;
}

/** Messages that were waiting in the backup. */
export interface Held {
  readonly mails: number;
  readonly deliveries: number;
}

/** `newer`: this release does not know all migrations of the backup. */
export function compareVersions(found: SchemaVersions): 'same' | 'older' | 'newer' {
  const relations = (['main', 'usage'] as const).map((store) => {
    const [known, given] = [SCHEMA_VERSIONS[store], found[store]];
    if (given.some((name, index) => known[index] !== name)) return 'newer';
    return given.length === known.length ? 'same' : 'older';
  });
  return relations.includes('newer') ? 'newer' : relations.includes('older') ? 'older' : 'same';
}

/** Somebody uses the database, or another restore is filling it. */
export class DatabaseTaken extends Error {
  readonly isBusy: boolean;

  constructor(isBusy: boolean) {
    super(isBusy ? 'The database is being filled.' : 'The database is not empty.');
    this.isBusy = isBusy;
  }
}

/** False when somebody uses the database already; true also for one that has the tables and nothing in them. */
async function isEmptyDatabase(exec: Kysely<Database>): Promise<boolean> {
  const there = new Set((await exec.introspection.getTables()).map(({ name }) => name));
  for (const name of TELLING_TABLES) {
    if (!there.has(name)) continue;
    const row = await exec.selectFrom(name).select(sql<number>`1`.as('one')).limit(1).executeTakeFirst();
    if (row !== undefined) return false;
  }
  return true;
}

/** A restore that was killed leaves its tables; an older backup does not go into those. */
async function refuseLaterTables({ read }: Storage, versions: SchemaVersions): Promise<void> {
  const tables = (await read.introspection.getTables({ withInternalKyselyTables: true })).map(
    ({ name }) => name,
  );
  if (!tables.includes('schema_migrations')) return;
  const there = await readVersions(read, 'schema_migrations');
  if (there.some((name) => !versions.main.includes(name))) throw new DatabaseTaken(false);
}

/**
 * On PostgreSQL nothing else keeps a server, or another restore, from filling the same database meanwhile: each of them
 * writes into this table first, and waits for it.
 */
async function claimDatabase(main: Kysely<Database>): Promise<void> {
  try {
    await sql`lock table meta in access exclusive mode nowait`.execute(main);
  } catch (error) {
    throw isRetryable(error) ? new DatabaseTaken(true) : error;
  }
  if (!(await isEmptyDatabase(main))) throw new DatabaseTaken(false);
}

/**
 * Makes the tables as the backup had them and opens the transactions for its rows.
 *
 * @throws DatabaseTaken when somebody uses the database, or it has tables of a later release than the backup
 */
export async function openRowSink(storage: Storage, versions: SchemaVersions): Promise<RowSink> {
  if (!(await isEmptyDatabase(storage.read))) throw new DatabaseTaken(false);
  await refuseLaterTables(storage, versions);
  await migrateStorageTo(storage, versions);
  const isOneDatabase = storage.engine === 'postgres';
  if (!isOneDatabase) {
    await sql.raw(`pragma cache_size = -${CACHE_KIB}`).execute(storage.migration.main);
    // A server sorts in memory. What is sorted here are whole indexes: beyond the cache they go through files, which
    // lie where the database is made (`SQLITE_TMPDIR`).
    for (const store of [storage.migration.main, storage.migration.usage])
      await sql`pragma temp_store = file`.execute(store);
  }
  const main = await storage.migration.main.startTransaction().execute();
  if (isOneDatabase) {
    await claimDatabase(main).catch(async (error: unknown) => {
      await main.rollback().execute();
      throw error;
    });
  }
  const usage = isOneDatabase ? main : await storage.migration.usage.startTransaction().execute();
  const stores = { main, usage };
  // On PostgreSQL somebody may have added indexes of their own, of any kind.
  const makeIndexes = isOneDatabase ? [] : [await setIndexesAside(main), await setIndexesAside(usage)];
  const shapes = new Map<string, readonly string[]>();
  for (const store of ['main', 'usage'] as const) {
    for (const shape of await listTables({ exec: stores[store], engine: storage.engine, store }))
      shapes.set(`${store}/${shape.name}`, shape.columns);
  }
  let put: ((rows: readonly (readonly unknown[])[]) => Promise<void>) | null = null;
  let isOver = false;
  const finish = async (how: 'commit' | 'rollback') => {
    if (isOver) return;
    isOver = true;
    // The counters first: without the rows that they count they do no harm.
    if (!isOneDatabase) await usage[how]().execute();
    await main[how]().execute();
  };
  return {
    async begin(table) {
      requireShape(shapes.get(`${table.store}/${table.table}`), table);
      await sql`delete from ${sql.table(table.table)}`.execute(stores[table.store]);
      put = createInserter(stores[table.store], storage.engine, table);
    },
    insert: async (rows) => await put?.(rows),
    async commit({ sendsPending, now }) {
      for (const make of makeIndexes) await make();
      // Whoever is signed in now may have been locked out since.
      await main.deleteFrom('sessions').execute();
      const held = sendsPending
        ? { mails: 0, deliveries: 0 }
        : await holdPending(main, now, (table) => shapes.get(`main/${table}`) ?? []);
      if (isOneDatabase) await advanceSequences(main);
      await finish('commit');
      return held;
    },
    rollback: () => finish('rollback'),
  };
}

/** Names from a file never reach SQL unless the database itself has them. */
function requireShape(columns: readonly string[] | undefined, table: TableLine): void {
  const name = JSON.stringify(table.table);
  if (columns === undefined) throw new BackupDamaged(`It has a table ${name} that its release did not have.`);
  const isSame =
    columns.length === table.columns.length && table.columns.every((column) => columns.includes(column));
  if (!isSame) throw new BackupDamaged(`Its table ${name} has other columns than its release had.`);
}

function createInserter(exec: Kysely<Database>, engine: Storage['engine'], { table, columns }: TableLine) {
  const atOnce = Math.max(1, Math.min(ROWS_AT_ONCE, Math.floor(PARAMETERS_MAX / columns.length)));
  const quote = (name: string) => `"${name}"`;
  const head = `insert into ${quote(table)} (${columns.map(quote).join(', ')}) values `;
  const makeText = (count: number): string => {
    let number = 0;
    const row = () =>
      `(${columns.map(() => (engine === 'postgres' ? `$${(number += 1)}` : '?')).join(', ')})`;
    return head + Array.from({ length: count }, row).join(', ');
  };
  const wholeText = makeText(atOnce);
  return async (rows: readonly (readonly unknown[])[]): Promise<void> => {
    for (let at = 0; at < rows.length; at += atOnce) {
      const part = rows.slice(at, at + atOnce);
      const text = part.length === atOnce ? wholeText : makeText(part.length);
      try {
        await exec.executeQuery(CompiledQuery.raw(text, part.flat()));
      } catch (error) {
        if (!isRefusedRow(error)) throw error;
        throw new BackupDamaged(`It has a row that its table "${table}" cannot take.`, { cause: error });
      }
    }
  };
}

/**
 * What was waiting to be sent may have been sent between the backup and its restore, and a restore that is only tried
 * out must not write to people. So it ends as given up, unless the operator wants it sent.
 */
async function holdPending(
  exec: Kysely<Database>,
  now: number,
  columnsOf: (table: string) => readonly string[],
): Promise<Held> {
  const end = { state: 'failed', leased_until: 0, done_at: now };
  const reason = 'held back: it was waiting in a backup that was restored, and may have been sent';
  const mail = { ...end, last_error: reason, sealed_payload: null, row_key: null };
  const mails = await exec
    .updateTable('outbox')
    // An older schema has fewer columns.
    .set(Object.fromEntries(Object.entries(mail).filter(([name]) => columnsOf('outbox').includes(name))))
    .where('state', '=', 'pending')
    .executeTakeFirst();
  if (columnsOf('webhook_deliveries').length === 0)
    return { mails: Number(mails.numUpdatedRows), deliveries: 0 };
  const deliveries = await exec
    .updateTable('webhook_deliveries')
    .set({ ...end, last_error: 'disabled' })
    .where('state', '=', 'pending')
    .executeTakeFirst();
  await exec.updateTable('events').set({ is_fanned_out: 1 }).where('is_fanned_out', '=', 0).execute();
  return { mails: Number(mails.numUpdatedRows), deliveries: Number(deliveries.numUpdatedRows) };
}

/** Rows came with their numbers; PostgreSQL would give them out again. */
async function advanceSequences(exec: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ table: string; column: string; sequence: string }>`
    select c.relname as "table", a.attname as "column", pg_get_serial_sequence(quote_ident(c.relname), a.attname) as sequence
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
      and pg_get_serial_sequence(quote_ident(c.relname), a.attname) is not null`.execute(exec);
  for (const { table, column, sequence } of rows) {
    await sql`select setval(${sequence}, coalesce((select max(${sql.ref(column)}) from ${sql.table(table)}), 0) + 1, false)`.execute(
      exec,
    );
  }
}
