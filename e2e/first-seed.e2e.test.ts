import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, ifMatch, type MintedKey } from '../packages/sdk/src/index.ts';
import { curl, runBash, runPython, verifyToken } from './clients.ts';
import { addServiceAccount, mintKey, type Person, signIn } from './console.ts';
import { curlSample, EMPTY_PAIR, type Pair, pythonSample } from './first-seed.ts';
import { show } from './run.ts';
import { ADMIN, openWorkplace, type ServerProcess } from './server-process.ts';

interface Login {
  readonly token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly token_expire: string;
  readonly uid: string;
  readonly type: string;
  readonly login: string;
}

const DAY_SECONDS = 86_400;
const REFUSED = { error: 'Unauthorized', success: false, status: 401 };

const place = openWorkplace();
let server: ServerProcess;
let admin: Person;

/** Runs a documented sample; it prints the answer whatever it is, and ends well even when it is refused. */
async function loginBy(client: 'curl' | 'python', pair: Pair, isShown = true): Promise<unknown> {
  const ended =
    client === 'curl'
      ? await runBash(curlSample(server.url, pair))
      : await runPython(pythonSample(server.url, pair));
  expect(ended.code).toBe(0);
  // The progress that curl prints is no part of the answer.
  if (isShown) show(`The documented ${client} sample:`, { ...ended, output: ended.stdout });
  return JSON.parse(ended.stdout);
}

beforeAll(async () => {
  server = await place.start();
});
afterAll(() => place.close());

describe('a fresh installation', () => {
  it('is set up over HTTP with the code that it printed, once', async () => {
    const code = /Set-up code \(works once\): (\S+)/.exec(server.output())?.[1] ?? '';
    expect(code).not.toBe('');
    const setUp = (body: object) =>
      curl('--json', JSON.stringify({ ...ADMIN, displayName: 'Ada', ...body }), `${server.url}/v1/setup`);

    const guess = await setUp({ code: 'AAAAAAAAAAAAAAAAAAAAAAAA' });
    expect(guess.status).toBe(403);
    expect(JSON.parse(guess.body)).toMatchObject({ code: 'setup.wrong_code' });

    const done = await setUp({ code });
    expect(done.status).toBe(201);
    expect(done.head).toMatch(/^set-cookie: keyreeve_session=[^;]+; Path=\/;.* HttpOnly; SameSite=Strict/im);
    expect(JSON.parse(done.body)).toMatchObject({ account: { email: ADMIN.email, role: 'admin' } });

    const again = await setUp({ code, email: 'eve@example.com' });
    expect(again.status).toBe(410);
    expect(JSON.parse(again.body)).toMatchObject({ code: 'setup.already_done' });
  });

  it('lets its administrator sign in and out', async () => {
    await expect(signIn(server.url, { ...ADMIN, password: 'not the password' })).rejects.toMatchObject({
      status: 401,
    });
    const visitor = await signIn(server.url);
    await visitor.api.DELETE('/v1/session');
    await expect(visitor.api.GET('/v1/session')).rejects.toMatchObject({ status: 401 });
    admin = await signIn(server.url);
    const { data } = await admin.api.GET('/v1/session');
    expect(data.account.email).toBe(ADMIN.email);
  });
});

