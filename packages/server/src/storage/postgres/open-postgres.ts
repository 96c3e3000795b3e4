import { Kysely, type PostgresPool, sql } from 'kysely';
import pg from 'pg';
import { type PostgresConfig, parseDatabaseUrl } from '../../config/index.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Storage, StorageLogger } from '../database.ts';
import type { Database } from '../schema.ts';
import { PooledPostgresDialect } from './dialect.ts';
import { EpochLease, type EpochQuestionAnswer } from './epoch-lease.ts';
import { EPOCH_CHANNEL, EpochListener } from './epoch-listener.ts';
import { Primary } from './primary.ts';
import { type PoolOptions, PrimaryPool } from './primary-pool.ts';

const INT8_OID = 20;
const CONNECTIONS_MAX = 10;
// With the wait for a connection less than five seconds, in which every request is answered.
const STATEMENT_MS = 3_000;
const LOCK_MS = 2_000;
const WATCH_MS = 1_000;

const HURRIED: PoolOptions = {
  connectionsMax: CONNECTIONS_MAX,
  statementMs: STATEMENT_MS,
  limits: { statementMs: STATEMENT_MS, lockMs: LOCK_MS, idleMs: STATEMENT_MS },
  idleMs: 10_000,
};
/**
 * For changes behind a pooler. Each holds one of its connections while it waits for its place in the audit log, and
 * whoever has that place needs one more (`Storage.fresh`): if all of them were waiting, nobody could go on. So a process
 * makes one change at a time there, and the pooler needs one connection more than there are processes.
 */
const ONE_BY_ONE: PoolOptions = { ...HURRIED, connectionsMax: 1 };
const WATCH: PoolOptions = {
  connectionsMax: 1,
  statementMs: WATCH_MS,
  limits: { statementMs: WATCH_MS, lockMs: WATCH_MS, idleMs: WATCH_MS },
  // It is asked four times a second as long as anybody asks for anything.
  idleMs: 60_000,
};
/** For small questions, each of them while the transaction of a change waits for the answer. */
const FRESH: PoolOptions = { ...HURRIED, connectionsMax: 2 };
/** Has no deadlines, also none that the database itself sets for the user, and nothing open a second later. */
const UNHURRIED: PoolOptions = {
  connectionsMax: 1,
  statementMs: 0,
  limits: { statementMs: 0, lockMs: LOCK_MS, idleMs: 0 },
  idleMs: 1_000,
};

/** Opens no connection yet. @see Storage */
export function openPostgresStorage(config: PostgresConfig, logger: StorageLogger): Storage {
  const { hosts } = parseDatabaseUrl(config.url.reveal());
  const primary = new Primary(hosts, logger);
  // int8 arrives as text by default; our integers are milliseconds and counts, all below 2^53.
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8_OID, Number);
  const openPool = (options: PoolOptions) => new PrimaryPool(primary, types, options, logger);
  const toKysely = (pool: Pick<PrimaryPool, 'options' | 'connect' | 'end'>): Kysely<Database> =>
    new Kysely<Database>({
      dialect: new PooledPostgresDialect({ pool: pool as unknown as PostgresPool }),
    });
  const [pool, oneByOne] = [openPool(HURRIED), openPool(ONE_BY_ONE)];
  const kysely = toKysely(pool);
  const write = toKysely({
    options: {},
    connect: async () => await (pool.isPooled ? oneByOne : pool).connect(),
    // Whoever only writes has opened both, and Kysely ends no pool that it was not used with.
    end: async () => void (await Promise.all([pool.end(), oneByOne.end()])),
  });
  const openStore = (options: PoolOptions) => toKysely(openPool(options));
  const [watch, fresh, unhurried] = [openStore(WATCH), openStore(FRESH), openStore(UNHURRIED)] as const;
  const epochGuard = new EpochLease({
    ask: async (workspaceIds) => {
      listener?.start();
      return await askForEpochs(watch, workspaceIds);
    },
    tellOthers: async (workspaceIds) => {
      await sql`select pg_notify(${EPOCH_CHANNEL}, id) from unnest(${workspaceIds}::text[]) as id`.execute(
        kysely,
      );
    },
    monotonic: () => performance.now(),
    wall: () => systemClock.now(),
    outage: config.outage ?? 'refuse',
    onFault: (error) => logger.error({ err: error }, 'the revocation epochs cannot be read'),
  });
  const { listenUrl } = config;
  const listener =
    listenUrl === 'none'
      ? null
      : new EpochListener({
          findUrl: async () => listenUrl?.reveal() ?? (await primary.find()).host.url,
          onHint: (workspaceId) => epochGuard.hint(workspaceId),
          logger,
        });
  return {
    engine: 'postgres',
    read: kysely,
    write,
    usage: kysely,
    watch,
    fresh,
    migration: { main: unhurried, usage: unhurried },
    changeCounter: null,
    prepareRead: null,
    epochGuard,
    raiseListeners: new Set(),
    close: async () => {
      epochGuard.close();
      await Promise.all([
        listener?.close(),
        ...[kysely, write, watch, fresh, unhurried].map((each) => each.destroy()),
      ]);
    },
  };
}

/** The epochs, and of which start of which server they are: after a failover a number may come a second time. */
async function askForEpochs(
  watch: Kysely<Database>,
  workspaceIds: readonly string[],
): Promise<EpochQuestionAnswer> {
  const { rows } = await sql<{ workspace_id: string | null; epoch: number; incarnation: string | null }>`
    select workspace_id, cast(sum(epoch) as bigint) as epoch, null as incarnation from revocation_epochs
      where workspace_id = any(${workspaceIds}::text[]) group by workspace_id
    union all
    select null, 0, concat(pg_postmaster_start_time(), ' ', pg_is_in_recovery())`.execute(watch);
  const incarnation = rows.find((row) => row.incarnation !== null)?.incarnation ?? '';
  // Behind a pooler the server may become another one without a word.
  if (incarnation.endsWith(' t'))
    throw Object.assign(new Error('The database is a standby, which only reads.'), { code: '25006' });
  const epochs = new Map(workspaceIds.map((id) => [id, 0]));
  for (const row of rows) if (row.workspace_id !== null) epochs.set(row.workspace_id, row.epoch);
  return { incarnation, epochs };
}
