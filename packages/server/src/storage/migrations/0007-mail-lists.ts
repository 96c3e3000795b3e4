import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Few mails among all of a month are asked for by what they have in common: those that were given up, those of one
 * account, and those that went to one address of late, in whatever case it was written.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, column] of [
    ['outbox_by_state', 'state'],
    ['outbox_by_account', 'account_id'],
  ] as const)
    await db.schema
      .createIndex(name)
      .on('outbox')
      .columns(['workspace_id', column, 'created_at', 'id'])
      .execute();
  await sql`create index outbox_by_address on outbox (workspace_id, lower(to_address), created_at)`.execute(
    db,
  );
}

export const mailLists: Migration = { up };
