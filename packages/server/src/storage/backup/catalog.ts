import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

export type StoreName = 'main' | 'usage';

/** A table as the database itself describes it. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** In its order; what pages of rows go by. */
  readonly primaryKey: readonly string[];
}

/** On PostgreSQL both stores are one database, so the tables of the usage store are named. */
export const USAGE_TABLES: readonly string[] = [
  'key_days',
  'key_first_refusals',
  'key_hours',
  'key_last_refusals',
  'key_last_uses',
  'key_quotas',
  'refusal_hours',
  'usage_flushes',
  'workspace_hours',
];

/** Made by migrations, by the engine, or by triggers of other tables: they come about anew in a restore. */
const DERIVED = /^(schema_migrations|usage_migrations|sqlite_|package_search_trigrams)/;

interface Catalog {
  readonly exec: Kysely<Database>;
  readonly engine: 'sqlite' | 'postgres';
  readonly store: StoreName;
}

/**
 * The tables that a backup holds, by name, from the catalogue of the database: a table that a later migration adds
 * is in the next backup without anybody thinking of it.
 *
 * @throws Error when a table has no primary key, by which its rows could be read in pages
 */
export async function listTables(catalog: Catalog): Promise<TableShape[]> {
  const rows = catalog.engine === 'sqlite' ? await readSqlite(catalog) : await readPostgres(catalog);
  const tables = new Map<string, { columns: string[]; primaryKey: [number, string][] }>();
  for (const { table, column, place } of rows) {
    const shape = tables.get(table) ?? { columns: [], primaryKey: [] };
    tables.set(table, shape);
    shape.columns.push(column);
    if (place > 0) shape.primaryKey.push([place, column]);
  }
  return [...tables]
    .map(([name, { columns, primaryKey }]) => {
      if (primaryKey.length === 0) throw new Error(`The table ${name} has no primary key.`);
      const sorted = primaryKey.toSorted(([a], [b]) => a - b).map(([, column]) => column);
      return { name, columns, primaryKey: sorted };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

interface CatalogRow {
  readonly table: string;
  readonly column: string;
  /** From 1 in the primary key, 0 outside it. */
  readonly place: number;
}

async function readSqlite({ exec }: Catalog): Promise<CatalogRow[]> {
  const { rows } = await sql<CatalogRow>`select m.name as "table", c.name as "column", c.pk as place
    from sqlite_schema m join pragma_table_info(m.name) c where m.type = 'table' order by m.name, c.cid`.execute(
    exec,
  );
  return rows.filter(({ table }) => !DERIVED.test(table));
}

async function readPostgres({ exec, store }: Catalog): Promise<CatalogRow[]> {
  const { rows } = await sql<CatalogRow>`select c.relname as "table", a.attname as "column",
      coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) as place
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    order by c.relname, a.attnum`.execute(exec);
  return rows.filter(
    ({ table }) => !DERIVED.test(table) && USAGE_TABLES.includes(table) === (store === 'usage'),
  );
}
