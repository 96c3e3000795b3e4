import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  buildNupkg,
  type Company,
  call,
  createTestDatabase,
  type Harness,
  recordControl,
  recordFigure,
  seedCompany,
  startHarness,
  type TestDatabase,
  testEngine,
} from '@keyreeve/testkit';
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SILENT } from '../commands/operator-tools.ts';
import { loadConfig } from '../config/index.ts';
import type { Storage } from './database.ts';
import { migrateStorage, migrateStorageTo, NewerDatabaseError, SCHEMA_VERSIONS } from './migrate.ts';
import { openStorage } from './open-storage.ts';
import type { Database } from './schema.ts';

const IS_LONG = process.env['PROOF_FULL'] === '1';
const KILL_POINTS = IS_LONG ? 40 : 2;
/** The short form tries each so-manieth step. */
const STEPS_SKIPPED = 4;

type Row = Readonly<Record<string, unknown>>;
/** Rows of every table of a store, as today's schema holds them. */
type Content = ReadonlyMap<string, readonly Row[]>;

/** What is made anew by migrations, triggers and jobs, or tells of the schema itself. */
const DERIVED = /^(schema_migrations|usage_migrations|sqlite_|package_search|revocation_epochs)/;
/** Rows of these are what nobody may lose. */
const KEPT = [
  'api_keys',
  'accounts',
  'audit',
  'package_versions',
  'package_owners',
  'ended_tokens',
  'sessions',
];

let harness: Harness;
let company: Company;
let main: Content;
let usage: Content;
let live: { fullKey: string };
let disabled: { fullKey: string; apiKey: string };
let ended: string;
const places: TestDatabase[] = [];

async function mint() {
  const answer = await call(harness, 'POST', `/v1/accounts/${company.member.id}/keys`, {
    key: company.adminKey,
    body: { comment: 'of an older release', access: 'account' },
  });
  return answer.json<{ apiKey: string; secretKey: string; fullKey: string }>();
}

async function readContent(db: Kysely<Database>): Promise<Content> {
  const content = new Map<string, readonly Row[]>();
  for (const { name } of await db.introspection.getTables()) {
    if (DERIVED.test(name)) continue;
    content.set(name, (await sql<Row>`select * from ${sql.table(name)}`.execute(db)).rows);
  }
  return content;
}

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  live = await mint();
  disabled = await mint();
  const { apiKey, secretKey } = await mint();
  const body = { auth_mode: 'apikey', apikey: apiKey, secretkey: secretKey };
  ended = (await call(harness, 'POST', '/iam/login', { body })).json<{ token: string }>().token;
  await call(harness, 'DELETE', '/iam/logout', { headers: { authorization: `Bearer ${ended}` } });
  await call(harness, 'POST', `/v1/keys/${disabled.apiKey}/disable`, { key: company.adminKey, body: {} });
  const pushed = await harness.app.inject({
    method: 'PUT',
    url: '/api/v2/package',
    headers: { host: 'localhost:8080', 'x-nuget-apikey': live.fullKey },
    payload: Buffer.from(buildNupkg({ id: 'Acme.Kept', version: '1.0.0' })),
  });
  expect(pushed.statusCode, pushed.body).toBe(201);
  await harness.deps.usage.flush();
  main = await readContent(harness.deps.storage.read);
  usage = await readContent(harness.deps.storage.usage);
});
afterEach(async () => {
  for (const place of places.splice(0)) await place.drop();
});
afterAll(() => harness.close());

function versionsAt(step: number) {
  return {
    main: SCHEMA_VERSIONS.main.slice(0, step),
    usage: SCHEMA_VERSIONS.usage.slice(
      0,
      Math.ceil((step / SCHEMA_VERSIONS.main.length) * SCHEMA_VERSIONS.usage.length),
    ),
  };
}

function open({ dataDir, url }: TestDatabase): Storage {
  const config = loadConfig({
    KEYREEVE_DATA_DIR: dataDir,
    KEYREEVE_MASTER_KEY: harness.masterKey,
    ...(url === null ? {} : { KEYREEVE_DATABASE_URL: url }),
  });
  return openStorage(config, SILENT);
}

/** What a release of long ago left: its schema, with the rows of ours as far as it had a place for them. */
async function makeOldDatabase(step: number): Promise<TestDatabase> {
  const place = await createTestDatabase();
  places.push(place);
  const storage = open(place);
  await migrateStorageTo(storage, versionsAt(step));
  await fill(storage.write, main);
  // On PostgreSQL both stores are one database, and its rows are written; but its sequence knows nothing of them.
  if (storage.engine === 'sqlite') await fill(storage.usage, usage);
  else
    await sql`select setval(pg_get_serial_sequence('audit', 'seq'), (select max(seq) from audit))`.execute(
      storage.write,
    );
  await storage.close();
  const blobs = path.join(harness.database.dataDir, 'blobs');
  if (existsSync(blobs)) cpSync(blobs, path.join(place.dataDir, 'blobs'), { recursive: true });
  return place;
}

