import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { createDeps, loadConfig, systemRandom } from '../packages/server/src/index.ts';
import { systemClock } from '../packages/server/src/lib/clock.ts';
import { Secret } from '../packages/server/src/lib/secret.ts';
import type { Keyring } from '../packages/server/src/storage/index.ts';
import { type BulkWriter, openPostgresWriter, openSqliteWriter } from './bulk-writer.ts';
import {
  accountIdAt,
  accountRowAt,
  auditRowAt,
  isServiceAccount,
  keyRowsAt,
  type Row,
  type SeededKey,
  type SeedPlan,
  seededKeyAt,
} from './seed-rows.ts';
import { ADMIN } from './servers.ts';

export interface SeedOptions {
  readonly count: number;
  /** Where a new data folder is made, default the system's temporary folder: 10,000,000 keys take about 15 GB. */
  readonly under?: string | undefined;
  /** A new or empty folder to fill instead; whoever names it removes it. */
  readonly dataDir?: string | undefined;
  /** An empty PostgreSQL database instead of SQLite. */
  readonly databaseUrl?: string | undefined;
  readonly keysPerAccount?: number | undefined;
  /** Rows of the audit log, default none. */
  readonly auditRows?: number | undefined;
  /** How many full keys that work are handed back, default 1,000. */
  readonly sampleSize?: number | undefined;
  /** Told of each step; silent by default. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface SeededDatabase {
  /** Starts the server on it: `startKeyreeve(seeded.environment)`. Holds the master key. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly plan: SeedPlan;
  /** An administrator, and a member who owns the keys of the first account. */
  readonly admin: { readonly email: string; readonly password: string };
  readonly member: { readonly email: string; readonly password: string; readonly accountId: string };
  /** Keys that work, spread over all of them. */
  readonly sample: readonly SeededKey[];
  /** Any key by its number, 0 to `count` - 1. */
  readonly keyAt: (index: number) => SeededKey;
  readonly bytesOnDisk: number;
  readonly seconds: number;
  /** Removes the data folder that was made here. The database of PostgreSQL is its maker's. */
  readonly remove: () => void;
}

/** Says with which keys a folder was filled; it holds the master key, as everything of a bench is known. */
const RECORD_FILE = 'seed.json';
const BATCH_ROWS = 10_000;
const TOLD_EVERY = 500_000;
const KEYS_PER_ACCOUNT = 20;
const SAMPLE_SIZE = 1_000;
/** A step without a common divisor with round numbers, so that the sample is spread over all keys. */
const SAMPLE_STEP = 7_919;

/**
 * Fills a new database with `count` keys, and with what belongs to them: accounts, last uses, counters, and notices
 * as already told. Digests and MACs are those of the server, so that every key verifies; the secrets come from the
 * number of the key. Rows go past the services straight into the tables, whose indexes are made afterwards.
 *
 * `node bench/seed-keys.ts --count 1000000 --data-dir DIR` does it by hand and prints what it has made.
 *
 * @throws Error when the folder or database holds keys already
 */
