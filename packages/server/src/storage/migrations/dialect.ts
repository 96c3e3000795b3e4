import { type CreateTableBuilder, type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';

export function isPostgres(db: Kysely<unknown>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

export interface TableMaker {
  readonly text: 'text' | RawBuilder<unknown>;
  readonly table: (
    name: string,
    build: (table: CreateTableBuilder<string>) => CreateTableBuilder<string, string>,
  ) => Promise<void>;
}

/**
 * Makes tables with one meaning of text on both engines: compared and sorted by bytes. PostgreSQL would
 * otherwise sort by the locale of the server, and pages and uniqueness would differ from machine to machine.
 */
export function tableMaker(db: Kysely<unknown>): TableMaker {
  return {
    text: isPostgres(db) ? sql`text collate "C"` : 'text',
    table: async (name, build) => {
      await build(db.schema.createTable(name)).execute();
    },
  };
}
