import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MintedKey } from '../packages/sdk/src/index.ts';
import { createTokenVerifier } from '../packages/sdk/src/tokens.ts';
// @ts-expect-error tools are plain JavaScript
import { buildSdk } from '../tools/build-sdk.mjs';
import { addServiceAccount, mintKey, type Person, signIn } from './console.ts';
import { openPage } from './docs/doc-page.ts';
import { run } from './run.ts';
import { type FrameworkName, openSdkWorkplace, type SdkApp, type SdkWorkplace } from './sdk-apps.ts';
import { openWorkplace, type ServerProcess, sleep, WITH_ADMIN, type Workplace } from './server-process.ts';

/**
 * The applications of docs/sdk, each in its real framework, with the SDK as others install it, in front of the real
 * server: docs/sdk/express.md, docs/sdk/fastify.md, docs/sdk/hono.md, docs/sdk/next.md, docs/sdk/tokens.md,
 * docs/sdk/verification-cache.md.
 */

type Build = (target: string, options: { isChecked: boolean }) => void;

const NAMES: readonly FrameworkName[] = ['express', 'fastify', 'hono', 'next'];
const DAY_MS = 86_400_000;
/** The published bound of a revocation, and a second for the request on a busy machine. */
const REVOCATION_MS = 3_000;

let workplace: Workplace;
let sdk: SdkWorkplace;
let server: ServerProcess;
let admin: Person;
let accountId: string;
let serviceKey: MintedKey;
/** Reads the reports whose ids begin with `r`. */
let reader: MintedKey;
let readerToken: string;
let shortLived: MintedKey;
const apps = new Map<FrameworkName, SdkApp>();

async function mint(comment: string, more: Partial<Parameters<typeof mintKey>[2]> = {}): Promise<MintedKey> {
  const scopes = [{ actions: ['report:read'], resources: ['r*'] }];
  return await mintKey(admin, accountId, { comment, access: 'scoped', scopes, ...more });
}

async function getToken({ apiKey, secretKey }: MintedKey): Promise<string> {
  const response = await fetch(`${server.url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: apiKey,
      client_secret: secretKey,
    }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

beforeAll(async () => {
  workplace = openWorkplace();
  sdk = openSdkWorkplace((target) => (buildSdk as Build)(target, { isChecked: false }));
  server = await workplace.start({ env: WITH_ADMIN });
  admin = await signIn(server.url);
  const service = await addServiceAccount(admin, 'reports');
  accountId = service.id;
  const grants = [{ actions: ['report:*'], resources: ['*'] }];
  const { response } = await admin.api.GET('/v1/service-accounts/{id}', {
    params: { path: { id: accountId } },
  });
  await admin.api.PATCH('/v1/service-accounts/{id}', {
    params: { path: { id: accountId } },
    headers: { 'if-match': response.headers.get('etag') ?? '' },
    body: { grants },
  });
  const scopes = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
  serviceKey = await mintKey(admin, admin.accountId, { comment: 'asks', access: 'scoped', scopes });
  reader = await mint('reads');
  readerToken = await getToken(reader);
  shortLived = await mint('for a day', { lifetimeDays: 1 });
  const env = { KEYREEVE_URL: server.url, KEYREEVE_KEY: serviceKey.fullKey };
  await Promise.all(NAMES.map(async (name) => apps.set(name, await sdk.start(name, env))));
}, 180_000);
afterAll(async () => {
  await sdk.close();
  await workplace.close();
});

function get(name: FrameworkName, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${apps.get(name)?.url}${path}`, { headers });
}

async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { code?: string };
  return `${response.status} ${body.code ?? ''}`.trim();
}

/** Asks until the answer is as wanted, and tells how long that took. */
async function waitForCode(name: FrameworkName, key: MintedKey, wanted: string): Promise<number> {
  const startedAt = performance.now();
  let seen = '';
  while (performance.now() - startedAt < 2 * REVOCATION_MS) {
    seen = await codeOf(await get(name, '/reports/r1', { 'x-api-key': key.fullKey }));
    if (seen === wanted) return performance.now() - startedAt;
    await sleep(20);
  }
  throw new Error(`${name} still answers ${seen}, not ${wanted}.`);
}

