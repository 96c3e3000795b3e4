import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authErrors } from './auth-errors.ts';
import type { RouteAuth } from './auth-hook.ts';
import type { Workspace } from './caller.ts';
import { createHttpApp } from './http-app.ts';
import type { AccountIdentity, AuthenticatedPrincipal } from './principal.ts';
import { SAMPLE_ACCOUNT, SAMPLE_WORKSPACE } from './samples.ts';
import { whileAdmitted } from './while-admitted.ts';

const SECOND: Workspace = {
  id: 'wsp_2',
  name: 'Second',
  subdomain: 'second',
  isDefault: false,
  url: 'https://second.keys.test',
};
const KEY_HEADERS = { 'x-api-key': 'the-key' };

function account(role: 'admin' | 'member'): AccountIdentity {
  return {
    ...SAMPLE_ACCOUNT,
    id: 'acc_1',
    role,
  };
}

/** Who stands behind the credentials of these tests. */
function principalOf(credential: { kind: string; text: string }): AuthenticatedPrincipal {
  if (credential.kind === 'cookie') {
    return {
      kind: 'session',
      account: account(credential.text === 'admin' ? 'admin' : 'member'),
      sessionId: 'ses_1',
      managedIds: [],
    };
  }
  if (isRevoked) throw authErrors.invalid_credential();
  if (credential.text !== 'the-key' && credential.text !== 'the-token') throw authErrors.invalid_credential();
  const key = {
    id: 'kr_1',
    ownerId: 'acc_1',
    comment: '',
    access: 'scoped' as const,
    scopes: [],
    limits: null,
    generation: 1,
    expiresAt: null,
  };
  if (credential.text === 'the-key') return { kind: 'key', account: account('admin'), key };
  return { kind: 'token', account: account('admin'), key, token: { jti: 'j', issuedAt: 0, expiresAt: 1 } };
}

let app: FastifyInstance;
let refusals: string[];
let uses: string[];
let isRevoked: boolean;
async function startApp(trustProxy: readonly string[] = []): Promise<FastifyInstance> {
  return await createHttpApp({
    logger: pino({ level: 'silent' }),
    trustProxy,
    rewriteUrl: (url) => url,
    tls: null,
    findWorkspace: (host) =>
      Promise.resolve(
        host.startsWith('unknown') ? null : host.startsWith('second') ? SECOND : SAMPLE_WORKSPACE,
      ),
    defaultWorkspace: () => SAMPLE_WORKSPACE,
    authenticate: async (credential) =>
      Promise.resolve(
        principalOf({
          kind: credential.kind,
          text: credential.kind === 'pair' ? '' : credential.value.reveal(),
        }),
      ),
    isPermitted: (_principal, action, resource) => action === 'orders:read' && resource !== 'forbidden',
    onUse: (caller, { isLetIn }) => {
      uses.push(`${caller.principal.kind} ${isLetIn ? 'let in' : 'refused'}`);
      return null;
    },
    onRefusal: (caller, error, url) => refusals.push(`${caller.principal.kind} ${error.code} ${url}`),
  });
}

beforeEach(async () => {
  refusals = [];
  uses = [];
  isRevoked = false;
  app = await startApp();
});
afterEach(() => app.close());

function route(auth: RouteAuth, method: 'GET' | 'POST' | 'DELETE' = 'GET'): void {
  app.route({
    method,
    url: '/here',
    config: { auth },
    handler: (request) =>
      Promise.resolve({ who: request.caller.principal.kind, refusal: request.refusal?.code ?? null }),
  });
}

async function call(headers: Record<string, string>, method: 'GET' | 'POST' | 'HEAD' | 'DELETE' = 'GET') {
  const answer = await app.inject({ method, url: '/here', headers });
  return answer.statusCode === 200
    ? `200 ${answer.payload === '' ? '' : answer.json<{ who: string }>().who}`.trim()
    : `${answer.statusCode} ${answer.payload === '' ? '' : answer.json<{ code: string }>().code}`.trim();
}

