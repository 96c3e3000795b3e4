import { type Kysely, sql } from 'kysely';
import { isRefusedRow } from '../faults.ts';
import type { Database } from '../schema.ts';
import { BackupDamaged } from './backup-format.ts';

interface StoredIndex {
  readonly name: string;
  readonly table: string;
  readonly text: string;
}

/**
 * Drops the indexes of an SQLite database for as long as its rows come: each of a million keys would be put into ten
 * of them, at ten random places, while an index that is made of rows which are there is written in its order. Those of
 * primary keys and `unique` stay, because the engine has no text for them. All of it belongs to the transaction of
 * `exec`.
 *
 * @returns makes the indexes again, with the same texts
 */
export async function setIndexesAside(exec: Kysely<Database>): Promise<() => Promise<void>> {
  const { rows } = await sql<StoredIndex>`
    select name, tbl_name as "table", sql as text from sqlite_schema
    where type = 'index' and sql is not null order by rowid`.execute(exec);
  for (const { name } of rows) await sql`drop index ${sql.table(name)}`.execute(exec);
  return async () => {
    for (const { table, text } of rows) {
      try {
        await sql.raw(text).execute(exec);
      } catch (error) {
        if (!isRefusedRow(error)) throw error;
        throw new BackupDamaged(`It has a row that its table "${table}" cannot take.`, { cause: error });
      }
    }
  };
}