describe.each(NAMES)('the application of docs/sdk/%s.md', (name) => {
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${btoa(`${user}:${password}`)}`,
  });

  it('lets in every spelling of a good credential', async () => {
    const spellings: Record<string, string>[] = [
      { authorization: `Bearer ${reader.fullKey}` },
      { authorization: `bearer ${reader.fullKey}` },
      basic(reader.apiKey, reader.secretKey),
      basic('anybody', reader.fullKey),
      { 'x-api-key': reader.fullKey },
      { 'x-nuget-apikey': reader.fullKey },
      { 'x-api-key': reader.fullKey, ...basic(reader.apiKey, reader.secretKey) },
      { authorization: `Bearer ${readerToken}` },
      { 'x-api-key': readerToken },
    ];
    for (const headers of spellings) {
      const response = await get(name, '/reports/r1', headers);
      expect([headers, response.status, await response.json()]).toEqual([
        headers,
        200,
        { caller: accountId },
      ]);
    }
  });

  it('tells the handler whether a key or a token calls, and whose it is', async () => {
    const expected = { keyId: reader.apiKey, accountId };
    for (const [kind, credential] of [
      ['key', reader.fullKey],
      ['token', readerToken],
    ])
      expect(await (await get(name, '/whoami', { authorization: `Bearer ${credential}` })).json()).toEqual({
        kind,
        ...expected,
      });
  });

  it('refuses all that is no good, with one answer for all', async () => {
    const wrong = reader.fullKey.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const [head, payload, signature] = readerToken.split('.');
    const none = btoa(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).replace(/=+$/, '');
    const bad: Record<string, string>[] = [
      { 'x-api-key': wrong },
      { 'x-api-key': reader.apiKey },
      { authorization: `Bearer ${reader.secretKey}` },
      basic(reader.apiKey, 'wrong'),
      basic(serviceKey.apiKey, reader.secretKey),
      {
        authorization: `Bearer ${head}.${payload}.${signature?.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
      },
      { authorization: `Bearer ${none}.${payload}.` },
      { authorization: 'Digest x' },
    ];
    for (const headers of bad)
      expect([headers, await codeOf(await get(name, '/reports/r1', headers))]).toEqual([
        headers,
        '401 auth.invalid_credential',
      ]);
    const response = await get(name, '/reports/r1', { 'x-api-key': wrong });
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="keyreeve", Basic /);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.text()).not.toContain(wrong.slice(20));
  });

  it('asks for a credential where none came, and for one where two came', async () => {
    expect(await codeOf(await get(name, '/reports/r1'))).toBe('401 auth.required');
    expect(await codeOf(await get(name, '/reports/r1', { cookie: admin.cookie }))).toBe('401 auth.required');
    const two = { 'x-api-key': reader.fullKey, authorization: `Bearer ${serviceKey.fullKey}` };
    expect(await codeOf(await get(name, '/reports/r1', two))).toBe('400 auth.ambiguous_credentials');
    expect(await (await get(name, '/public')).json()).toEqual({ caller: null });
    expect(await (await get(name, '/public', { 'x-api-key': reader.fullKey })).json()).toEqual({
      caller: accountId,
    });
    expect((await get(name, '/public', { 'x-api-key': 'kr_no' })).status).toBe(401);
  });

  it('forbids by action and by resource, for keys and for tokens', async () => {
    const writer = await mint('writes', { scopes: [{ actions: ['report:write'], resources: ['*'] }] });
    const cases: [string, string][] = [
      ['/reports/x1', reader.fullKey],
      ['/reports/x1', readerToken],
      ['/reports/r%20x', reader.fullKey],
      ['/reports/r1', writer.fullKey],
      ['/reports/r1', await getToken(writer)],
    ];
    for (const [path, credential] of cases)
      expect([path, await codeOf(await get(name, path, { authorization: `Bearer ${credential}` }))]).toEqual([
        path,
        '403 auth.insufficient_scope',
      ]);
  });

  it('judges an allow list by the address that its option tells, and by nothing that the client says', async () => {
    const local = await mint('from here', { ipRanges: ['127.0.0.1/32'] });
    const far = await mint('from afar', { ipRanges: ['192.0.2.0/24'] });
    const lies = { 'x-forwarded-for': '192.0.2.1', 'x-real-ip': '192.0.2.1', forwarded: 'for=192.0.2.1' };
    const here = await codeOf(await get(name, '/reports/r1', { 'x-api-key': local.fullKey }));
    expect(here).toBe(name === 'next' ? '401 auth.ip_not_allowed' : '200');
    expect(await codeOf(await get(name, '/reports/r1', { ...lies, 'x-api-key': far.fullKey }))).toBe(
      '401 auth.ip_not_allowed',
    );
  });

  it('honours a narrowing and a revocation within the bound', async () => {
    const key = await mint('is taken away');
    expect(await waitForCode(name, key, '200')).toBeLessThan(REVOCATION_MS);
    const keyPath = { params: { path: { keyId: key.apiKey } } };
    const { response } = await admin.api.GET('/v1/keys/{keyId}', keyPath);
    await admin.api.PATCH('/v1/keys/{keyId}', {
      ...keyPath,
      headers: { 'if-match': response.headers.get('etag') ?? '' },
      body: { scopes: [{ actions: ['report:read'], resources: ['x*'] }] },
    });
    expect(await waitForCode(name, key, '403 auth.insufficient_scope')).toBeLessThan(REVOCATION_MS);
    await admin.api.DELETE('/v1/keys/{keyId}', keyPath);
    expect(await waitForCode(name, key, '401 auth.invalid_credential')).toBeLessThan(REVOCATION_MS);
  });
});

