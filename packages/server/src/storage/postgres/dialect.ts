import { type Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely';

/** Of the lock under which schemas are migrated, among the advisory locks of the database. */
const MIGRATION_LOCK = 3_853_314_791;
/** So long a second process waits for the migration of a first one. */
const MIGRATION_WAIT_MS = 3_600_000;

/**
 * Kysely's own lock belongs to the session. Behind a pooler that hands out a connection for each transaction it would
 * be taken at one connection and given back at another: it would stay, and the next start would wait for ever.
 */
class TransactionLockAdapter extends PostgresAdapter {
  /** @param db a transaction, whose end gives the lock back */
  override async acquireMigrationLock<Tables>(db: Kysely<Tables>): Promise<void> {
    const { rows } = await sql<{ before: string }>`
      select current_setting('lock_timeout') as before, set_config('lock_timeout', ${String(MIGRATION_WAIT_MS)}, true)`.execute(
      db,
    );
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(db);
    // Only this wait may be long: one for a table keeps all others from it as well.
    await sql`select set_config('lock_timeout', ${rows[0]?.before ?? '0'}, true)`.execute(db);
  }

  override async releaseMigrationLock(): Promise<void> {}
}

export class PooledPostgresDialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new TransactionLockAdapter();
  }
}