describe('the documented samples', () => {
  const owners = [
    { kind: 'user', login: () => ADMIN.email, accountId: async () => admin.accountId },
    {
      kind: 'service',
      login: () => 'night-batch',
      accountId: async () => (await addServiceAccount(admin, 'night-batch')).id,
    },
  ];
  it.each(owners)('print a token for the key of a $kind account, and anybody can check it', async (owner) => {
    const accountId = await owner.accountId();
    const minted = await mintKey(admin, accountId, {
      comment: `Login of a ${owner.kind}`,
      access: 'account',
    });
    for (const client of ['curl', 'python'] as const) {
      const login = (await loginBy(client, minted)) as Login;
      expect(login).toMatchObject({
        uid: accountId,
        type: owner.kind,
        login: owner.login(),
        token_type: 'Bearer',
      });

      const { header, claims } = await verifyToken(server.url, login.token);
      expect(header).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
      expect(claims).toMatchObject({
        iss: server.url,
        aud: server.url,
        sub: accountId,
        client_id: minted.apiKey,
      });
      expect(claims.exp - claims.iat).toBe(3600);
      expect(login.token_expire).toBe(new Date(claims.exp * 1000).toISOString());
    }
  });

  it('print which field is empty when they are run as they are', async () => {
    for (const client of ['curl', 'python'] as const) {
      expect(await loginBy(client, EMPTY_PAIR)).toMatchObject({
        error: expect.stringMatching(/apikey is missing or empty.*secretkey is missing or empty/),
        success: false,
        status: 400,
      });
    }
  });

  it('print the same refusal for a wrong secret and for an unknown key', async () => {
    const minted = await mintKey(admin, admin.accountId, { comment: 'Half right', access: 'account' });
    const other = await mintKey(admin, admin.accountId, { comment: 'Other half', access: 'account' });
    const answers = [
      await loginBy('curl', { apiKey: minted.apiKey, secretKey: other.secretKey }),
      await loginBy('python', { apiKey: 'kr_0123456789ABCDEF', secretKey: minted.secretKey }),
    ];
    for (const answer of answers) expect(answer).toEqual({ ...REFUSED, duration: expect.any(Number) });
  });

  it('print a token as short-lived as the settings say', async () => {
    const { response } = await admin.api.GET('/v1/settings');
    const headers = ifMatch(response.headers.get('etag') ?? '');
    const minted = await mintKey(admin, admin.accountId, { comment: 'Short', access: 'account' });
    const { response: edited } = await admin.api.PATCH('/v1/settings', {
      headers,
      body: { tokenLifetimeSeconds: 90 },
    });
    const login = (await loginBy('curl', minted)) as Login;
    const { claims } = await verifyToken(server.url, login.token);
    expect(claims.exp - claims.iat).toBe(90);
    expect(login.expires_in).toBeGreaterThan(80);
    expect(login.expires_in).toBeLessThanOrEqual(90);

    const restore = ifMatch(edited.headers.get('etag') ?? '');
    await admin.api.PATCH('/v1/settings', { headers: restore, body: { tokenLifetimeSeconds: DAY_SECONDS } });
    const longest = (await loginBy('python', minted)) as Login;
    const verified = await verifyToken(server.url, longest.token);
    expect(verified.claims.exp - verified.claims.iat).toBe(DAY_SECONDS);
  });
});

describe('the independent check of a token', () => {
  it('fails for altered claims, a foreign audience and another issuer', async () => {
    const minted = await mintKey(admin, admin.accountId, { comment: 'Forged', access: 'account' });
    const { token } = (await loginBy('curl', minted)) as Login;
    const [head = '', body = '', signature = ''] = token.split('.');
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...(claims as object), sub: 'acc_somebodyElse' })).toString(
      'base64url',
    );
    await expect(verifyToken(server.url, `${head}.${forged}.${signature}`)).rejects.toThrow(
      'InvalidSignatureError',
    );
    await expect(verifyToken(server.url, token, 'https://elsewhere.example.com')).rejects.toThrow(
      'InvalidAudienceError',
    );
    const byAnotherName = server.url.replace('localhost', '127.0.0.1');
    await expect(verifyToken(byAnotherName, token, server.url)).rejects.toThrow('InvalidIssuerError');
  });
});