describe('a route', () => {
  it('without an auth setting stops the start, also inside a plugin', async () => {
    expect(() => app.get('/open', () => Promise.resolve('open'))).toThrow(
      'The route GET /open has no `auth` setting',
    );
    expect(() => app.post('/open', { config: {} }, () => Promise.resolve('open'))).toThrow(
      'has no `auth` setting',
    );
    app.register(async (child) => {
      await Promise.resolve();
      child.get('/inner', () => Promise.resolve('open'));
    });
    await expect(app.ready()).rejects.toThrow('The route GET /inner has no `auth` setting');
  });

  it('asks for a credential unless it admits anybody', async () => {
    route({ kinds: ['session', 'key', 'token'], action: null });
    expect(await call({})).toBe('401 auth.required');
    expect(await call(KEY_HEADERS)).toBe('200 key');
    expect(await call({ authorization: 'Bearer the-token' })).toBe('200 token');
    expect(await call({ cookie: '__Host-keyreeve_session=x' })).toBe('200 session');
  });

  it('tells every 401 how to sign in', async () => {
    route({ kinds: ['key'], action: null });
    const answer = await app.inject({ url: '/here' });
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="keyreeve", Basic realm="keyreeve", charset="UTF-8"',
    );
  });

  it('refuses a bad credential even where nobody needs one', async () => {
    route({ kinds: ['anonymous', 'key'], action: null });
    expect(await call({})).toBe('200 anonymous');
    expect(await call({ 'x-api-key': 'wrong' })).toBe('401 auth.invalid_credential');
  });

  it('looks at no credential when it is for anybody only', async () => {
    route({ kinds: ['anonymous'], action: null });
    expect(await call({ 'x-api-key': 'wrong', authorization: 'Digest' })).toBe('200 anonymous');
  });

  it('refuses a kind that it does not name, and says which it accepts', async () => {
    route({ kinds: ['session'], action: null });
    const answer = await app.inject({ url: '/here', headers: KEY_HEADERS });
    expect(answer.json()).toMatchObject({
      status: 403,
      code: 'auth.kind_not_accepted',
      accepted: ['session'],
    });
  });

  it('asks keys and tokens for its action, and names it', async () => {
    route({ kinds: ['session', 'key', 'token'], action: 'iam:audit:read' });
    const answer = await app.inject({ url: '/here', headers: KEY_HEADERS });
    expect(answer.json()).toMatchObject({
      status: 403,
      code: 'auth.insufficient_scope',
      action: 'iam:audit:read',
    });
    expect(await call({ authorization: 'Bearer the-token' })).toBe('403 auth.insufficient_scope');
    expect(await call({ cookie: '__Host-keyreeve_session=x' })).toBe('200 session');
  });

  it('asks for its action on its resource when it names one', async () => {
    route({ kinds: ['key'], action: 'orders:read', resource: 'forbidden' });
    expect(await call(KEY_HEADERS)).toBe('403 auth.insufficient_scope');
  });

  it('for administrators refuses sessions of members', async () => {
    route({ kinds: ['session'], action: null, isAdminOnly: true });
    expect(await call({ cookie: '__Host-keyreeve_session=member' })).toBe('403 auth.forbidden');
    expect(await call({ cookie: '__Host-keyreeve_session=admin' })).toBe('200 session');
  });

  it('for the whole installation admits administrators of the default workspace only', async () => {
    route({ kinds: ['session', 'key'], action: 'orders:read', isSystemOnly: true });
    expect(await call({ cookie: '__Host-keyreeve_session=admin' })).toBe('200 session');
    expect(await call({ cookie: '__Host-keyreeve_session=member' })).toBe('403 auth.forbidden');
    expect(await call({ cookie: '__Host-keyreeve_session=admin', host: 'second.keys.test' })).toBe(
      '403 auth.forbidden',
    );
    expect(await call({ ...KEY_HEADERS, host: 'second.keys.test' })).toBe('403 auth.forbidden');
    expect(await call(KEY_HEADERS)).toBe('200 key');
  });

  it('that answers bad credentials itself gets the reason and an anonymous caller', async () => {
    route({ kinds: ['key'], action: null, isDeferred: true });
    const answer = await app.inject({ url: '/here', headers: { 'x-api-key': 'wrong' } });
    expect(answer.json()).toEqual({ who: 'anonymous', refusal: 'auth.invalid_credential' });
  });

  it('protects HEAD as it protects GET', async () => {
    route({ kinds: ['key'], action: 'iam:audit:read' });
    expect(await call({}, 'HEAD')).toBe('401');
    expect(await call(KEY_HEADERS, 'HEAD')).toBe('403');
  });

  it('reports each refusal once, with what is known of the caller', async () => {
    route({ kinds: ['key'], action: 'iam:audit:read' });
    await call({});
    await call({ 'x-api-key': 'wrong' });
    await call(KEY_HEADERS);
    expect(refusals).toEqual([
      'anonymous auth.required /here',
      'anonymous auth.invalid_credential /here',
      'key auth.insufficient_scope /here',
    ]);
  });

  it('reports each use of a good credential once, by whether the route is for it', async () => {
    route({ kinds: ['key'], action: 'orders:read' });
    await call(KEY_HEADERS);
    await call({ 'x-api-key': 'the-token' });
    await call({ 'x-api-key': 'wrong' });
    await call({});
    expect(uses).toEqual(['key let in', 'token refused']);
  });

  it('that counts uses itself has only those reported that do not get to it', async () => {
    route({ kinds: ['key'], action: 'orders:read', countsUse: true });
    await call(KEY_HEADERS);
    await call({ 'x-api-key': 'the-token' });
    expect(uses).toEqual(['token refused']);
  });
});

