import type { CreateTableBuilder, Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { isPostgres, type TableMaker, tableMaker } from './dialect.ts';

async function createWorkspaceTables({ table, text }: TableMaker): Promise<void> {
  await table('data_keys', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('purpose', text, (c) => c.notNull())
      .addColumn('wrapped', text, (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull()),
  );
  await table('meta', (t) =>
    t.addColumn('name', text, (c) => c.primaryKey()).addColumn('value', text, (c) => c.notNull()),
  );
  await table('workspaces', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('name', text, (c) => c.notNull())
      .addColumn('subdomain', text, (c) => c.unique())
      .addColumn('is_default', 'integer', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull()),
  );
  await table('workspace_hosts', (t) =>
    t.addColumn('host', text, (c) => c.primaryKey()).addColumn('workspace_id', text, (c) => c.notNull()),
  );
  await table('setup_codes', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.primaryKey())
      .addColumn('code_digest', text, (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull()),
  );
  await table('settings', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.primaryKey())
      .addColumn('document', text, (c) => c.notNull())
      .addColumn('version', 'integer', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
  );
}

async function createAuditTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  const addSeq = <Name extends string>(t: CreateTableBuilder<Name>) =>
    isPostgres(db)
      ? t.addColumn('seq', 'bigserial', (c) => c.primaryKey())
      : t.addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement());
  await table('audit', (t) => {
    let made: CreateTableBuilder<string, string> = addSeq(t)
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull());
    for (const name of ['action', 'actor_kind', 'target_kind', 'target_id', 'detail']) {
      made = made.addColumn(name, text, (c) => c.notNull());
    }
    for (const name of [
      'actor_id',
      'actor_name',
      'actor_key_id',
      'target_name',
      'account_id',
      'key_id',
      'ip',
      'user_agent',
      'request_id',
    ]) {
      made = made.addColumn(name, text);
    }
    return made;
  });
  await db.schema
    .createIndex('audit_by_account')
    .on('audit')
    .columns(['workspace_id', 'account_id', 'seq'])
    .execute();
  await db.schema
    .createIndex('audit_by_key')
    .on('audit')
    .columns(['workspace_id', 'key_id', 'seq'])
    .execute();
  await db.schema.createIndex('audit_by_seq').on('audit').columns(['workspace_id', 'seq']).execute();
  await table('refusals', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('minute', 'bigint', (c) => c.notNull())
      .addColumn('address', text, (c) => c.notNull())
      .addColumn('reason', text, (c) => c.notNull())
      .addColumn('count', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('refusals_key', ['workspace_id', 'minute', 'address', 'reason']),
  );
  await db.schema.createIndex('refusals_by_minute').on('refusals').columns(['minute']).execute();
}

async function createAccountTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('accounts', (t) => {
    let made: CreateTableBuilder<string, string> = t.addColumn('id', text, (c) => c.primaryKey());
    for (const name of [
      'workspace_id',
      'kind',
      'state',
      'display_name',
      'login_lower',
      'locale',
      'tags',
      'grants',
    ]) {
      made = made.addColumn(name, text, (c) => c.notNull());
    }
    for (const name of [
      'disabled_reason',
      'role',
      'email',
      'email_lower',
      'first_name',
      'last_name',
      'technical_name',
      'description',
      'password_hash',
      'created_by',
    ]) {
      made = made.addColumn(name, text);
    }
    return made
      .addColumn('password_changed_at', 'bigint')
      .addColumn('epoch', 'integer', (c) => c.notNull())
      .addColumn('version', 'integer', (c) => c.notNull())
      .addColumn('last_seen_at', 'bigint')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull());
  });
  await db.schema
    .createIndex('accounts_by_login')
    .unique()
    .on('accounts')
    .columns(['workspace_id', 'kind', 'login_lower'])
    .execute();
  await table('account_managers', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('service_account_id', text, (c) => c.notNull())
      .addColumn('user_id', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('account_managers_key', ['service_account_id', 'user_id']),
  );
  await db.schema
    .createIndex('account_managers_by_user')
    .on('account_managers')
    .columns(['workspace_id', 'user_id'])
    .execute();
}

async function createSessionTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('sessions', (t) =>
    t
      .addColumn('token_digest', text, (c) => c.primaryKey())
      .addColumn('id', text, (c) => c.notNull().unique())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('account_id', text, (c) => c.notNull())
      .addColumn('ip', text, (c) => c.notNull())
      .addColumn('user_agent', text)
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('last_seen_at', 'bigint', (c) => c.notNull()),
  );
  await db.schema
    .createIndex('sessions_by_account')
    .on('sessions')
    .columns(['workspace_id', 'account_id', 'created_at'])
    .execute();
  await table('attempts', (t) =>
    t
      .addColumn('bucket', text, (c) => c.primaryKey())
      .addColumn('failures', 'integer', (c) => c.notNull())
      .addColumn('last_failure_at', 'bigint', (c) => c.notNull()),
  );
}

