import { randomBytes } from 'node:crypto';
import path from 'node:path';
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
import type { S3Server } from './s3-server.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

export type App = Awaited<ReturnType<typeof buildApp>>;

/** The real server on a fresh database, with a clock that the test moves. */
export interface Harness {
  readonly app: App;
  readonly deps: Deps;
  readonly clock: TestClock;
  readonly database: TestDatabase;
  /** The store of the package files, in a run that is for one (`TEST_BLOBS`). */
  readonly s3: S3Server | null;
  /** The file in which the store keeps a blob, to damage it or to change its date. */
  blobFile(sha512: string): string;
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
  readonly s3?: S3Server | null;
  readonly clock?: TestClock;
  readonly masterKey?: string;
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the server of the product, unchanged, without a listening socket (use `app.listen` for one). */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const database = options.database ?? (await createTestDatabase({ isMigrated: true }));
  const clock = options.clock ?? createTestClock();
  const masterKey = options.masterKey ?? randomBytes(32).toString('base64');
  const s3 = options.s3 ?? (process.env['TEST_BLOBS'] === 's3' ? await startS3() : null);
  const logLines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => logLines.push(line) });
  const config = loadConfig({
    KEYREEVE_DATA_DIR: database.dataDir,
    KEYREEVE_MASTER_KEY: masterKey,
    KEYREEVE_BASE_DOMAIN: 'keys.test',
    ...(database.url === null ? {} : { KEYREEVE_DATABASE_URL: database.url }),
    ...s3?.environment,
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
    s3,
    blobFile: (sha512) => {
      const key = `${sha512.slice(0, 2)}/${sha512.slice(2, 4)}/${sha512}`;
      return s3?.fileOf(`keyreeve/${key}`) ?? path.join(database.dataDir, 'blobs', key);
    },
    masterKey,
    logLines,
    createAccount: (input) =>
      inTransaction(deps.storage, (tx) =>
        deps.accounts.createInside(tx, systemCaller(deps.defaultWorkspace, 'test'), input),
      ),
    callerOf: (user) => callerOf(deps, user),
    restart: async () => {
      await stop();
      return await startHarness({ ...options, database, s3, clock, masterKey });
    },
    close: async () => {
      await stop();
      await s3?.close();
      await database.drop();
    },
  };
}

/** Loaded for the runs that need it: it takes longer than most tests. */
async function startS3(): Promise<S3Server> {
  const { startS3Server } = await import('./s3-server.ts');
  return await startS3Server();
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
