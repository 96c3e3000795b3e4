import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type MintedKey } from '../packages/sdk/src/index.ts';
import { type SmtpSink, startSmtpSink } from '../packages/testkit/src/smtp-sink.ts';
import { curl, runBash, verifyToken } from './clients.ts';
import { mintKey, type Person, signIn } from './console.ts';
import { curlSample, type Pair } from './first-seed.ts';
import { createNugetClients, type NugetClients } from './nuget.ts';
import { run } from './run.ts';
import { openWorkplace, type ServerProcess, sleep, WITH_ADMIN } from './server-process.ts';

const POLL_MS = 20;
const KILOBYTE = 1024;
const CURL_COULD_NOT_CONNECT = 7;

const place = openWorkplace();
let nuget: NugetClients;
beforeAll(() => {
  nuget = createNugetClients(path.join(place.folder, 'packages'));
});
afterAll(() => place.close());

async function waitUntil(
  what: string,
  timeoutMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`After ${timeoutMs} ms still not: ${what}.`);
    await sleep(POLL_MS);
  }
}

async function login(url: string, pair: Pair): Promise<string | null> {
  const { stdout } = await runBash(curlSample(url, pair));
  return (JSON.parse(stdout) as { token?: string }).token ?? null;
}

/** Publishes by the real curl: the file as it is, at most so many bytes a second. */
async function pushByCurl(server: ServerProcess, key: string, file: string, bytesPerSecond?: number) {
  const rate = bytesPerSecond === undefined ? [] : ['--limit-rate', String(bytesPerSecond)];
  const upload = ['--upload-file', path.join(place.folder, 'packages', file)];
  return await curl(...rate, ...upload, '--header', `X-NuGet-ApiKey: ${key}`, `${server.url}/api/v2/package`);
}

const addressOf = (server: ServerProcess, id: string) => `${server.url}/api/v2/package/${id}/1.0.0`;

describe('after kill -9 and a new start', () => {
  let server: ServerProcess;
  let admin: Person;
  let gone: Person;
  const keys = {} as Record<'live' | 'deleted' | 'disabled' | 'regenerated' | 'renewed', MintedKey>;
  const tokens = {} as Record<'live' | 'loggedOut' | 'ofDisabledKey', string>;
  const published = {
    id: 'Acme.Kept',
    version: '1.0.0',
    files: { 'lib/data.bin': randomBytes(100 * KILOBYTE) },
  };

  beforeAll(async () => {
    server = await place.start({ data: 'killed', env: WITH_ADMIN });
    admin = await signIn(server.url);
    gone = await signIn(server.url);
    const mint = (comment: string) => mintKey(admin, admin.accountId, { comment, access: 'account' });
    for (const name of ['live', 'deleted', 'disabled', 'regenerated'] as const) keys[name] = await mint(name);
    const getToken = async (pair: Pair) => (await login(server.url, pair)) ?? '';
    tokens.live = await getToken(keys.live);
    tokens.loggedOut = await getToken(keys.live);
    tokens.ofDisabledKey = await getToken(keys.disabled);

    const pushed = await pushByCurl(server, keys.live.fullKey, nuget.writePackage(published).file);
    expect(pushed.status).toBe(201);
    const at = (key: MintedKey) => ({ params: { path: { keyId: key.apiKey } } });
    const renewed = await admin.api.POST('/v1/keys/{keyId}/regenerate', {
      ...at(keys.regenerated),
      body: {},
    });
    keys.renewed = renewed.data;
    await gone.api.DELETE('/v1/session');
    // The last three are answered within moments of the end.
    await admin.api.DELETE('/v1/keys/{keyId}', at(keys.deleted));
    await admin.api.POST('/v1/keys/{keyId}/disable', { ...at(keys.disabled), body: {} });
    await curl(
      '--request',
      'DELETE',
      '--header',
      `Authorization: Bearer ${tokens.loggedOut}`,
      `${server.url}/iam/logout`,
    );
    await server.kill();
    server = await place.start({ data: 'killed', port: server.port });
  });

  it('what was revoked stays revoked, and what was not goes on', async () => {
    expect(await login(server.url, keys.deleted)).toBeNull();
    expect(await login(server.url, keys.disabled)).toBeNull();
    expect(await login(server.url, keys.regenerated)).toBeNull();
    expect(await login(server.url, keys.live)).toMatch(/^ey/);
    expect(await login(server.url, keys.renewed)).toMatch(/^ey/);
  });

  it('ended tokens stay ended, and the others are still good and signed by a known key', async () => {
    const check = async (token: string) =>
      (await curl('--header', `Authorization: Bearer ${token}`, `${server.url}/iam/v4/checkSession`)).status;
    expect(await check(tokens.loggedOut)).toBe(401);
    expect(await check(tokens.ofDisabledKey)).toBe(401);
    expect(await check(tokens.live)).toBe(200);
    expect((await verifyToken(server.url, tokens.live)).claims.client_id).toBe(keys.live.apiKey);
  });

  it('people stay signed in, unless they had signed out', async () => {
    expect((await admin.api.GET('/v1/session')).data.account.id).toBe(admin.accountId);
    await expect(gone.api.GET('/v1/session')).rejects.toMatchObject({ status: 401 });
  });

  it('what was published is there, byte for byte', async () => {
    const { bytes } = nuget.writePackage(published);
    const download = await fetch(addressOf(server, published.id));
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('asks for no set-up, and prints no new code', () => {
    expect(server.output()).not.toMatch(/set-up code/i);
  });
});

describe('SIGTERM', () => {
  /** A server with an administrator's key and a package on disk that is still to be pushed. */
  async function prepare(data: string, id: string) {
    const server = await place.start({ data, env: WITH_ADMIN });
    const admin = await signIn(server.url);
    const key = (await mintKey(admin, admin.accountId, { comment: 'Push', access: 'account' })).fullKey;
    const files = { 'lib/data.bin': randomBytes(600 * KILOBYTE) };
    return { server, key, ...nuget.writePackage({ id, version: '1.0.0', files }) };
  }

  async function waitForBytes(server: ServerProcess): Promise<void> {
    const staging = path.join(server.dataDir, 'blobs/staging');
    await waitUntil('the upload has begun', 20_000, () => {
      try {
        return readdirSync(staging).some((name) => statSync(path.join(staging, name)).size > 0);
      } catch {
        return false; // The folder is made by the first upload.
      }
    });
  }

  it('takes no new request but finishes the upload that runs, and ends with 0', async () => {
    const { server, key, file, bytes } = await prepare('drained', 'Acme.Drained');
    let isOver = false;
    const upload = pushByCurl(server, key, file, 150 * KILOBYTE).finally(() => {
      isOver = true;
    });
    await waitForBytes(server);
    expect(isOver).toBe(false);
    server.signal('SIGTERM');
    await waitUntil('new connections are refused', 2_000, async () => {
      const { code } = await run('/usr/bin/curl', ['--silent', '--max-time', '1', `${server.url}/healthz`]);
      return code === CURL_COULD_NOT_CONNECT;
    });
    expect(await upload).toMatchObject({ status: 201 });
    expect(await server.ended()).toBe(0);

    const again = await place.start({ data: 'drained' });
    const download = await fetch(addressOf(again, 'Acme.Drained'));
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
    expect(await again.stop()).toBe(0);
  });

  it('does not wait for ever: an upload that never ends is cut, and nothing of it is seen', async () => {
    const { server, key, bytes } = await prepare('cut', 'Acme.Cut');
    const headers = { 'x-nuget-apikey': key, 'content-length': bytes.length };
    const upload = request(`${server.url}/api/v2/package`, { method: 'PUT', headers });
    const broken = once(upload, 'error');
    upload.write(bytes.subarray(0, bytes.length / 2));
    await waitForBytes(server);
    server.signal('SIGTERM');
    expect(await server.ended()).toBe(0);
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }]);

    const again = await place.start({ data: 'cut' });
    expect((await curl(addressOf(again, 'Acme.Cut'))).status).toBe(404);
    expect(await again.stop()).toBe(0);
  });
});