describe('an answer that takes its time', () => {
  it('breaks off as soon as the caller would no longer be let in', async () => {
    const handedOn: string[] = [];
    async function* pieces() {
      yield* ['one', 'two'];
      await Promise.resolve();
      isRevoked = true;
      yield 'three';
    }
    async function* noted(request: FastifyRequest) {
      for await (const piece of whileAdmitted(request, pieces())) {
        handedOn.push(piece);
        yield piece;
      }
    }
    app.get('/slow', { config: { auth: { kinds: ['key'], action: null } } }, (request, reply) =>
      reply.send(Readable.from(noted(request), { objectMode: false })),
    );
    const answer = await app.inject({ url: '/slow', headers: KEY_HEADERS, payloadAsStream: true });
    await expect(answer.stream().toArray()).rejects.toThrow();
    expect(handedOn).toEqual(['one', 'two']);
    expect(uses).toEqual(['key let in']);
    expect(refusals).toEqual(['key auth.invalid_credential /slow']);
  });
});

describe('a session cookie', () => {
  const cookie = { cookie: '__Host-keyreeve_session=x', host: 'keys.test' };

  it.each<[string, Record<string, string>]>([
    ['the console itself', { 'sec-fetch-site': 'same-origin', origin: 'https://keys.test' }],
    ['an address that a person typed', { 'sec-fetch-site': 'none' }],
    ['a program without these headers', {}],
    ['an older browser', { origin: 'https://keys.test' }],
  ])('may change something when the request comes from %s', async (_name, headers) => {
    route({ kinds: ['session'], action: null }, 'POST');
    expect(await call({ ...cookie, ...headers }, 'POST')).toBe('200 session');
  });

  it.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbouring subdomain', { 'sec-fetch-site': 'same-site' }],
    ['a browser with a value we do not know', { 'sec-fetch-site': 'future' }],
    ['an older browser on another site', { origin: 'https://evil.test' }],
    ['another port', { origin: 'https://keys.test:8443' }],
    ['a subdomain', { origin: 'https://second.keys.test' }],
    ['a sandboxed frame', { origin: 'null' }],
    [
      'a site that pretends in one of the two headers',
      { 'sec-fetch-site': 'same-origin', origin: 'https://evil.test' },
    ],
  ])('may change nothing when the request comes from %s', async (_name, headers) => {
    route({ kinds: ['session'], action: null }, 'DELETE');
    expect(await call({ ...cookie, ...headers }, 'DELETE')).toBe('403 auth.cross_site');
    expect(refusals).toEqual(['anonymous auth.cross_site /here']);
  });

  it('counts over https only under the name that no sibling host can plant', async () => {
    route({ kinds: ['session'], action: null });
    expect(await call({ cookie: 'keyreeve_session=x' })).toBe('401 auth.required');
    expect(await call({ cookie: 'keyreeve_session=x; __Host-keyreeve_session=y' })).toBe('200 session');
  });

  it('does nothing for a page that was drawn for another account, not even say what is forbidden', async () => {
    route({ kinds: ['key'], action: null });
    const expecting = (id: string) => ({ ...cookie, 'keyreeve-expected-account': id });
    expect(await call(expecting('acc_2'))).toBe('409 auth.other_account');
    expect(await call(expecting(''))).toBe('409 auth.other_account');
    expect(await call(expecting('acc_1'))).toBe('403 auth.kind_not_accepted');
    expect(refusals).toEqual([
      'session auth.other_account /here',
      'session auth.other_account /here',
      'session auth.kind_not_accepted /here',
    ]);
  });

  it('alone can be told which account is expected: keys name their own', async () => {
    route({ kinds: ['key', 'anonymous'], action: null });
    expect(await call({ ...KEY_HEADERS, 'keyreeve-expected-account': 'acc_2' })).toBe('200 key');
    expect(await call({ 'keyreeve-expected-account': 'acc_2' })).toBe('200 anonymous');
  });

  it('may read from anywhere: the browser keeps the answer from the other site', async () => {
    route({ kinds: ['session'], action: null });
    expect(await call({ ...cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' })).toBe(
      '200 session',
    );
  });

  it('is no matter for keys, which no browser attaches on its own', async () => {
    route({ kinds: ['key'], action: null }, 'POST');
    expect(
      await call({ ...KEY_HEADERS, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }, 'POST'),
    ).toBe('200 key');
  });
});