describe('docs/sdk/tokens.md', () => {
  it('shows a verification that works, and what it prints', async () => {
    const page = openPage('docs/sdk/tokens.md');
    const place = sdk.write('docs/sdk/tokens.md');
    const verify = (token: string) =>
      run(process.execPath, ['verify.js'], { cwd: place, env: { KEYREEVE_URL: server.url, TOKEN: token } });
    page.claim('js');
    const shown = page.claim('text').text.replace('acc_…', accountId);
    expect((await verify(readerToken)).stdout).toBe(shown);
    expect((await verify(`${readerToken}x`)).stdout).toMatch(/^refused: (malformed|wrong_signature)\n$/);
    page.expectAllClaimed();
  });
});

describe('a token that is too short to tell its rights', () => {
  it('is asked about at the server, by guards and by programs, until its key is gone', async () => {
    const resources = ['r*', ...Array.from({ length: 60 }, (_, index) => `${index}-${'x'.repeat(100)}`)];
    const key = await mint('has many patterns', { scopes: [{ actions: ['report:read'], resources }] });
    const token = await getToken(key);
    for (const name of NAMES) {
      const headers = { authorization: `Bearer ${token}` };
      expect([name, await codeOf(await get(name, '/reports/r1', headers))]).toEqual([name, '200']);
      expect([name, await codeOf(await get(name, '/reports/x1', headers))]).toEqual([
        name,
        '403 auth.insufficient_scope',
      ]);
    }
    const verifier = createTokenVerifier({
      issuer: server.url,
      credential: { fullKey: serviceKey.fullKey },
    });
    expect(await verifier.verify(token)).toMatchObject({ introspect: true, permissions: null });
    expect((await verifier.introspect(token)).permissions).toEqual([{ actions: ['report:read'], resources }]);
    await admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: key.apiKey } } });
    await expect(verifier.introspect(token)).rejects.toMatchObject({ reason: 'inactive' });
    expect(await codeOf(await get('express', '/reports/r1', { authorization: `Bearer ${token}` }))).toBe(
      '401 auth.invalid_credential',
    );
  });
});

describe('docs/sdk/verification-cache.md', () => {
  it('shows a verification that works, what it prints, and a process that ends', async () => {
    const page = openPage('docs/sdk/verification-cache.md');
    const place = sdk.write('docs/sdk/verification-cache.md');
    const env = { KEYREEVE_URL: server.url, KEYREEVE_KEY: serviceKey.fullKey };
    const verify = (key: string) =>
      run(process.execPath, ['verify.js'], { cwd: place, env: { ...env, PRESENTED: key } });
    page.claim('js');
    const shown = page.claim('text').text;
    expect((await verify(reader.fullKey)).stdout).toBe(shown);
    expect((await verify(serviceKey.fullKey)).stdout).toBe('false insufficient_scope\n');
    page.expectAllClaimed();
  });
});

// At the end: the server goes away, and comes back two days later.
describe('a server that is away', () => {
  it('lets nobody in by a key, and nobody by a lie about why; tokens go on by the keys that were fetched', async () => {
    await server.stop();
    for (const name of NAMES) {
      const response = await get(name, '/reports/r1', { 'x-api-key': reader.fullKey });
      expect([name, response.headers.get('retry-after')]).toEqual([name, '5']);
      expect([name, await codeOf(response)]).toEqual([name, '503 request.unavailable']);
      expect((await get(name, '/reports/r1', { authorization: `Bearer ${readerToken}` })).status).toBe(200);
      expect((await get(name, '/public')).status).toBe(200);
    }
  });

  it('is asked again when it is back, and says that a key has expired', async () => {
    server = await workplace.start({ port: server.port, clockAheadMs: 2 * DAY_MS });
    for (const name of NAMES) {
      expect([
        name,
        await codeOf(await get(name, '/reports/r1', { 'x-api-key': shortLived.fullKey })),
      ]).toEqual([name, '401 auth.key_expired']);
      expect((await get(name, '/reports/r1', { 'x-api-key': reader.fullKey })).status).toBe(200);
    }
  });

  it('that does not accept the service itself is an error of the application, which tells nothing', async () => {
    admin = await signIn(server.url);
    await admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: serviceKey.apiKey } } });
    for (const name of NAMES) {
      const response = await get(name, '/reports/r2', { 'x-api-key': reader.fullKey });
      expect([name, response.status]).toEqual([name, 500]);
      expect(await response.text()).not.toMatch(/kr_[0-9A-Za-z]{16}_/);
    }
  });
});

describe('what the applications print', () => {
  it('holds no credential', () => {
    for (const app of apps.values())
      for (const secret of [reader.secretKey, serviceKey.secretKey, readerToken.slice(-40)])
        expect(app.output()).not.toContain(secret);
  });
});