describe('a key that was in use a moment ago', () => {
  /** What each door says about the key and the token that was got for it. */
  async function knock(minted: MintedKey, token: string) {
    const { apiKey, secretKey, fullKey } = minted;
    const login = (await loginBy('curl', minted, false)) as Partial<Login>;
    const { data: verified } = await admin.api.POST('/v1/keys/verify', { body: { apiKey, secretKey } });
    const byKey = await curl('--header', `X-API-Key: ${fullKey}`, `${server.url}/v1/authorize`);
    const byToken = await curl('--header', `Authorization: Bearer ${token}`, `${server.url}/v1/authorize`);
    const session = await curl(
      '--header',
      `Authorization: Bearer ${token}`,
      `${server.url}/iam/v4/checkSession`,
    );
    return {
      login: login.token === undefined ? 'refused' : 'token',
      verify: verified.code,
      authorizeKey: byKey.status,
      reason: /^x-keyreeve-reason: (\S+)/im.exec(byKey.head)?.[1] ?? null,
      authorizeToken: byToken.status,
      checkSession: session.status,
    };
  }
  const OPEN = {
    login: 'token',
    verify: 'valid',
    authorizeKey: 204,
    reason: null,
    authorizeToken: 204,
    checkSession: 200,
  };
  const SHUT = { login: 'refused', authorizeKey: 401, authorizeToken: 401, checkSession: 401 };
  const ends = [
    { how: 'deleted', verb: 'DELETE', path: '', verify: 'not_found', reason: 'invalid' },
    { how: 'disabled', verb: 'POST', path: '/disable', verify: 'disabled', reason: 'disabled' },
    { how: 'regenerated', verb: 'POST', path: '/regenerate', verify: 'not_found', reason: 'invalid' },
  ];

  it.each(ends)('is refused everywhere at once when it was $how', async ({ verb, path, verify, reason }) => {
    const minted = await mintKey(admin, admin.accountId, { comment: 'Soon gone', access: 'account' });
    const { token } = (await loginBy('python', minted)) as Login;
    expect(await knock(minted, token)).toEqual(OPEN);

    const ended = await fetch(`${server.url}/v1/keys/${minted.apiKey}${path}`, {
      method: verb,
      headers: { cookie: admin.cookie, ...(path === '' ? {} : { 'content-type': 'application/json' }) },
      ...(path === '' ? {} : { body: '{}' }),
    });
    expect(ended.ok).toBe(true);
    expect(await knock(minted, token)).toEqual({ ...SHUT, verify, reason });

    if (path === '/regenerate') {
      const renewed = (await ended.json()) as MintedKey;
      const login = (await loginBy('curl', renewed)) as Login;
      expect(await knock(renewed, login.token)).toEqual(OPEN);
    }
  });

  it('works again when it is enabled, and so do tokens got from then on', async () => {
    const minted = await mintKey(admin, admin.accountId, { comment: 'A pause', access: 'account' });
    const params = { path: { keyId: minted.apiKey } };
    await admin.api.POST('/v1/keys/{keyId}/disable', { params, body: { reason: 'seen in a chat' } });
    await admin.api.POST('/v1/keys/{keyId}/enable', { params });
    const { token } = (await loginBy('curl', minted)) as Login;
    expect(await knock(minted, token)).toEqual(OPEN);
  });

  it('leaves no token behind that was logged out', async () => {
    const minted = await mintKey(admin, admin.accountId, { comment: 'Logout', access: 'account' });
    const { token } = (await loginBy('curl', minted)) as Login;
    const out = await curl('--request', 'DELETE', `${server.url}/iam/logout?token=${token}`);
    expect(out.status).toBe(200);
    expect(await knock(minted, token)).toEqual({ ...OPEN, authorizeToken: 401, checkSession: 401 });
    expect(server.output()).not.toContain(token);
  });

  it('can tell about itself and end itself', async () => {
    const minted = await mintKey(admin, admin.accountId, { comment: 'Leaked', access: 'account' });
    const { token } = (await loginBy('curl', minted)) as Login;
    const holder = createClient({ baseUrl: server.url, credential: minted });
    expect((await holder.GET('/v1/keys/self')).data.key.comment).toBe('Leaked');
    await holder.POST('/v1/keys/self/revoke');
    expect(await knock(minted, token)).toMatchObject({
      login: 'refused',
      authorizeKey: 401,
      authorizeToken: 401,
    });
  });
});