async function fill(db: Kysely<Database>, content: Content): Promise<void> {
  const tables = await db.introspection.getTables();
  const hasChain = tables.some(({ name }) => name === 'audit_keys');
  for (const { name, columns } of tables) {
    for (const row of content.get(name) ?? []) {
      // Tells since when the audit log is chained; a release before that wrote no such note.
      if (!hasChain && row['name'] === 'audit_chain') continue;
      const filled = columns
        .map((column) => [column.name, row[column.name] ?? emptyOf(column)] as const)
        .filter(([, value]) => value !== undefined);
      await sql`insert into ${sql.table(name)} (${sql.join(filled.map(([column]) => sql.ref(column)))})
        values (${sql.join(filled.map(([, value]) => value))})`.execute(db);
    }
  }
}

/** For what must have a value and was dropped since; undefined leaves it to the database. */
function emptyOf(column: { isNullable: boolean; hasDefaultValue: boolean; dataType: string }) {
  if (column.isNullable || column.hasDefaultValue) return undefined;
  return /int/i.test(column.dataType) ? 0 : '';
}

/** What is wrong with a place after the upgrade, as those see it who use it. */
async function findFaults(place: TestDatabase): Promise<string[]> {
  const faults: string[] = [];
  const upgraded = await startHarness({
    database: place,
    masterKey: harness.masterKey,
    clock: harness.clock,
  });
  try {
    const told = async (
      what: string,
      wanted: number,
      ...request: Parameters<typeof call> extends [unknown, ...infer Rest] ? Rest : never
    ) => {
      const { statusCode } = await call(upgraded, ...request);
      if (statusCode !== wanted) faults.push(`${what}: ${statusCode} instead of ${wanted}`);
    };
    await told('a key', 200, 'GET', '/v1/keys/self', { key: live.fullKey });
    await told('a disabled key', 401, 'GET', '/v1/keys/self', { key: disabled.fullKey });
    const headers = { authorization: `Bearer ${ended}` };
    await told('an ended token', 401, 'GET', '/iam/v4/checkSession', { headers });
    await told('the audit log', 200, 'GET', '/v1/audit?limit=200', { key: company.adminKey });
    const packageKey = { headers: { 'x-nuget-apikey': live.fullKey } };
    await told('a package', 200, 'GET', '/api/v2/package/Acme.Kept/1.0.0', packageKey);
    await told('a search', 200, 'GET', `/api/v2/FindPackagesById()?id='Acme.Kept'`, packageKey);
    const body = { comment: 'new', access: 'account' };
    await told('a new key', 201, 'POST', `/v1/accounts/${company.member.id}/keys`, {
      key: company.adminKey,
      body,
    });
    faults.push(...(await findLostRows(upgraded.deps.storage)));
  } finally {
    await upgraded.app.close();
    await upgraded.deps.close();
  }
  return faults;
}

async function findLostRows(storage: Storage): Promise<string[]> {
  const faults: string[] = [];
  for (const table of KEPT) {
    const { rows } = await sql<{
      count: number | string;
    }>`select count(*) as count from ${sql.table(table)}`.execute(storage.read);
    const wanted = main.get(table)?.length ?? 0;
    if (Number(rows[0]?.count) < wanted) faults.push(`${table} has ${rows[0]?.count} of ${wanted} rows`);
  }
  return faults;
}

/**
 * Migrates in a process of its own that is killed at its so-manieth statement, or comes to its end without one.
 *
 * @returns how many statements there were; null when it was killed
 */