async function createKeyTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('api_keys', (t) => {
    let made: CreateTableBuilder<string, string> = t.addColumn('id', text, (c) => c.primaryKey());
    for (const name of [
      'workspace_id',
      'account_id',
      'owner_id',
      'comment',
      'comment_lower',
      'access',
      'scopes',
      'state',
      'digest',
      'pepper_id',
      'ip_ranges',
      'row_mac',
    ]) {
      made = made.addColumn(name, text, (c) => c.notNull());
    }
    for (const name of ['created_by', 'disabled_reason', 'old_digest', 'old_pepper_id', 'foreign_digest'])
      made = made.addColumn(name, text);
    for (const name of ['lifetime_days', 'expires_at', 'disabled_at', 'old_generation', 'old_expires_at'])
      made = made.addColumn(name, 'bigint');
    for (const name of ['created_at', 'updated_at', 'generation', 'epoch', 'version'])
      made = made.addColumn(name, 'bigint', (c) => c.notNull());
    return made;
  });
  await db.schema
    .createIndex('api_keys_by_account')
    .on('api_keys')
    .columns(['workspace_id', 'account_id', 'created_at', 'id'])
    .execute();
  await db.schema
    .createIndex('api_keys_by_expiry')
    .on('api_keys')
    .columns(['workspace_id', 'expires_at', 'id'])
    .execute();
  await db.schema
    .createIndex('api_keys_by_owner')
    .on('api_keys')
    .columns(['workspace_id', 'owner_id'])
    .execute();
  await db.schema
    .createIndex('api_keys_by_creation')
    .on('api_keys')
    .columns(['workspace_id', 'created_at', 'id'])
    .execute();
  await db.schema
    .createIndex('api_keys_by_foreign_digest')
    .unique()
    .on('api_keys')
    .columns(['workspace_id', 'foreign_digest'])
    .execute();
}

async function createTokenTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('ended_tokens', (t) =>
    t
      .addColumn('jti', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull()),
  );
  await db.schema.createIndex('ended_tokens_by_expiry').on('ended_tokens').columns(['expires_at']).execute();
  await table('signing_keys', (t) =>
    t
      .addColumn('kid', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('algorithm', text, (c) => c.notNull())
      .addColumn('public_jwk', text, (c) => c.notNull())
      .addColumn('sealed_private_jwk', text, (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('activates_at', 'bigint', (c) => c.notNull())
      .addColumn('retires_at', 'bigint'),
  );
  await db.schema
    .createIndex('signing_keys_by_workspace')
    .on('signing_keys')
    .columns(['workspace_id', 'activates_at'])
    .execute();
}

async function createPackageTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('packages', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('id_lower', text, (c) => c.notNull())
      .addColumn('display_id', text, (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull()),
  );
  await db.schema
    .createIndex('packages_by_id')
    .unique()
    .on('packages')
    .columns(['workspace_id', 'id_lower'])
    .execute();
  await table('package_owners', (t) =>
    t
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('package_id', text, (c) => c.notNull())
      .addColumn('account_id', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('package_owners_key', ['package_id', 'account_id']),
  );
  await db.schema
    .createIndex('package_owners_by_account')
    .on('package_owners')
    .columns(['workspace_id', 'account_id'])
    .execute();
  await table('package_versions', (t) => {
    let made: CreateTableBuilder<string, string> = t.addColumn('id', text, (c) => c.primaryKey());
    for (const name of [
      'workspace_id',
      'package_id',
      'version_lower',
      'version',
      'version_full',
      'sha512',
      'metadata',
      'pushed_by',
    ]) {
      made = made.addColumn(name, text, (c) => c.notNull());
    }
    for (const name of ['is_prerelease', 'is_semver2', 'listed', 'size_bytes', 'pushed_at'])
      made = made.addColumn(name, 'bigint', (c) => c.notNull());
    return made.addColumn('pushed_key_id', text);
  });
  await db.schema
    .createIndex('package_versions_by_version')
    .unique()
    .on('package_versions')
    .columns(['package_id', 'version_lower'])
    .execute();
  await db.schema
    .createIndex('package_versions_by_blob')
    .on('package_versions')
    .columns(['sha512'])
    .execute();
}

async function createMailTables({ table, text }: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('outbox', (t) => {
    let made: CreateTableBuilder<string, string> = t.addColumn('id', text, (c) => c.primaryKey());
    for (const name of ['workspace_id', 'kind', 'to_name', 'to_address', 'locale', 'message_id', 'state']) {
      made = made.addColumn(name, text, (c) => c.notNull());
    }
    for (const name of ['account_id', 'sealed_payload', 'last_error']) made = made.addColumn(name, text);
    for (const name of ['attempts', 'next_attempt_at', 'leased_until', 'created_at'])
      made = made.addColumn(name, 'bigint', (c) => c.notNull());
    return made.addColumn('done_at', 'bigint');
  });
  await db.schema.createIndex('outbox_due').on('outbox').columns(['state', 'next_attempt_at']).execute();
  await db.schema
    .createIndex('outbox_by_workspace')
    .on('outbox')
    .columns(['workspace_id', 'created_at', 'id'])
    .execute();
  await table('one_time_links', (t) =>
    t
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('workspace_id', text, (c) => c.notNull())
      .addColumn('purpose', text, (c) => c.notNull())
      .addColumn('token_digest', text, (c) => c.notNull().unique())
      .addColumn('account_id', text)
      .addColumn('key_id', text)
      .addColumn('sealed_payload', text)
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addColumn('used_at', 'bigint'),
  );
  await db.schema
    .createIndex('one_time_links_by_key')
    .on('one_time_links')
    .columns(['workspace_id', 'key_id'])
    .execute();
}

async function up(db: Kysely<unknown>): Promise<void> {
  const maker = tableMaker(db);
  await createWorkspaceTables(maker);
  await createAuditTables(maker, db);
  await createAccountTables(maker, db);
  await createSessionTables(maker, db);
  await createKeyTables(maker, db);
  await createTokenTables(maker, db);
  await createPackageTables(maker, db);
  await createMailTables(maker, db);
}

export const foundation: Migration = { up };
