import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, createKeyVerifier, type KeyreeveClient, type KeyVerifier } from '@keyreeve/sdk';
import { buildApp, createDeps, systemRandom } from '@keyreeve/server';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  type App,
  type Company,
  call,
  createTestDatabase,
  describeOn,
  type Harness,
  seedCompany,
  startHarness,
  type TestDatabase,
} from './index.ts';
import { openStallingProxy, type StallingProxy } from './stalling-proxy.ts';

const BOUND_MS = 2_000;
/** Of a request, on a busy machine. */
const REQUEST_MS = 300;

/** Two servers on one database: keys are revoked at the first, and the SDK asks the second. */
let first: Harness;
let second: { readonly app: App; readonly close: () => Promise<void> };
let company: Company;
let credential: { readonly fullKey: string };
let proxies: StallingProxy[];
let verifiers: KeyVerifier[];
let secondUrl: string;

async function startSecond(): Promise<typeof second> {
  const { config, logger } = first.deps;
  const deps = await createDeps({ config, logger, clock: first.clock, random: systemRandom });
  const app = await buildApp(deps);
  return {
    app,
    close: async () => {
      await app.close();
      await deps.close();
    },
  };
}

beforeAll(async () => {
  [proxies, verifiers] = [[], []];
  first = await startHarness();
  company = await seedCompany(first);
  second = await startSecond();
  secondUrl = await second.app.listen({ port: 0, host: '127.0.0.1' });
  const minted = await first.deps.keys.create(company.adminCaller, company.admin.id, {
    comment: 'gateway',
    access: 'scoped',
    scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
  });
  credential = { fullKey: minted.fullKey.reveal() };
});
afterAll(async () => {
  await Promise.all(verifiers.map((verifier) => verifier.close()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await second.close();
  await first.close();
});

async function mint(): Promise<{ readonly id: string; readonly fullKey: string }> {
  const minted = await first.deps.keys.create(company.adminCaller, company.admin.id, {
    comment: 'CI',
    access: 'account',
  });
  return { id: minted.key.id, fullKey: minted.fullKey.reveal() };
}

/** A verifier whose stream is open, behind a proxy of its own. */
async function openVerifier(): Promise<{ readonly proxy: StallingProxy; readonly verifier: KeyVerifier }> {
  const proxy = await openStallingProxy(secondUrl);
  const asked = { count: 0 };
  const verifier = createKeyVerifier({
    baseUrl: proxy.url,
    credential,
    cache: {},
    fetch: async (input, init) => {
      asked.count += 1;
      return await fetch(input, init);
    },
  });
  proxies.push(proxy);
  verifiers.push(verifier);
  await vi.waitFor(
    async () => {
      const before = asked.count;
      await verifier.verify({ key: credential.fullKey });
      expect(asked.count).toBe(before);
    },
    { timeout: 5_000 },
  );
  return { proxy, verifier };
}

/** When the last question was asked that was answered with `valid`, in milliseconds after the revocation. */
async function findLastValid(verifier: KeyVerifier, key: string, revokedAt: number): Promise<number> {
  let last = Number.NEGATIVE_INFINITY;
  while (performance.now() - revokedAt < BOUND_MS + REQUEST_MS + 200) {
    const startedAt = performance.now();
    const { valid } = await verifier.verify({ key });
    if (valid) last = startedAt - revokedAt;
    await delay(10);
  }
  return last;
}

it('a revocation is honoured within the published bound, whatever becomes of the stream', async () => {
  const key = await mint();
  const names = ['heard', 'frozen', 'late', 'cut'] as const;
  const opened = await Promise.all(names.map(() => openVerifier()));
  await Promise.all(opened.map(({ verifier }) => verifier.verify({ key: key.fullKey })));
  const [, frozen, late, cut] = opened.map(({ proxy }) => proxy);
  frozen?.setMode({ kind: 'freeze' });
  late?.setMode({ kind: 'delay', ms: 1_500 });
  const answer = await call(first, 'POST', `/v1/keys/${key.id}/disable`, { key: company.adminKey, body: {} });
  const revokedAt = performance.now();
  expect(answer.statusCode).toBe(200);
  cut?.cutStreams();
  const lasts = await Promise.all(
    opened.map(({ verifier }) => findLastValid(verifier, key.fullKey, revokedAt)),
  );
  const measured = Object.fromEntries(names.map((name, index) => [name, Math.round(lasts[index] ?? 0)]));
  expect(measured['heard']).toBeLessThan(1_000);
  expect(measured['cut']).toBeLessThan(1_000);
  expect(measured['late']).toBeLessThan(BOUND_MS + REQUEST_MS);
  expect(measured['frozen']).toBeLessThan(BOUND_MS + REQUEST_MS);
  // It was the lease that ended it: until then the answer was used again.
  expect(measured['frozen']).toBeGreaterThan(500);
}, 30_000);

it('a verifier whose server is gone refuses instead of using what it knows, and finds the next server', async () => {
  const key = await mint();
  const { verifier } = await openVerifier();
  expect(await verifier.verify({ key: key.fullKey })).toMatchObject({ valid: true });
  await second.close();
  await vi.waitFor(() =>
    expect(verifier.verify({ key: key.fullKey })).rejects.toMatchObject({ code: 'client.unreachable' }),
  );
  second = await startSecond();
  await second.app.listen({ port: Number(new URL(secondUrl).port), host: '127.0.0.1' });
  expect(await verifier.verify({ key: key.fullKey })).toMatchObject({ valid: true });
}, 30_000);

it('a verifier whose own key is revoked may not ask any more, and uses nothing that it knows', async () => {
  const own = await first.deps.keys.create(company.adminCaller, company.admin.id, {
    comment: 'gateway',
    access: 'scoped',
    scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
  });
  const key = await mint();
  const verifier = createKeyVerifier({
    baseUrl: secondUrl,
    credential: { fullKey: own.fullKey.reveal() },
    cache: {},
  });
  verifiers.push(verifier);
  expect(await verifier.verify({ key: key.fullKey })).toMatchObject({ valid: true });
  await first.deps.keys.disable(company.adminCaller, own.key.id, null);
  await vi.waitFor(
    () => expect(verifier.verify({ key: key.fullKey })).rejects.toMatchObject({ code: 'auth.key_disabled' }),
    { timeout: 2_000 },
  );
});

const MAIN = path.resolve(import.meta.dirname, '../../server/src/start.mjs');
const ADMIN = { email: 'ada@example.com', password: 'ampersand violin harbour' };
const TIMES = 5;

interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startProcess({ dataDir, url }: TestDatabase, masterKey: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN], {
    cwd: dataDir,
    env: {
      PATH: process.env['PATH'],
      KEYREEVE_DATABASE_URL: url ?? '',
      KEYREEVE_DATA_DIR: dataDir,
      KEYREEVE_MASTER_KEY: masterKey,
      KEYREEVE_PORT: '0',
      KEYREEVE_ADMIN_EMAIL: ADMIN.email,
      KEYREEVE_ADMIN_PASSWORD: ADMIN.password,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  return await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const [, port] = /Keyreeve listens on \S+:(\d+)\n/.exec(text) ?? [];
      if (port !== undefined) resolve({ child, url: `http://127.0.0.1:${port}` });
    });
    child.on('exit', () => reject(new Error(`The server has ended:\n${text}`)));
  });
}

