/** The migration that these indexes belong to: on SQLite it makes them, on PostgreSQL they are made behind it. */
export const LARGE_INDEXES_SINCE = '0013-large-lists';

export interface LargeIndex {
  readonly name: string;
  /** What stands behind `create index … on`, the same on both engines. */
  readonly definition: string;
}

/**
 * Indexes of tables with a row for each key or account. The expressions and conditions are those of the repos,
 * letter by letter; otherwise the engines would not use them.
 */
export const LARGE_INDEXES: readonly LargeIndex[] = [
  {
    name: 'api_keys_disabled_by_creation',
    definition: `api_keys (workspace_id, created_at, id) where state = 'disabled'`,
  },
  {
    name: 'api_keys_disabled_by_stop',
    definition: `api_keys (workspace_id, coalesce(expires_at, 9007199254740991), id) where state = 'disabled'`,
  },
  {
    name: 'api_keys_by_creation_and_life',
    definition: 'api_keys (workspace_id, created_at, id, state, expires_at, lifetime_days)',
  },
  {
    name: 'api_keys_by_account_and_stop',
    definition: 'api_keys (account_id, state, coalesce(expires_at, 9007199254740991), id)',
  },
  { name: 'api_keys_by_owner_and_id', definition: 'api_keys (workspace_id, owner_id, id)' },
  { name: 'accounts_admins', definition: `accounts (workspace_id, created_at, id) where role = 'admin'` },
];

/** Indexes that one of those above can do everything of. */
export const REPLACED_INDEXES: readonly string[] = ['api_keys_by_owner', 'api_keys_by_creation'];