async function migrateUntilKilled(place: TestDatabase, statement: number): Promise<number | null> {
  const moduleOf = (file: string) => JSON.stringify(pathToFileURL(path.join(import.meta.dirname, file)).href);
  const script = `
    import { DatabaseSync } from 'node:sqlite';
    import pg from 'pg';
    import { migrateStorage } from ${moduleOf('migrate.ts')};
    import { openStorage } from ${moduleOf('open-storage.ts')};
    import { loadConfig } from ${moduleOf('../config/index.ts')};
    const storage = openStorage(loadConfig(process.env), { error: () => {} });
    let statements = 0;
    const count = (prototype, name) => {
      const method = prototype[name];
      prototype[name] = function (...values) {
        if (++statements === ${statement}) process.kill(process.pid, 'SIGKILL');
        return method.apply(this, values);
      };
    };
    count(DatabaseSync.prototype, 'prepare');
    count(pg.Client.prototype, 'query');
    await migrateStorage(storage);
    await storage.close();
    console.log(statements);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
    env: {
      ...process.env,
      KEYREEVE_DATA_DIR: place.dataDir,
      KEYREEVE_MASTER_KEY: harness.masterKey,
      ...(place.url === null ? {} : { KEYREEVE_DATABASE_URL: place.url }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`The migration ended with ${code ?? signal}.`);
  return signal === 'SIGKILL' ? null : Number(output);
}

describe('an upgrade', () => {
  it('takes the database of every migration step, with all that is in it', async () => {
    const all = SCHEMA_VERSIONS.main.map((_name, index) => index + 1);
    const steps = all.filter((step) => IS_LONG || step % STEPS_SKIPPED === 1);
    const broken: string[] = [];
    for (const step of steps) {
      const faults = await findFaults(await makeOldDatabase(step));
      broken.push(...faults.map((fault) => `from ${SCHEMA_VERSIONS.main[step - 1]}: ${fault}`));
    }
    recordFigure(10, {
      name: 'databases of earlier steps that migrate with all that is in them',
      reached: `${broken.length === 0 ? steps.length : `not all, ${broken[0]}`} of ${steps.length} tried steps of ${all.length} on ${testEngine()}`,
      wanted: 'all',
      isHeld: broken.length === 0,
    });
    expect(broken).toEqual([]);
  });

  it('that is killed anywhere leaves a database that both releases take or refuse in words', async () => {
    const first = 1;
    const total = (await migrateUntilKilled(await makeOldDatabase(first), 0)) ?? 0;
    const broken: string[] = [];
    let kills = 0;
    for (let point = 1; point <= KILL_POINTS; point += 1) {
      const place = await makeOldDatabase(first);
      const statement = Math.ceil((point * total) / (KILL_POINTS + 1));
      if ((await migrateUntilKilled(place, statement)) === null) kills += 1;
      const older = await openAsOlder(place, first);
      if (older !== null) broken.push(`the older release, killed at ${statement}: ${older}`);
      broken.push(...(await findFaults(place)).map((fault) => `killed at ${statement}: ${fault}`));
    }
    recordFigure(10, {
      name: 'kills during a migration after which a release neither starts nor refuses in words',
      reached: `${broken.length} of ${kills} kills on ${testEngine()}`,
      wanted: '0',
      isHeld: broken.length === 0 && kills === KILL_POINTS,
    });
    expect(broken).toEqual([]);
    expect(kills).toBe(KILL_POINTS);
  });

  it('is not undone by the release before, which says in words that it does not know the database', async () => {
    const place = await makeOldDatabase(1);
    const storage = open(place);
    await migrateStorage(storage);
    const refusals = [];
    for (const step of SCHEMA_VERSIONS.main.map((_name, index) => index).slice(1)) {
      const refused = await migrateStorageTo(storage, versionsAt(step)).catch((error: unknown) => error);
      if (refused instanceof NewerDatabaseError) refusals.push(refused.message);
    }
    await storage.close();
    recordFigure(10, {
      name: 'earlier releases that refuse a newer database in words',
      reached: `${refusals.length} of ${SCHEMA_VERSIONS.main.length - 1} on ${testEngine()}`,
      wanted: 'all',
      isHeld: refusals.length === SCHEMA_VERSIONS.main.length - 1,
    });
    expect(refusals.length).toBe(SCHEMA_VERSIONS.main.length - 1);
    expect(refusals[0]).toMatch(/newer release.*restore a backup/s);
    expect(await findFaults(place)).toEqual([]);
  });

  it('in the control, where a step loses a table on its way, is seen to lose it', async () => {
    const place = await makeOldDatabase(3);
    const storage = open(place);
    await sql`delete from audit`.execute(storage.write);
    await sql`update api_keys set digest = ''`.execute(storage.write);
    await storage.close();
    const faults = await findFaults(place);
    recordControl(10, {
      name: 'a migration that empties a table and a column',
      shown: `${faults.length} faults, such as: ${faults[0] ?? 'none'}`,
      hasFailed: faults.length > 0,
    });
    expect(faults.length).toBeGreaterThan(0);
  });
});

/** Null when the release of that step takes the database, or refuses it in words. */
async function openAsOlder(place: TestDatabase, step: number): Promise<string | null> {
  const storage = open(place);
  try {
    await migrateStorageTo(storage, versionsAt(step));
    return null;
  } catch (error) {
    return error instanceof NewerDatabaseError ? null : String(error);
  } finally {
    await storage.close();
  }
}
