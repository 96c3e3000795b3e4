import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { type Migration, type MigrationResultSet, Migrator } from 'kysely/migration';
import { makeLargeIndexes } from './concurrent-indexes.ts';
import type { Storage, StorageLogger } from './database.ts';
import { isRetryable } from './faults.ts';
import { foundation } from './migrations/0001-foundation.ts';
import { accountLists } from './migrations/0002-account-lists.ts';
import { consoleLists } from './migrations/0003-console-lists.ts';
import { notices } from './migrations/0004-notices.ts';
import { feeds } from './migrations/0005-feeds.ts';
import { galleryRules } from './migrations/0006-gallery-rules.ts';
import { mailLists } from './migrations/0007-mail-lists.ts';
import { feedVersionNames } from './migrations/0008-feed-version-names.ts';
import { searchOfVersions } from './migrations/0009-search-of-versions.ts';
import { revocationEpochs } from './migrations/0011-revocation-epochs.ts';
import { keyLimits } from './migrations/0012-key-limits.ts';
import { largeLists } from './migrations/0013-large-lists.ts';
import { auditChain } from './migrations/0014-audit-chain.ts';
import { LARGE_INDEXES_SINCE } from './migrations/large-indexes.ts';
import { counters } from './migrations/usage-0001-counters.ts';
import { refusals } from './migrations/usage-0002-refusals.ts';
import { actions } from './migrations/usage-0003-actions.ts';
import { keyQuotas } from './migrations/usage-0004-key-quotas.ts';
import type { Database } from './schema.ts';

const MAIN: Record<string, Migration> = {
  '0001-foundation': foundation,
  '0002-account-lists': accountLists,
  '0003-console-lists': consoleLists,
  '0004-notices': notices,
  '0005-feeds': feeds,
  '0006-gallery-rules': galleryRules,
  '0007-mail-lists': mailLists,
  '0008-feed-version-names': feedVersionNames,
  '0009-search-of-versions': searchOfVersions,
  '0011-revocation-epochs': revocationEpochs,
  '0012-key-limits': keyLimits,
  [LARGE_INDEXES_SINCE]: largeLists,
  '0014-audit-chain': auditChain,
};
const USAGE: Record<string, Migration> = {
  '0001-counters': counters,
  '0002-refusals': refusals,
  '0003-actions': actions,
  '0004-key-quotas': keyQuotas,
};
const TRIES_MAX = 100;
const INDEXES_MISSING =
  'An index of a large table could not be made, so lists of many keys are slow. Mend the cause told here (disk space, rights, a limit on statements), then restart one node, which tries again.';

/** The names of the migrations that a database has, in order; those of the code when it is up to date. */
export interface SchemaVersions {
  readonly main: readonly string[];
  readonly usage: readonly string[];
}

/** What this release migrates to. */
export const SCHEMA_VERSIONS: SchemaVersions = {
  main: Object.keys(MAIN).toSorted(),
  usage: Object.keys(USAGE).toSorted(),
};

/** The database was migrated by a release that has steps of which this one knows nothing. */
export class NewerDatabaseError extends Error {
  constructor(migration: string) {
    super(
      `The database belongs to a newer release of Keyreeve: it has the migration ${migration}, which this release does not know. Nothing was changed. Start the newer release again, or restore a backup that was made before the upgrade.`,
    );
    this.name = 'NewerDatabaseError';
  }
}

/**
 * Brings both stores to the newest schema, forward only. Each store migrates in one transaction, so a crash
 * leaves the old schema or the new one; a second run, or a second process at the same time, finds nothing
 * left to do. Indexes of large tables come last, on PostgreSQL one by one and without a lock on writers: a crash
 * leaves some of them to be made at the next start.
 *
 * @param logger is told of an index that cannot be made, which then ends nothing: without it lists are slow, but keys
 *   are verified
 * @throws NewerDatabaseError, or Error naming the migration, or without `logger` the index, that failed.
 */