describe('a fault of the server', () => {
  function fail(error: Error): void {
    app.get('/here', { config: { auth: { kinds: ['anonymous'], action: null } } }, () => {
      throw error;
    });
  }

  it('is a 500 without a word about the inside', async () => {
    fail(new Error('password=hush at /srv/keyreeve/secret.ts'));
    const answer = await app.inject({ url: '/here' });
    expect(answer.json()).toMatchObject({
      status: 500,
      code: 'request.internal',
      instance: answer.headers['x-request-id'],
    });
    expect(answer.payload).not.toMatch(/hush|srv|secret\.ts/);
  });

  it.each([{ code: 'ECONNREFUSED' }, { code: '57P01' }, { errcode: 5 }])(
    'is a 503 with a time to come back when the database is away (%j)',
    async (facts) => {
      fail(Object.assign(new Error('away'), facts));
      const answer = await app.inject({ url: '/here' });
      expect(answer.json()).toMatchObject({ status: 503, code: 'request.unavailable' });
      expect(answer.headers['retry-after']).toBe('5');
    },
  );

  it('does not become the caller’s fault because a library set a status on its error', async () => {
    fail(Object.assign(new Error('hush'), { statusCode: 404, code: 'LIB' }));
    const answer = await app.inject({ url: '/here' });
    expect([answer.statusCode, answer.payload.includes('hush')]).toEqual([500, false]);
  });
});

describe('a proxy in front', () => {
  const FORWARDED = {
    host: '10.0.0.5:8080',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '192.0.2.9',
    'x-forwarded-host': 'second.keys.test',
  };

  async function seenThrough(trustProxy: readonly string[]): Promise<object> {
    await app.close();
    app = await startApp(trustProxy);
    app.get('/here', { config: { auth: { kinds: ['anonymous'], action: null } } }, (request) =>
      Promise.resolve({ ip: request.caller.ip, workspace: request.caller.workspace.name }),
    );
    const answer = await app.inject({ url: '/here', headers: FORWARDED });
    return { ...answer.json<object>(), staysHttps: 'strict-transport-security' in answer.headers };
  }

  it('is believed about address, host and scheme when it is trusted', async () => {
    expect(await seenThrough(['127.0.0.1'])).toEqual({
      ip: '192.0.2.9',
      workspace: 'Second',
      staysHttps: true,
    });
  });

  it('is not believed in anything when it is not', async () => {
    const seen = { ip: '127.0.0.1', workspace: 'Default', staysHttps: false };
    expect(await seenThrough([])).toEqual(seen);
    expect(await seenThrough(['192.0.2.0/24'])).toEqual(seen);
  });

  it('that passes its own host name on lets the console change things', async () => {
    await app.close();
    app = await startApp(['127.0.0.1']);
    route({ kinds: ['session'], action: null }, 'POST');
    const headers = { ...FORWARDED, cookie: '__Host-keyreeve_session=x' };
    expect(await call({ ...headers, origin: 'https://second.keys.test' }, 'POST')).toBe('200 session');
    expect(await call({ ...headers, origin: 'http://10.0.0.5:8080' }, 'POST')).toBe('403 auth.cross_site');
  });
});