describeOn('postgres', 'two processes on one PostgreSQL', () => {
  let database: TestDatabase;
  let servers: ServerProcess[] = [];

  beforeAll(async () => {
    database = await createTestDatabase({ isMigrated: true });
    const masterKey = randomBytes(32).toString('base64');
    // One after the other: the first makes the administrator.
    servers = [await startProcess(database, masterKey)];
    servers.push(await startProcess(database, masterKey));
  }, 60_000);
  afterAll(async () => {
    for (const { child } of servers) child.kill('SIGTERM');
    await Promise.all(
      servers.map(async ({ child }) => {
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }),
    );
    await database.drop();
  });

  it('a key that is disabled at one of them is refused by the SDK at the other within a second', async () => {
    const [one, other] = servers.map(({ url }) => url);
    const { data, response } = await createClient({ baseUrl: one ?? '' }).POST('/v1/session', {
      body: ADMIN,
    });
    const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
    const client: KeyreeveClient = createClient({ baseUrl: one ?? '', credential: { cookie } });
    const at = { params: { path: { id: data.account.id } } };
    const scopes = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
    const caller = await client.POST('/v1/accounts/{id}/keys', {
      ...at,
      body: { comment: 'asks', access: 'scoped', scopes },
    });
    let asked = 0;
    const verifier = createKeyVerifier({
      baseUrl: other ?? '',
      credential: { fullKey: caller.data.fullKey },
      cache: {},
      fetch: async (input, init) => {
        asked += 1;
        return await fetch(input, init);
      },
    });
    const times: number[] = [];
    for (let round = 0; round < TIMES; round += 1) {
      const { data: minted } = await client.POST('/v1/accounts/{id}/keys', {
        ...at,
        body: { comment: 'CI', access: 'account' },
      });
      const question = { key: minted.fullKey };
      for (let before = -1; before !== asked; ) {
        before = asked;
        expect(await verifier.verify(question)).toMatchObject({ valid: true });
        await delay(20);
      }
      await client.POST('/v1/keys/{keyId}/disable', { params: { path: { keyId: minted.key.id } }, body: {} });
      const revokedAt = performance.now();
      let last = 0;
      for (let isValid = true; isValid; ) {
        const startedAt = performance.now();
        ({ valid: isValid } = await verifier.verify(question));
        if (isValid) last = startedAt - revokedAt;
        await delay(5);
      }
      times.push(last);
    }
    await verifier.close();
    expect(Math.max(...times)).toBeLessThan(1_000);
  }, 60_000);
});