describe('a mail that could not be sent', () => {
  let sink: SmtpSink;
  beforeAll(async () => {
    sink = await startSmtpSink({ mode: 'busy' });
  });
  afterAll(() => sink.close());

  it('survives kill -9, is sent after the next start, and its link opens the key once', async () => {
    const env = {
      KEYREEVE_SMTP_URL: sink.url,
      KEYREEVE_SMTP_ALLOW_PLAIN: '1',
      KEYREEVE_MAIL_FROM: 'keys@example.com',
    };
    const first = await place.start({ data: 'mail', env: { ...WITH_ADMIN, ...env } });
    const admin = await signIn(first.url);
    const minted = await mintKey(admin, admin.accountId, {
      comment: 'By mail',
      access: 'account',
      sendMail: true,
    });
    await first.waitFor(/a mail was not sent/, 20_000);
    await first.kill();
    expect(sink.mails).toHaveLength(0);
    const database = readFileSync(path.join(first.dataDir, 'keyreeve.db'), 'latin1');
    expect(database).not.toContain(minted.secretKey);

    sink.setMode('accept');
    const second = await place.start({ data: 'mail', port: first.port, env });
    await waitUntil('the mail has come', 40_000, () => sink.mails.length > 0);
    const [mail] = sink.mails;
    expect(mail).toMatchObject({ from: 'keys@example.com', to: [WITH_ADMIN.KEYREEVE_ADMIN_EMAIL] });
    const text = mail?.raw.replaceAll('=\r\n', '').replaceAll('=3D', '=') ?? '';
    expect(text).not.toContain(minted.secretKey);

    const token = new RegExp(`${second.url}/key-link#([0-9A-Za-z]{43})`).exec(text)?.[1] ?? '';
    const reader = createClient({ baseUrl: second.url });
    const opened = await reader.POST('/v1/key-links/open', { body: { token } });
    expect(opened.data).toMatchObject({
      comment: 'By mail',
      secretKey: minted.secretKey,
      fullKey: minted.fullKey,
    });
    expect(await login(second.url, opened.data)).toMatch(/^ey/);
    await expect(reader.POST('/v1/key-links/open', { body: { token } })).rejects.toMatchObject({
      code: 'key.link_unusable',
    });
    expect(await second.stop()).toBe(0);
    expect(sink.mails).toHaveLength(1);
  });
});
