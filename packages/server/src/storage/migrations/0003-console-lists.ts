import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { isPostgres, tableMaker } from './dialect.ts';

/**
 * What the lists of the console sort, filter and show. A package carries the date, description and tags of its
 * newest version, so that a page of packages reads no manifests. The audit log is read by time, by everything that
 * is asked for often; the number of a row only settles what happened in the same millisecond.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await addNewestVersion(db);
  await replaceOwnerIndex(db);
  await replaceAuditIndexes(db);
}

async function addNewestVersion(db: Kysely<unknown>): Promise<void> {
  const { text } = tableMaker(db);
  // One column a statement: SQLite takes no more.
  await db.schema
    .alterTable('packages')
    .addColumn('last_pushed_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('packages').addColumn('description', text).execute();
  await db.schema.alterTable('packages').addColumn('tags', text).execute();
  await db.schema
    .createIndex('package_versions_by_push')
    .on('package_versions')
    .columns(['package_id', 'pushed_at', 'id'])
    .execute();
  await fillNewestVersion(db);
  await db.schema
    .createIndex('packages_by_push')
    .on('packages')
    .columns(['workspace_id', 'last_pushed_at', 'id'])
    .execute();
}

async function fillNewestVersion(db: Kysely<unknown>): Promise<void> {
  const field = (name: string): RawBuilder<unknown> =>
    isPostgres(db)
      ? sql`metadata::json ->> ${sql.lit(name)}`
      : sql`json_extract(metadata, ${sql.lit(`$.${name}`)})`;
  const ofNewest = (value: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`(select ${value} from package_versions where package_id = packages.id order by pushed_at desc, id desc limit 1)`;
  await sql`update packages set
    last_pushed_at = coalesce(${ofNewest(sql`pushed_at`)}, created_at),
    description = ${ofNewest(field('description'))},
    tags = ${ofNewest(field('tags'))}`.execute(db);
}

async function replaceOwnerIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('package_owners_by_account').execute();
  await db.schema
    .createIndex('package_owners_by_account')
    .on('package_owners')
    .columns(['workspace_id', 'account_id', 'package_id'])
    .execute();
}

async function replaceAuditIndexes(db: Kysely<unknown>): Promise<void> {
  for (const name of ['audit_by_account', 'audit_by_key', 'audit_by_seq'])
    await db.schema.dropIndex(name).execute();
  const indexes = {
    audit_by_time: [],
    audit_by_account: ['account_id'],
    audit_by_key: ['key_id'],
    audit_by_actor: ['actor_id'],
    audit_by_action: ['action'],
  };
  for (const [name, columns] of Object.entries(indexes)) {
    await db.schema
      .createIndex(name)
      .on('audit')
      .columns(['workspace_id', ...columns, 'at', 'seq'])
      .execute();
  }
}

export const consoleLists: Migration = { up };
