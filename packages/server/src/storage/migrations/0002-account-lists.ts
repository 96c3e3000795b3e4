import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * One index for each order in which accounts and keys are listed, with the id behind it that settles equal values:
 * a page is then read off the index, however many rows there are. The expressions are those of the repos, letter
 * by letter; otherwise the engines would not use them. Two indexes hold all that counting keys by their state
 * needs, for one account and for a whole workspace. `api_keys_by_stop` takes the place of the one by bare expiry.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('api_keys_by_expiry').execute();
  for (const index of [
    sql`accounts_by_name on accounts (workspace_id, kind, lower(display_name), id)`,
    sql`accounts_by_last_seen on accounts (workspace_id, kind, coalesce(last_seen_at, 0), id)`,
    sql`accounts_by_creation on accounts (workspace_id, kind, created_at, id)`,
    sql`api_keys_by_account_state on api_keys (workspace_id, account_id, state, expires_at)`,
    sql`api_keys_by_state on api_keys (workspace_id, id, state, expires_at)`,
    sql`api_keys_by_stop on api_keys (workspace_id, coalesce(expires_at, 9007199254740991), id, state)`,
  ]) {
    await sql`create index ${index}`.execute(db);
  }
}

export const accountLists: Migration = { up };
