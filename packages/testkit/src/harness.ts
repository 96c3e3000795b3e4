import { randomBytes } from 'node:crypto';
import {
  type Account,
  buildApp,
  type Caller,
  createDeps,
  type Deps,
  inTransaction,
  loadConfig,
  systemCaller,
  systemRandom,
} from '@keyreeve/server';
import pino from 'pino';
import { createTestDatabase, type TestDatabase } from './databases.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

export type App = Awaited<ReturnType<typeof buildApp>>;

/** The real server on a fresh database, with a clock that the test moves. */
export interface Harness {
  readonly app: App;
  readonly deps: Deps;
  readonly clock: TestClock;
  readonly database: TestDatabase;
  /** For a second process on the same database. */
  readonly masterKey: string;
  /** Every log line of the run, to search for secrets. */
  readonly logLines: readonly string[];
  /** Makes an account straight in the database; sign-in is not needed for it. */
  createAccount(input: AccountInput): Promise<Account>;
  /** The caller that a console session of this user would be. */
  callerOf(user: Account): Promise<Caller>;
  /** Starts the server anew on the same database, as after a crash or an upgrade. */
  restart(): Promise<Harness>;
  close(): Promise<void>;
}

type AccountInput = Parameters<Deps['accounts']['createInside']>[2];

export interface HarnessOptions {
  readonly database?: TestDatabase;
  readonly clock?: TestClock;
  readonly masterKey?: string;
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the server of the product, unchanged, without a listening socket (use `app.listen` for one). */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const database = options.database ?? (await createTestDatabase());
  const clock = options.clock ?? createTestClock();
  const masterKey = options.masterKey ?? randomBytes(32).toString('base64');
  const logLines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => logLines.push(line) });
  const config = loadConfig({
    KEYREEVE_DATA_DIR: database.dataDir,
    KEYREEVE_MASTER_KEY: masterKey,
    KEYREEVE_BASE_DOMAIN: 'keys.test',
    ...(database.url === null ? {} : { KEYREEVE_DATABASE_URL: database.url }),
    ...options.environment,
  });
  const deps = await createDeps({ config, clock, random: systemRandom, logger });
  const app = await buildApp(deps);
  await app.ready();
  const stop = async () => {
    await app.close();
    await deps.close();
  };
  return {
    app,
    deps,
    clock,
    database,
    masterKey,
    logLines,
    createAccount: (input) =>
      inTransaction(deps.storage, (tx) =>
        deps.accounts.createInside(tx, systemCaller(deps.defaultWorkspace, 'test'), input),
      ),
    callerOf: (user) => callerOf(deps, user),
    restart: async () => {
      await stop();
      return await startHarness({ ...options, database, clock, masterKey });
    },
    close: async () => {
      await stop();
      await database.drop();
    },
  };
}

async function callerOf(deps: Deps, user: Account): Promise<Caller> {
  const account = await deps.accounts.findIdentity(deps.storage.read, user.workspaceId, user.id);
  if (account === null) throw new Error(`The account ${user.id} is gone.`);
  const managedIds = await deps.accounts.listManagedIds(deps.storage.read, user.workspaceId, user.id);
  return {
    workspace: deps.defaultWorkspace,
    principal: { kind: 'session', account, sessionId: 'ses_test', managedIds },
    ip: '127.0.0.1',
    userAgent: 'test',
    requestId: 'req_test',
  };
}
