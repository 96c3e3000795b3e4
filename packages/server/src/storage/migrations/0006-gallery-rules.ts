import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { type TableMaker, tableMaker } from './dialect.ts';

/**
 * The rules of the gallery: who has been asked to own a package, which ids are reserved for whom, which versions
 * are deprecated, and what packages and accounts hold, counted so that a push need not count anew.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  const maker = tableMaker(db);
  await createOwnerRequests(maker, db);
  await createPrefixes(maker, db);
  await createDeprecations(maker, db);
  await createUsage(maker);
  await fillUsage(db);
}

async function createUniqueIndex(db: Kysely<unknown>, table: string, columns: string[]): Promise<void> {
  await db.schema.createIndex(`${table}_once`).unique().on(table).columns(columns).execute();
}

async function createOwnerRequests({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('package_owner_requests', (t) => {
    let made = t.addColumn('id', text, (c) => c.primaryKey());
    for (const name of ['workspace_id', 'package_id', 'account_id', 'requested_by'])
      made = made.addColumn(name, text, (c) => c.notNull());
    return made
      .addColumn('from_id', text)
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull());
  });
  const index = (name: string, columns: string[]) =>
    db.schema.createIndex(name).on('package_owner_requests').columns(columns).execute();
  await createUniqueIndex(db, 'package_owner_requests', ['package_id', 'account_id']);
  await index('package_owner_requests_by_account', ['workspace_id', 'account_id']);
  await index('package_owner_requests_by_requester', ['workspace_id', 'requested_by']);
  await index('package_owner_requests_by_expiry', ['workspace_id', 'expires_at']);
}

async function createPrefixes({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('package_prefixes', (t) => {
    let made = t.addColumn('id', text, (c) => c.primaryKey());
    for (const name of ['workspace_id', 'pattern', 'pattern_lower'])
      made = made.addColumn(name, text, (c) => c.notNull());
    return made
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('created_by', text)
      .addColumn('version', 'integer', (c) => c.notNull());
  });
  await createUniqueIndex(db, 'package_prefixes', ['workspace_id', 'pattern_lower']);
  await table('package_prefix_accounts', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('prefix_id', text, (c) => c.notNull())
      .addColumn('account_id', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('package_prefix_accounts_key', ['prefix_id', 'account_id']),
  );
  await db.schema
    .createIndex('package_prefix_accounts_by_account')
    .on('package_prefix_accounts')
    .columns(['workspace_id', 'account_id'])
    .execute();
}

async function createDeprecations({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('package_deprecations', (t) => {
    let made = t.addColumn('version_id', text, (c) => c.primaryKey());
    for (const name of ['workspace_id', 'package_id', 'reasons'])
      made = made.addColumn(name, text, (c) => c.notNull());
    return made
      .addColumn('message', text)
      .addColumn('alternate_id', text)
      .addColumn('alternate_version', text)
      .addColumn('deprecated_at', 'bigint', (c) => c.notNull())
      .addColumn('deprecated_by', text, (c) => c.notNull());
  });
  await db.schema
    .createIndex('package_deprecations_by_package')
    .on('package_deprecations')
    .columns(['package_id'])
    .execute();
}

async function createUsage({ table, text }: TableMaker): Promise<void> {
  for (const [name, id, count] of [
    ['package_usage', 'package_id', 'versions'],
    ['account_usage', 'account_id', 'packages'],
  ] as const) {
    await table(name, (t) =>
      t
        .addColumn(id, text, (c) => c.primaryKey())
        .addColumn('workspace_id', text, (c) => c.notNull())
        .addColumn(count, 'integer', (c) => c.notNull())
        .addColumn('bytes', 'bigint', (c) => c.notNull()),
    );
  }
}

async function fillUsage(db: Kysely<unknown>): Promise<void> {
  await sql`insert into package_usage (package_id, workspace_id, versions, bytes)
    select package_id, workspace_id, count(*), cast(sum(size_bytes) as bigint) from package_versions
    group by package_id, workspace_id`.execute(db);
  await sql`insert into account_usage (account_id, workspace_id, packages, bytes)
    select account_id, package_owners.workspace_id, count(*), cast(coalesce(sum(bytes), 0) as bigint)
    from package_owners left join package_usage on package_usage.package_id = package_owners.package_id
    group by account_id, package_owners.workspace_id`.execute(db);
}

export const galleryRules: Migration = { up };
