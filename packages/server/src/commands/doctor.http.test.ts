import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
  call,
  createTestClock,
  describeOn,
  type Harness,
  seedCompany,
  startHarness,
} from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestCertificate, type SmtpSink, startSmtpSink } from '../../../testkit/src/smtp-sink.ts';
import { DAY_MS, HOUR_MS, systemClock } from '../lib/clock.ts';
import { inTransaction, migrateStorage, openStorage, type Tx } from '../storage/index.ts';
import { openSqlite } from '../storage/sqlite-adapter.ts';
import { judgeFileSystem } from './doctor/check-files.ts';
import { judgeDate } from './doctor/check-network.ts';
import { examine } from './doctor.ts';
import { SILENT } from './operator-tools.ts';

const YEAR_MS = 365 * DAY_MS;
const isRoot = process.getuid?.() === 0;

/** Ends with the test in which it was begun. */
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function toUrl(server: Server): string {
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

async function serveText(text: string, headers: Record<string, string> = {}): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(200, headers).end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return toUrl(server);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The codes of everything that was found. */
async function find(environment: Record<string, string>, now = () => systemClock.now()): Promise<string[]> {
  const results = await examine(environment, now);
  return results.flatMap(({ findings }) => findings.map(({ code }) => code));
}

describeOn('sqlite', 'keyreeve doctor', () => {
  let harness: Harness;
  let healthy: string;
  let running: Record<string, string>;
  let stoppedPort: string;

  /** An installation of its own that is stopped: one that the test may spoil. */
  function copyInstallation(): { folder: string; environment: Record<string, string> } {
    const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(healthy, folder, { recursive: true });
    return { folder, environment: { KEYREEVE_DATA_DIR: folder, KEYREEVE_PORT: stoppedPort } };
  }

  async function change(folder: string, work: (tx: Tx) => Promise<unknown>): Promise<void> {
    const storage = openStorage({ database: { engine: 'sqlite' }, dataDir: folder }, SILENT);
    await inTransaction(storage, work);
    await storage.close();
    // All of it into the file itself, so that a test can damage what is read.
    for (const name of ['keyreeve.db', 'usage.db']) {
      const database = openSqlite({ file: path.join(folder, name), readOnly: false });
      database.exec('pragma wal_checkpoint(truncate)');
      database.close();
    }
  }

  beforeAll(async () => {
    const port = String(await freePort());
    stoppedPort = String(await freePort());
    const environment = { KEYREEVE_PORT: port, KEYREEVE_PUBLIC_URL: `http://localhost:${port}` };
    harness = await startHarness({ clock: createTestClock(systemClock.now()), environment });
    const company = await seedCompany(harness);
    const answer = await call(harness, 'GET', '/v1/keys/self', { key: company.adminKey });
    expect(answer.statusCode).toBe(200);
    await harness.app.listen({ host: '127.0.0.1', port: Number(port) });
    await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`, { headers: { host: `localhost:${port}` } });
    const { dataDir } = harness.database;
    writeFileSync(path.join(dataDir, 'master.key'), `${harness.masterKey}\n`, { mode: 0o600 });
    running = { KEYREEVE_DATA_DIR: dataDir, KEYREEVE_HOST: '127.0.0.1', ...environment };
    healthy = mkdtempSync(path.join(tmpdir(), 'keyreeve-test-'));
    cpSync(dataDir, healthy, { recursive: true });
    await change(healthy, async () => {});
    // As SQLite leaves it when the last one closes; here some connections were never used, and so never closed.
    for (const name of readdirSync(healthy)) if (/-(wal|shm)$/.test(name)) rmSync(path.join(healthy, name));
  });
  afterAll(async () => {
    await harness.close();
    rmSync(healthy, { recursive: true, force: true });
  });

  it('finds nothing in a healthy installation, running or stopped, and changes nothing', async () => {
    expect(await find(running)).toEqual([]);
    const { folder, environment } = copyInstallation();
    const look = () =>
      readdirSync(folder, { recursive: true })
        .map(String)
        .toSorted()
        .map((name) => [name, statSync(path.join(folder, name)).mtimeMs]);
    const before = look();
    expect(await find(environment)).toEqual([]);
    expect(look()).toEqual(before);
  });

  it('finds a Redis that does not answer', async () => {
    const { environment } = copyInstallation();
    const KEYREEVE_REDIS_URL = `redis://127.0.0.1:${stoppedPort}`;
    expect(await find({ ...environment, KEYREEVE_REDIS_URL })).toEqual(['redis.unreachable']);
    expect(await find({ ...environment, KEYREEVE_REDIS_URL: 'http://127.0.0.1' })).toEqual([
      'config.invalid',
    ]);
  });

  it('finds a setting that does not exist, and goes on looking', async () => {
    const { folder, environment } = copyInstallation();
    chmodSync(folder, 0o755);
    const codes = await find({ ...environment, KEYREEVE_PROT: '1' });
    expect(codes).toEqual(['config.unknown_setting', 'data.folder_open']);
  });

  it('finds values that no start would take', async () => {
    const { environment } = copyInstallation();
    expect(await find({ ...environment, KEYREEVE_LOG_LEVEL: 'loud', KEYREEVE_MAIL_FROM: 'nobody' })).toEqual([
      'config.invalid',
      'config.invalid',
    ]);
    expect(await find({ ...environment, KEYREEVE_HOST: '0.0.0.0' })).toEqual(['config.invalid']);
  });

  it('finds a data folder that others may enter', async () => {
    const { folder, environment } = copyInstallation();
    chmodSync(folder, 0o750);
    expect(await find(environment)).toEqual(['data.folder_open']);
  });

  it('finds a database file that others may read', async () => {
    const { folder, environment } = copyInstallation();
    chmodSync(path.join(folder, 'keyreeve.db'), 0o644);
    expect(await find(environment)).toEqual(['data.file_open']);
  });

  it.runIf(isRoot)('finds a file that belongs to somebody else', async () => {
    const { folder, environment } = copyInstallation();
    chownSync(path.join(folder, 'usage.db'), 65_534, 65_534);
    expect(await find(environment)).toEqual(['data.foreign_owner']);
  });

  it('finds a data folder that is not there', async () => {
    const { folder, environment } = copyInstallation();
    expect(await find({ ...environment, KEYREEVE_DATA_DIR: path.join(folder, 'nowhere') })).toEqual([
      'data.missing',
    ]);
  });

  it('finds a master key that others may read', async () => {
    const { folder, environment } = copyInstallation();
    chmodSync(path.join(folder, 'master.key'), 0o644);
    expect(await find(environment)).toEqual(['master_key.file_open']);
  });

  it('finds a master key that is missing, broken or of another database', async () => {
    const { folder, environment } = copyInstallation();
    const file = path.join(folder, 'master.key');
    writeFileSync(file, randomBytes(32).toString('base64'));
    expect(await find(environment)).toEqual(['master_key.wrong']);
    writeFileSync(file, 'c2hvcnQ=');
    expect(await find(environment)).toEqual(['master_key.malformed']);
    rmSync(file);
    expect(await find(environment)).toEqual(['master_key.missing']);
  });

  it('finds a database that is damaged', async () => {
    const { folder, environment } = copyInstallation();
    const name = path.join(folder, 'keyreeve.db');
    const file = openSync(name, 'r+');
    // In the table or in its index: then one has what the other has not.
    const at = readFileSync(name).indexOf('master_key_check');
    writeSync(file, Buffer.from('M'), 0, 1, at);
    expect(await find(environment)).toEqual(['database.corrupt']);
    writeSync(file, Buffer.alloc(4_096, 0x5a), 0, 4_096, 4_096 * 8);
    expect(await find(environment)).toContain('database.corrupt');
    writeSync(file, Buffer.from('not a database'), 0, 14, 0);
    expect(await find(environment)).toContain('database.corrupt');
  });

  it('finds a database of a newer release', async () => {
    const { folder, environment } = copyInstallation();
    await change(folder, async (tx) => {
      await tx
        .insertInto('schema_migrations' as never)
        .values({ name: '9999-later', timestamp: '2030' })
        .execute();
    });
    expect(await find(environment)).toEqual(['schema.newer']);
  });

  it('finds that no administrator is left', async () => {
    const { folder, environment } = copyInstallation();
    await change(folder, (tx) => tx.updateTable('accounts').set({ state: 'disabled' }).execute());
    expect(await find(environment)).toEqual(['admin.none']);
  });

  it('finds that no signing key is in force', async () => {
    const { folder, environment } = copyInstallation();
    await change(folder, (tx) => tx.updateTable('signing_keys').set({ retires_at: 1 }).execute());
    expect(await find(environment)).toEqual(['signing_key.none']);
  });

  it('finds package files that cannot be kept', async () => {
    const { folder, environment } = copyInstallation();
    rmSync(path.join(folder, 'blobs'), { recursive: true, force: true });
    writeFileSync(path.join(folder, 'blobs'), '');
    expect(await find(environment)).toEqual(['blobs.unusable']);
  });

  it('finds proxies that are everybody', async () => {
    const { environment } = copyInstallation();
    expect(await find({ ...environment, KEYREEVE_TRUST_PROXY: '10.0.0.0/8,0.0.0.0/0' })).toEqual([
      'proxy.trusts_everybody',
    ]);
    expect(await find({ ...environment, KEYREEVE_PUBLIC_URL: 'https://keys.example.com' })).toEqual([
      'proxy.not_trusted',
    ]);
  });

  it('finds that another program has the port', async () => {
    const { environment } = copyInstallation();
    const { port } = new URL(await serveText('hello'));
    expect(await find({ ...environment, KEYREEVE_PORT: port })).toEqual(['port.taken']);
    // Another deployment is as foreign as another program.
    const ours = new URL(running['KEYREEVE_PUBLIC_URL'] ?? '').port;
    const { folder, environment: other } = copyInstallation();
    await change(folder, (tx) => tx.deleteFrom('signing_keys').execute());
    expect(await find({ ...other, KEYREEVE_PORT: ours })).toEqual(['port.taken']);
  });

  it('finds a public URL that nobody answers, or another', async () => {
    const away = `http://localhost:${await freePort()}`;
    expect(await find({ ...running, KEYREEVE_PUBLIC_URL: away })).toContain('public_url.unreachable');
    const other = await serveText('{"keys":[{"kid":"theirs"}]}');
    expect(await find({ ...running, KEYREEVE_PUBLIC_URL: other })).toContain('public_url.other_deployment');
  });

  it('finds a clock that differs from that of the public URL', async () => {
    expect(judgeDate(new Date(HOUR_MS).toUTCString(), 0, 'https://keys.example.com')).toMatchObject([
      { code: 'clock.public_url', message: expect.stringContaining('3600 seconds') },
    ]);
    expect(await find(running, () => systemClock.now() + HOUR_MS)).toContain('clock.public_url');
  });

  it('finds work that nobody does', async () => {
    const at = systemClock.now() - HOUR_MS;
    const row = {
      id: 'out_late',
      workspace_id: harness.deps.defaultWorkspace.id,
      kind: 'key.created',
      account_id: null,
      to_name: 'Ada',
      to_address: 'ada@example.com',
      locale: 'en',
      message_id: '<late@localhost>',
      time_zone: null,
      about: null,
      key_id: null,
      row_key: null,
      sealed_payload: null,
      priority: 0,
      state: 'pending',
      attempts: 0,
      last_error: null,
      next_attempt_at: at,
      leased_until: 0,
      created_at: at,
      done_at: null,
    };
    await inTransaction(harness.deps.storage, (tx) => tx.insertInto('outbox').values(row).execute());
    expect(await find(running)).toEqual(['jobs.mails_late']);
    await inTransaction(harness.deps.storage, (tx) => tx.deleteFrom('outbox').execute());
  });

  it('finds a certificate that does not fit its key, has run out, or is for another host', async () => {
    const { folder, environment } = copyInstallation();
    const [mine, other] = [createTestCertificate(), createTestCertificate()];
    const files = {
      KEYREEVE_TLS_CERT: path.join(folder, 'cert.pem'),
      KEYREEVE_TLS_KEY: path.join(folder, 'key.pem'),
    };
    writeFileSync(files.KEYREEVE_TLS_CERT, mine.cert);
    writeFileSync(files.KEYREEVE_TLS_KEY, other.key);
    expect(await find({ ...environment, ...files })).toEqual(['tls.unusable']);
    writeFileSync(files.KEYREEVE_TLS_KEY, mine.key);
    expect(await find({ ...environment, ...files })).toEqual([]);
    expect(await find({ ...environment, ...files }, () => systemClock.now() + 40 * YEAR_MS)).toEqual([
      'tls.expired',
    ]);
    const beforeEnd = Date.parse('2048-12-25T00:00:00Z');
    expect(await find({ ...environment, ...files }, () => beforeEnd)).toEqual(['tls.expires_soon']);
    expect(await find({ ...environment, ...files, KEYREEVE_PUBLIC_URL: 'https://keys.example.com' })).toEqual(
      ['tls.wrong_host'],
    );
  });

  describe('with a mail server', () => {
    const login = { user: 'keyreeve', password: 'right' };
    let sink: SmtpSink;
    const withMail = (url: string) => ({ KEYREEVE_SMTP_URL: url, KEYREEVE_SMTP_ALLOW_PLAIN: '1' });
    const addressOf = (password: string) => `smtp://keyreeve:${password}@127.0.0.1:${sink.port}`;
    beforeAll(async () => {
      sink = await startSmtpSink({ login });
    });
    afterAll(() => sink.close());

    it('finds one that is away', async () => {
      const { environment } = copyInstallation();
      const url = `smtp://127.0.0.1:${await freePort()}`;
      expect(await find({ ...environment, ...withMail(url) })).toEqual(['mail.unreachable']);
    });

    it('finds a login that is refused; with the right one nothing, and no mail is sent', async () => {
      const { environment } = copyInstallation();
      expect(await find({ ...environment, ...withMail(addressOf('wrong')) })).toEqual(['mail.login_refused']);
      expect(await find({ ...environment, ...withMail(addressOf('right')) })).toEqual([]);
      expect([sink.mails, sink.recipients]).toEqual([[], []]);
    });

    it('finds a server without TLS, or with a certificate that nobody trusts', async () => {
      const { environment } = copyInstallation();
      expect(await find({ ...environment, KEYREEVE_SMTP_URL: addressOf('right') })).toEqual(['mail.tls']);
      const certificate = createTestCertificate();
      const secure = await startSmtpSink({ tls: { kind: 'tls', certificate } });
      cleanups.push(() => secure.close());
      expect(await find({ ...environment, KEYREEVE_SMTP_URL: secure.url })).toEqual(['mail.tls']);
    });
  });
});

describeOn('sqlite', 'what a disk says of itself', () => {
  const GOOD = { type: 0xef53, bsize: 4_096, bavail: 10_000_000, files: 1_000_000, ffree: 900_000 };
  const codes = (change: Partial<typeof GOOD>, holdsSqlite = true) =>
    judgeFileSystem('/data', { ...GOOD, ...change }, holdsSqlite).map(({ code }) => code);

  it.each([
    ['nothing when it is well', {}, []],
    ['that it is nearly full', { bavail: 10 }, ['disk.full']],
    ['that it is getting full', { bavail: 200_000 }, ['disk.low']],
    ['that it has no room for more files', { ffree: 3 }, ['disk.inodes']],
    ['that it has no fixed number of files', { files: 0, ffree: 0 }, []],
    ['that it is on the network', { type: 0x6969 }, ['sqlite.network_file_system']],
  ])('tells %s', (_name, change, expected) => {
    expect(codes(change)).toEqual(expected);
  });

  it('may be on the network where no SQLite file is', () => {
    expect(codes({ type: 0x6969 }, false)).toEqual([]);
  });
});

describeOn('postgres', 'keyreeve doctor', () => {
  let harness: Harness;
  let environment: Record<string, string>;
  beforeAll(async () => {
    harness = await startHarness({ clock: createTestClock(systemClock.now()) });
    await seedCompany(harness);
    environment = {
      KEYREEVE_DATA_DIR: harness.database.dataDir,
      KEYREEVE_DATABASE_URL: harness.database.url ?? '',
      KEYREEVE_MASTER_KEY: harness.masterKey,
      KEYREEVE_PORT: String(await freePort()),
    };
  });
  afterAll(() => harness.close());

  it('finds that PostgreSQL does not wait for the disk, as here in tests, and nothing else', async () => {
    expect(await find(environment)).toEqual(['postgres.fsync']);
  });

  it('names an index of a large table that is missing or was left broken, and how it is made', async () => {
    const { write } = harness.deps.storage;
    await sql`drop index api_keys_by_owner_and_id`.execute(write);
    await sql`update pg_index set indisvalid = false
      where indexrelid = 'api_keys_by_account_and_stop'::regclass`.execute(write);
    const results = await examine(environment);
    const findings = results
      .flatMap((result) => result.findings)
      .filter(({ severity }) => severity === 'warning');
    expect(findings.map(({ code, message }) => [code, message.split(' ')[2]])).toEqual([
      ['database.index_missing', 'api_keys_by_account_and_stop'],
      ['database.index_missing', 'api_keys_by_owner_and_id'],
    ]);
    expect(findings[0]?.remedy).toContain('Restart one node');
    await migrateStorage(harness.deps.storage);
    expect(await find(environment)).toEqual(['postgres.fsync']);
  });

  it('finds a clock that differs from that of PostgreSQL, and another master key', async () => {
    expect(await find(environment, () => systemClock.now() + HOUR_MS)).toContain('clock.database');
    const KEYREEVE_MASTER_KEY = randomBytes(32).toString('base64');
    expect(await find({ ...environment, KEYREEVE_MASTER_KEY })).toContain('master_key.wrong');
  });

  it('finds a PostgreSQL that is away', async () => {
    const url = new URL(environment['KEYREEVE_DATABASE_URL'] ?? '');
    url.port = String(await freePort());
    expect(await find({ ...environment, KEYREEVE_DATABASE_URL: url.href })).toContain('database.unreachable');
  });
});