export async function migrateStorage(storage: Storage, logger?: StorageLogger): Promise<void> {
  await migrateStores(storage, SCHEMA_VERSIONS);
  await makeLargeIndexesOf(storage, SCHEMA_VERSIONS, logger).catch((error: unknown) => {
    if (logger === undefined) throw error;
    logger.error({ err: error }, INDEXES_MISSING);
  });
}

/** The same up to the last of `versions` only: where the rows of an older backup belong. */
export async function migrateStorageTo(storage: Storage, versions: SchemaVersions): Promise<void> {
  await migrateStores(storage, versions);
  await makeLargeIndexesOf(storage, versions);
}

async function makeLargeIndexesOf(
  storage: Storage,
  versions: SchemaVersions,
  logger?: StorageLogger,
): Promise<void> {
  if (storage.engine === 'postgres' && versions.main.includes(LARGE_INDEXES_SINCE))
    await makeLargeIndexes(storage, logger);
}

async function migrateStores(storage: Storage, versions: SchemaVersions): Promise<void> {
  const upTo = (migrations: Record<string, Migration>, names: readonly string[]) =>
    Object.fromEntries(Object.entries(migrations).filter(([name]) => names.includes(name)));
  await migrate(storage.migration.main, upTo(MAIN, versions.main), 'schema_migrations');
  await migrate(storage.migration.usage, upTo(USAGE, versions.usage), 'usage_migrations');
}

async function migrate(
  db: Kysely<Database>,
  migrations: Record<string, Migration>,
  table: string,
): Promise<void> {
  const run = async (executor: Kysely<Database>) => {
    const migrator = new Migrator({
      db: executor,
      provider: { getMigrations: () => Promise.resolve(migrations) },
      migrationTableName: table,
      migrationLockTableName: `${table}_lock`,
    });
    return await migrator.migrateToLatest();
  };
  const isTransactional = db.getExecutor().adapter.supportsTransactionalDdl;
  for (let tries = 1; ; tries += 1) {
    // A transaction of ours, where there may be one: it holds the lock of its migration, also behind a pooler.
    const { error, results } = isTransactional ? await inOneTransaction(db, run) : await run(db);
    if (error === undefined) return;
    if (!isRetryable(error) || tries >= TRIES_MAX) {
      const unknown = await findUnknownMigration(db, migrations, table);
      if (unknown !== undefined) throw new NewerDatabaseError(unknown);
      const failed = results?.find((result) => result.status === 'Error');
      throw new Error(`The migration ${failed?.migrationName ?? '(before the first)'} failed.`, {
        cause: error,
      });
    }
    await delay(50);
  }
}

async function findUnknownMigration(
  db: Kysely<Database>,
  migrations: Record<string, Migration>,
  table: string,
): Promise<string | undefined> {
  const query = sql<{ name: string }>`select name from ${sql.table(table)} order by name`;
  // Where the database cannot be asked, or has no such table, it is another fault that ends the start.
  const rows = await query.execute(db).then(
    (result) => result.rows,
    () => [],
  );
  return rows.find(({ name }) => !Object.hasOwn(migrations, name))?.name;
}

/** Under the lock of its adapter. What has failed is rolled back, the lists of migrations with it. */
async function inOneTransaction(
  db: Kysely<Database>,
  run: (transaction: Kysely<Database>) => Promise<MigrationResultSet>,
): Promise<MigrationResultSet> {
  let outcome: MigrationResultSet = {};
  try {
    return await db.transaction().execute(async (transaction) => {
      // Also before the tables of the migrations are made: two first starts would fail each other.
      const lock = { lockTable: '', lockRowId: '' };
      await transaction.getExecutor().adapter.acquireMigrationLock(transaction, lock);
      outcome = await run(transaction);
      if (outcome.error !== undefined) throw new Error('It is rolled back.', { cause: outcome.error });
      return outcome;
    });
  } catch (error) {
    return { ...outcome, error: outcome.error ?? error };
  }
}
