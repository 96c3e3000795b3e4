import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { type TableMaker, tableMaker } from './dialect.ts';

/**
 * What tells people and programs of changes: mails with a key of their own and a priority, who wants which of them,
 * what was told of an expiry already, events and their way to webhooks, links to feeds, and where people signed in.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  const maker = tableMaker(db);
  await extendOutbox(maker, db);
  await extendAccounts(maker, db);
  await db.schema.alterTable('api_keys').addColumn('renewed_at', 'bigint').execute();
  await createMemories(maker);
  await createEventTables(maker, db);
  await createFeedLinks(maker, db);
}

async function extendOutbox({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  // One column a statement: SQLite takes no more.
  for (const name of ['about', 'row_key', 'time_zone', 'key_id'])
    await db.schema.alterTable('outbox').addColumn(name, text).execute();
  await db.schema
    .alterTable('outbox')
    .addColumn('priority', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.dropIndex('outbox_due').execute();
  await db.schema
    .createIndex('outbox_due')
    .on('outbox')
    .columns(['state', 'priority', 'next_attempt_at', 'id'])
    .execute();
  await table('mail_rate', (t) =>
    t
      .addColumn('id', 'integer', (c) => c.primaryKey())
      .addColumn('minute', 'bigint', (c) => c.notNull())
      .addColumn('claimed', 'integer', (c) => c.notNull()),
  );
}

async function extendAccounts({ text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('accounts').addColumn('time_zone', text).execute();
  await db.schema
    .alterTable('accounts')
    .addColumn('muted_notices', text, (c) => c.notNull().defaultTo('[]'))
    .execute();
}

async function createMemories({ table, text }: TableMaker): Promise<void> {
  await table('key_expiry_notices', (t) =>
    t
      .addColumn('key_id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addColumn('told_ahead_ms', 'bigint', (c) => c.notNull())
      .addColumn('told_at', 'bigint', (c) => c.notNull()),
  );
  await table('key_refusal_notices', (t) =>
    t
      .addColumn('key_id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('told_at', 'bigint', (c) => c.notNull()),
  );
  await table('sign_in_places', (t) =>
    t
      .addColumn('account_id', text, (c) => c.notNull())
      .addColumn('place_digest', text, (c) => c.notNull())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('sign_in_places_key', ['account_id', 'place_digest']),
  );
}

async function createEventTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('events', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('type', text, (c) => c.notNull())
      .addColumn('body', text, (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('is_fanned_out', 'integer', (c) => c.notNull()),
  );
  await table('webhooks', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('url', text, (c) => c.notNull())
      .addColumn('description', text, (c) => c.notNull())
      .addColumn('event_types', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('disabled_reason', text)
      .addColumn('sealed_secret', text, (c) => c.notNull())
      .addColumn('sealed_old_secret', text)
      .addColumn('old_secret_until', 'bigint')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('created_by', text)
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addColumn('version', 'integer', (c) => c.notNull()),
  );
  await table('webhook_deliveries', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('webhook_id', text, (c) => c.notNull())
      .addColumn('event_id', text, (c) => c.notNull())
      .addColumn('event_type', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull())
      .addColumn('attempts_before', 'integer', (c) => c.notNull())
      .addColumn('last_attempt_at', 'bigint')
      .addColumn('last_status', 'integer')
      .addColumn('last_error', text)
      .addColumn('next_attempt_at', 'bigint', (c) => c.notNull())
      .addColumn('leased_until', 'bigint', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('done_at', 'bigint'),
  );
  const indexes = {
    events_to_fan_out: ['events', ['is_fanned_out', 'created_at', 'id']],
    webhooks_by_workspace: ['webhooks', ['workspace_id', 'created_at', 'id']],
    webhook_deliveries_due: ['webhook_deliveries', ['state', 'webhook_id', 'next_attempt_at', 'id']],
    webhook_deliveries_done: ['webhook_deliveries', ['done_at', 'id']],
    webhook_deliveries_by_webhook: ['webhook_deliveries', ['workspace_id', 'webhook_id', 'created_at', 'id']],
  } as const;
  for (const [name, [on, columns]] of Object.entries(indexes))
    await db.schema
      .createIndex(name)
      .on(on)
      .columns([...columns])
      .execute();
  // One event goes to one webhook once, whatever a process may do.
  await db.schema
    .createIndex('webhook_deliveries_once')
    .on('webhook_deliveries')
    .columns(['event_id', 'webhook_id'])
    .unique()
    .execute();
}

async function createFeedLinks({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('feed_links', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('account_id', text, (c) => c.notNull())
      .addColumn('scope', text, (c) => c.notNull())
      .addColumn('token_digest', text, (c) => c.notNull().unique())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('last_used_at', 'bigint'),
  );
  await db.schema
    .createIndex('feed_links_by_account')
    .on('feed_links')
    .columns(['workspace_id', 'account_id', 'created_at', 'id'])
    .execute();
}

export const notices: Migration = { up };