export async function seedKeys(options: SeedOptions): Promise<SeededDatabase> {
  const startedAt = performance.now();
  const isOwnFolder = options.dataDir === undefined;
  const dataDir = options.dataDir ?? mkdtempSync(path.join(options.under ?? tmpdir(), 'keyreeve-bench-'));
  try {
    const masterKey = randomBytes(32).toString('base64');
    const environment = {
      KEYREEVE_DATA_DIR: dataDir,
      KEYREEVE_MASTER_KEY: masterKey,
      ...(options.databaseUrl === undefined ? {} : { KEYREEVE_DATABASE_URL: options.databaseUrl }),
    };
    const { keyring, workspaceId, passwordHash } = await makeEmptyDatabase(environment);
    const plan: SeedPlan = {
      seed: 'keyreeve bench',
      workspaceId,
      keys: options.count,
      accounts: Math.max(1, Math.ceil(options.count / (options.keysPerAccount ?? KEYS_PER_ACCOUNT))),
      now: systemClock.now(),
    };
    const writer =
      options.databaseUrl === undefined
        ? openSqliteWriter(dataDir)
        : await openPostgresWriter(options.databaseUrl);
    await fill(writer, plan, { keyring, passwordHash, auditRows: options.auditRows ?? 0, ...tell(options) });
    const bytesOnDisk = await measureBytes(dataDir, options.databaseUrl);
    const seconds = (performance.now() - startedAt) / 1_000;
    const record: SeedRecord = { environment, plan, bytesOnDisk, seconds };
    writeFileSync(path.join(dataDir, RECORD_FILE), JSON.stringify(record), { mode: 0o600 });
    return toSeeded(dataDir, record, options.sampleSize ?? SAMPLE_SIZE, isOwnFolder);
  } catch (error) {
    if (isOwnFolder) rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
}

/** A database that was filled before, by this process or another: `dataDir` is the folder that was named then. */
export function openSeeded(dataDir: string, sampleSize = SAMPLE_SIZE): SeededDatabase {
  const record = JSON.parse(readFileSync(path.join(dataDir, RECORD_FILE), 'utf8')) as SeedRecord;
  return toSeeded(dataDir, record, sampleSize, false);
}

type SeedRecord = Pick<SeededDatabase, 'environment' | 'plan' | 'bytesOnDisk' | 'seconds'>;

function toSeeded(
  dataDir: string,
  record: SeedRecord,
  sampleSize: number,
  isOwnFolder: boolean,
): SeededDatabase {
  const { plan } = record;
  return {
    ...record,
    dataDir,
    admin: ADMIN,
    member: { email: 'user-0@example.com', password: ADMIN.password, accountId: accountIdAt(plan, 0) },
    sample: takeSample(plan, sampleSize),
    keyAt: (index) => seededKeyAt(plan, index),
    remove: () => {
      if (isOwnFolder) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function tell({ onProgress }: SeedOptions): { tell: (line: string) => void } {
  const startedAt = performance.now();
  return {
    tell: (line) => onProgress?.(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s: ${line}`),
  };
}

/** Migrated, with data keys, the default workspace and its first administrator. */
async function makeEmptyDatabase(
  environment: Readonly<Record<string, string>>,
): Promise<{ keyring: Keyring; workspaceId: string; passwordHash: string }> {
  const deps = await createDeps({
    config: loadConfig(environment),
    clock: systemClock,
    random: systemRandom,
    logger: pino({ level: 'silent' }),
  });
  try {
    const { keyring, setup, defaultWorkspace, accounts, storage } = deps;
    const password = new Secret(ADMIN.password);
    const isNew = await setup.createFirstAdmin(defaultWorkspace, {
      email: ADMIN.email,
      password,
      displayName: 'Bench',
    });
    if (!isNew) throw new Error('The bench fills new databases only; this one has an administrator.');
    const { id: workspaceId } = defaultWorkspace;
    const admin = await accounts.findByLogin(storage.read, workspaceId, 'user', ADMIN.email);
    const passwordHash = await accounts.findPasswordHash(storage.read, workspaceId, admin?.id ?? '');
    return { keyring, workspaceId, passwordHash: passwordHash ?? '' };
  } finally {
    await deps.close();
  }
}

interface FillOptions {
  readonly keyring: Keyring;
  readonly passwordHash: string;
  readonly auditRows: number;
  readonly tell: (line: string) => void;
}

const TABLES = {
  main: ['accounts', 'account_managers', 'api_keys', 'audit', 'key_expiry_notices'],
  usage: ['key_last_uses', 'key_hours'],
} as const;

async function fill(writer: BulkWriter, plan: SeedPlan, options: FillOptions): Promise<void> {
  await writer.prepare('main', TABLES.main);
  await writer.prepare('usage', TABLES.usage);
  await inBatches(plan.accounts, async (numbers) => {
    const rows = numbers.map((index) => accountRowAt(plan, index, options.passwordHash));
    await writer.insert('main', 'accounts', rows.map(asRow));
    const managed = numbers.filter(isServiceAccount).map((index) => ({
      workspace_id: plan.workspaceId,
      service_account_id: accountIdAt(plan, index),
      user_id: accountIdAt(plan, index - 1),
    }));
    await writer.insert('main', 'account_managers', managed);
  });
  options.tell(`${plan.accounts} accounts`);
  await inBatches(plan.keys, async (numbers) => {
    const rows = numbers.map((index) => keyRowsAt(plan, options.keyring, index));
    await writer.insert(
      'main',
      'api_keys',
      rows.map(({ key }) => asRow(key)),
    );
    await writer.insert(
      'main',
      'key_expiry_notices',
      rows.flatMap(({ told }) => (told === null ? [] : [told])),
    );
    await writer.insert(
      'usage',
      'key_last_uses',
      rows.flatMap(({ lastUse }) => (lastUse === null ? [] : [lastUse])),
    );
    await writer.insert(
      'usage',
      'key_hours',
      rows.flatMap(({ hours }) => hours),
    );
    const done = (numbers.at(-1) ?? 0) + 1;
    if (done % TOLD_EVERY === 0) options.tell(`${done} keys`);
  });
  await inBatches(options.auditRows, async (numbers) => {
    await writer.insert(
      'main',
      'audit',
      numbers.map((index) => asRow(auditRowAt(plan, index, options.auditRows))),
    );
  });
  options.tell('rows written; making indexes');
  await writer.finish();
  options.tell('indexes made');
}

function asRow(row: object): Row {
  return row as Row;
}

async function inBatches(count: number, write: (numbers: readonly number[]) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += BATCH_ROWS) {
    const length = Math.min(BATCH_ROWS, count - from);
    await write(Array.from({ length }, (_, index) => from + index));
  }
}

function takeSample(plan: SeedPlan, size: number): readonly SeededKey[] {
  const sample: SeededKey[] = [];
  for (let turn = 0; turn < plan.keys && sample.length < size; turn += 1) {
    const key = seededKeyAt(plan, (turn * SAMPLE_STEP + 1) % plan.keys);
    if (key.works && key.fullKey.startsWith(key.id)) sample.push(key);
  }
  return sample;
}

async function measureBytes(dataDir: string, databaseUrl: string | undefined): Promise<number> {
  if (databaseUrl === undefined)
    return readdirSync(dataDir).reduce((sum, name) => sum + statSync(path.join(dataDir, name)).size, 0);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ size: string }>(
      'select pg_database_size(current_database()) as size',
    );
    return Number(rows[0]?.size);
  } finally {
    await client.end();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '1000000' },
      'data-dir': { type: 'string' },
      'database-url': { type: 'string' },
      'audit-rows': { type: 'string', default: '0' },
      'sample-size': { type: 'string', default: '10' },
    },
  });
  const seeded = await seedKeys({
    count: Number(values.count),
    dataDir: values['data-dir'],
    databaseUrl: values['database-url'],
    auditRows: Number(values['audit-rows']),
    sampleSize: Number(values['sample-size']),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const { environment, admin, member, sample, bytesOnDisk, seconds } = seeded;
  process.stdout.write(
    `${JSON.stringify({ environment, admin, member, sample, bytesOnDisk, seconds }, null, 2)}\n`,
  );
}

if (import.meta.main) await main();
