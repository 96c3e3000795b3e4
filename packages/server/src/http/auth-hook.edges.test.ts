import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Secret } from '../lib/secret.ts';
import { authErrors } from './auth-errors.ts';
import type { AuthHookDeps, LimitedUse, RouteAuth } from './auth-hook.ts';
import { type Caller, requireAuthenticated, systemCaller, type Workspace } from './caller.ts';
import { parseBasic, readCredential, refuseRepeatedHeaders } from './credentials.ts';
import { createHttpApp } from './http-app.ts';
import type { AuthenticatedPrincipal } from './principal.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY, SAMPLE_WORKSPACE } from './samples.ts';
import { isLoopbackHost, isSecureRequest, isTrustworthyOrigin } from './secure-request.ts';

const WORKSPACE: Workspace = { ...SAMPLE_WORKSPACE, url: 'http://keys.test' };
const ACCOUNT = {
  ...SAMPLE_ACCOUNT,
  id: 'acc_1',
} as const;
const KEY = {
  kind: 'key',
  account: ACCOUNT,
  key: {
    ...SAMPLE_KEY,
    id: 'kr_1',
    ownerId: 'acc_1',
  },
} as const satisfies AuthenticatedPrincipal;
const SESSION: AuthenticatedPrincipal = {
  kind: 'session',
  account: ACCOUNT,
  sessionId: 'ses_1',
  managedIds: [],
};
const GOOD_KEY = { 'x-api-key': 'good' };
const COOKIE = { cookie: 'keyreeve_session=good' };

let app: FastifyInstance;
let isRevoked: boolean;
let looks: Parameters<AuthHookDeps['authenticate']>[1][];
let refusals: string[];
let uses: Parameters<AuthHookDeps['onUse']>[1][];
let limitedUse: LimitedUse | null;
let doorLooks: number;
let isDoorOpen: boolean;
let isDoorKnown: boolean;
/** What a look still waits for when it has already seen the credential. */
let endOfLook: Promise<unknown>;

async function startApp(): Promise<FastifyInstance> {
  return await createHttpApp({
    logger: pino({ level: 'silent' }),
    trustProxy: [],
    rewriteUrl: (url) => url,
    tls: null,
    findWorkspace: () => Promise.resolve(WORKSPACE),
    defaultWorkspace: () => WORKSPACE,
    authenticate: async (credential, facts) => {
      await Promise.resolve();
      looks.push(facts);
      const value = credential.kind === 'pair' ? '' : credential.value.reveal();
      if (value === 'broken') throw new Error('The database is gone.');
      const isGood = !isRevoked && value === 'good';
      await endOfLook;
      if (!isGood) throw authErrors.invalid_credential();
      return credential.kind === 'cookie' ? SESSION : KEY;
    },
    isPermitted: (_principal, action) => action === 'orders:read',
    onUse: (_caller, use) => {
      uses.push(use);
      return limitedUse === null ? null : Promise.resolve(limitedUse);
    },
    onRefusal: (_caller, error, url) => refusals.push(`${error.code} ${url}`),
    ...(isDoorKnown
      ? {
          isOpen: () => {
            doorLooks += 1;
            return Promise.resolve(isDoorOpen);
          },
        }
      : {}),
  });
}

beforeEach(async () => {
  [isRevoked, isDoorOpen, isDoorKnown] = [false, false, true];
  [looks, refusals, uses, limitedUse, doorLooks] = [[], [], [], null, 0];
  endOfLook = Promise.resolve();
  app = await startApp();
});
afterEach(() => app.close());

function route(auth: RouteAuth, more: { method?: string; handler?: Handler } = {}): void {
  const handler: Handler = (request) => Promise.resolve({ who: request.caller.principal.kind });
  app.route({
    method: more.method ?? 'GET',
    url: '/here',
    config: { auth },
    handler: more.handler ?? handler,
  });
}

type Handler = (request: FastifyRequest) => Promise<object>;

async function call(headers: Record<string, string>, method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' = 'GET') {
  const answer = await app.inject({ method, url: '/here', headers: { host: 'keys.test', ...headers } });
  const body = answer.payload === '' ? {} : answer.json<{ who?: string; code?: string }>();
  return `${answer.statusCode} ${body.who ?? body.code ?? ''}`.trim();
}

/** @returns the port */
async function listen(): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

function postHead(bodyBytes: number): string {
  const headers = [
    'Host: keys.test',
    'X-API-Key: good',
    'Content-Type: application/json',
    'Connection: close',
  ];
  return ['POST /here HTTP/1.1', ...headers, `Content-Length: ${bodyBytes}`, '', ''].join('\r\n');
}

/** Revokes the credential after the first look at it and before the handler. */
function revokeInBetween(): void {
  app.addHook('preValidation', () => {
    isRevoked = true;
    return Promise.resolve();
  });
}

describe('a credential that is revoked while the body of its request comes', () => {
  it('is refused, and the refusal told', async () => {
    revokeInBetween();
    route({ kinds: ['key'], action: null });
    expect(await call(GOOD_KEY)).toBe('401 auth.invalid_credential');
    expect(refusals).toEqual(['auth.invalid_credential /here']);
  });

  it('is refused over the wire, where the body takes its time', async () => {
    route({ kinds: ['key'], action: null }, { method: 'POST' });
    const port = await listen();
    const status = await new Promise((done, fail) => {
      const headers = { ...GOOD_KEY, host: 'keys.test', 'content-type': 'application/json' };
      const slow = httpRequest({ port, host: '127.0.0.1', path: '/here', method: 'POST', headers });
      slow.on('response', (answer) => done(answer.resume().statusCode)).on('error', fail);
      slow.write('{"a":');
      const finish = () => {
        if (looks.length === 0) {
          setImmediate(finish);
          return;
        }
        isRevoked = true;
        slow.end('1}');
      };
      finish();
    });
    expect([status, looks.length]).toEqual([401, 2]);
  });

  it('is refused also when the rest of the body is faster than the first look', async () => {
    let isWhole: () => boolean = () => false;
    app.server.on('request', (raw) => {
      isWhole = () => raw.complete;
    });
    route({ kinds: ['key'], action: null }, { method: 'POST' });
    const look = Promise.withResolvers<null>();
    endOfLook = look.promise;
    const socket = connect(await listen(), '127.0.0.1');
    socket.write(`${postHead(7)}{"a":`);
    await vi.waitFor(() => expect(looks).toHaveLength(1));
    isRevoked = true;
    socket.write('1}');
    await vi.waitFor(() => expect(isWhole()).toBe(true));
    look.resolve(null);
    expect(await readText(socket)).toMatch(/^HTTP\/1\.1 401 /);
    expect(looks).toHaveLength(2);
  });

  it('is looked at once only where there is no body to wait for', async () => {
    route({ kinds: ['key'], action: null });
    const port = await listen();
    const answer = await fetch(`http://127.0.0.1:${port}/here`, { headers: GOOD_KEY });
    expect([answer.status, looks.length]).toEqual([200, 1]);
  });

  it('is looked at once only where the body came with the head', async () => {
    route({ kinds: ['key'], action: null }, { method: 'POST' });
    const socket = connect(await listen(), '127.0.0.1');
    endOfLook = wait(20);
    socket.write(`${postHead(7)}{"a":1}`);
    expect(await readText(socket)).toMatch(/^HTTP\/1\.1 200 /);
    expect(looks).toHaveLength(1);
  });

  it('is no second use, and free of limits where the route counts uses itself', async () => {
    route({ kinds: ['key'], action: null, countsUse: true });
    await call(GOOD_KEY);
    expect([looks.length, uses]).toEqual([2, []]);
    expect(looks.map(({ isCounted }) => isCounted)).toEqual([true, true]);
  });

  it('is not looked at again where the caller was refused or is nobody', async () => {
    route({ kinds: ['key'], action: 'iam:audit:read', isDeferred: true });
    await call(GOOD_KEY);
    expect(refusals).toEqual(['auth.insufficient_scope /here']);
    expect(looks).toHaveLength(1);
  });

  it('makes a route that answers refusals itself break off when it asks', async () => {
    const handler: Handler = async (request) => {
      isRevoked = true;
      await request.readmit();
      return { who: 'still served' };
    };
    route({ kinds: ['key'], action: null, isDeferred: true }, { handler });
    expect(await call(GOOD_KEY)).toBe('401 auth.invalid_credential');
  });
});

describe('what the hook asks', () => {
  it('is told the workspace, the address, the program and the action of the route', async () => {
    route({ kinds: ['key'], action: 'orders:read' });
    await call({ ...GOOD_KEY, 'user-agent': 'nuget/6' });
    expect(looks[0]).toEqual({
      workspace: WORKSPACE,
      ip: '127.0.0.1',
      userAgent: 'nuget/6',
      isCounted: true,
      action: 'orders:read',
    });
    expect(looks[1]?.isCounted).toBe(false);
  });

  it('is nothing at an address where nothing is', async () => {
    expect(await call(GOOD_KEY)).toBe('404 request.not_found');
    expect([looks, refusals]).toEqual([[], []]);
  });

  it('may fail, which is no refusal', async () => {
    route({ kinds: ['key'], action: null, isDeferred: true });
    expect(await call({ 'x-api-key': 'broken' })).toBe('500 request.internal');
    expect(refusals).toEqual([]);
  });

  it('is nothing about the rights of nobody', async () => {
    route({ kinds: ['anonymous', 'key'], action: 'iam:audit:read' });
    expect(await call({})).toBe('200 anonymous');
    expect(await call(GOOD_KEY)).toBe('403 auth.insufficient_scope');
  });
});

describe('a key over its limits', () => {
  const over = authErrors.forbidden();

  it('is refused and told its limits', async () => {
    limitedUse = { refusal: over, headers: { 'ratelimit-limit': '5' } };
    route({ kinds: ['key'], action: null });
    const answer = await app.inject({ url: '/here', headers: GOOD_KEY });
    expect([answer.statusCode, answer.headers['ratelimit-limit']]).toEqual([403, '5']);
    expect(uses).toEqual([{ isLetIn: true, action: null, isFree: false }]);
  });

  it('is told its limits also while it is within them, and keys without limits nothing', async () => {
    limitedUse = { refusal: null, headers: { 'ratelimit-limit': '5' } };
    route({ kinds: ['key'], action: null });
    const answer = await app.inject({ url: '/here', headers: GOOD_KEY });
    expect([answer.statusCode, answer.headers['ratelimit-limit']]).toEqual([200, '5']);
    limitedUse = null;
    expect((await app.inject({ url: '/here', headers: GOOD_KEY })).headers).not.toHaveProperty(
      'ratelimit-limit',
    );
  });

  it('can still do what must be possible then', async () => {
    route({ kinds: ['key'], action: null, isUnlimited: true });
    await call(GOOD_KEY);
    expect(uses).toEqual([{ isLetIn: true, action: null, isFree: true }]);
  });

  it('pays nothing for a second look that refuses it', async () => {
    const handler: Handler = async (request) => {
      await request.readmit();
      return { who: 'served' };
    };
    route({ kinds: ['session'], action: null, countsUse: true }, { handler });
    await call(GOOD_KEY);
    expect(uses).toEqual([{ isLetIn: false, action: null, isFree: false }]);
  });
});

describe('a route with a door', () => {
  const auth: RouteAuth = { kinds: ['session', 'key'], action: 'orders:read', door: 'gallery' };

  it('serves everybody while it is open, and asks once whether it is', async () => {
    isDoorOpen = true;
    route(auth);
    expect(await call({})).toBe('200 anonymous');
    expect(await call({ 'x-api-key': 'wrong' })).toBe('200 anonymous');
    expect([looks, refusals, doorLooks]).toEqual([[], [], 2]);
  });

  it('asks for a credential while it is closed, in the way that package clients know', async () => {
    route({ ...auth, isDeferred: true });
    const answer = await app.inject({ url: '/here' });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, 'auth.required']);
    expect(answer.json<{ detail: string }>().detail).toContain('This gallery is private');
    expect(answer.headers['www-authenticate']).toMatch(/^Basic /);
    expect(refusals).toEqual([]);
  });

  it('tells of a wrong credential while it is closed, but not of who knocks without one', async () => {
    route(auth);
    expect(await call({ 'x-api-key': 'wrong' })).toBe('401 auth.invalid_credential');
    expect(refusals).toEqual(['auth.invalid_credential /here']);
    expect(await call(GOOD_KEY)).toBe('200 key');
  });

  it('is closed where nobody knows of doors', async () => {
    await app.close();
    isDoorKnown = false;
    app = await startApp();
    route(auth);
    expect(await call({})).toBe('401 auth.required');
    expect(await call(GOOD_KEY)).toBe('200 key');
  });

  it('is closed for a session that another site uses, also where that would only read', async () => {
    route({ ...auth, action: null });
    expect(await call({ ...COOKIE, 'sec-fetch-site': 'cross-site' })).toBe('401 auth.required');
    expect(await call({ ...COOKIE, 'sec-fetch-site': 'same-origin' })).toBe('200 session');
    expect(await call(COOKIE)).toBe('200 session');
  });

  it('gives no cache that others share what is behind it', async () => {
    const credentials = 'authorization, cookie, x-api-key, x-nuget-apikey';
    route(auth);
    app.get('/feed', { config: { auth } }, async (_request, reply) => {
      await reply.header('vary', 'accept').header('cache-control', 'public, max-age=60').send({});
    });
    const secret = await app.inject({ url: '/here', headers: GOOD_KEY });
    expect(secret.headers).toMatchObject({ vary: credentials, 'cache-control': 'no-store' });
    const feed = await app.inject({ url: '/feed', headers: GOOD_KEY });
    expect(feed.headers).toMatchObject({
      vary: `accept, ${credentials}`,
      'cache-control': 'private, no-cache',
    });
    isDoorOpen = true;
    const open = await app.inject({ url: '/feed', headers: GOOD_KEY });
    expect(open.headers).toMatchObject({ vary: 'accept', 'cache-control': 'public, max-age=60' });
  });

  it('is none of a route that has none', async () => {
    route({ kinds: ['key'], action: null });
    const { headers } = await app.inject({ url: '/here', headers: GOOD_KEY });
    expect([headers.vary, doorLooks]).toEqual([undefined, 0]);
    expect((await app.inject({ url: '/here' })).headers['www-authenticate']).toMatch(/^Bearer /);
    expect(refusals).toEqual(['auth.required /here']);
  });
});

describe('a session on another site', () => {
  it.each(['HEAD', 'OPTIONS'] as const)('may send %s, which changes nothing', async (method) => {
    route({ kinds: ['session'], action: null }, { method });
    const status = (await call({ ...COOKIE, 'sec-fetch-site': 'cross-site' }, method)).slice(0, 3);
    expect(status).toBe('200');
  });
});

describe('who is behind a call', () => {
  const caller = (principal: Caller['principal']): Caller => ({
    workspace: WORKSPACE,
    principal,
    ip: '192.0.2.1',
    userAgent: null,
    requestId: null,
  });

  it('must be somebody whose credential was accepted where one is required', () => {
    expect(requireAuthenticated(caller(KEY))).toEqual(caller(KEY));
    expect(() => requireAuthenticated(caller({ kind: 'anonymous' }))).toThrow('auth.required');
    expect(() => requireAuthenticated(systemCaller(WORKSPACE, 'sweep'))).toThrow('auth.required');
  });

  it('is the server itself for its own work', () => {
    expect(systemCaller(WORKSPACE, 'sweep')).toEqual({
      workspace: WORKSPACE,
      principal: { kind: 'system', name: 'sweep' },
      ip: null,
      userAgent: null,
      requestId: null,
    });
  });
});

describe('a connection', () => {
  const over = (protocol: string, url: string, host = 'keys.test') =>
    ({ protocol, host, caller: { workspace: { url } } }) as unknown as FastifyRequest;

  it('is secure over https, and behind a proxy whose address is https', () => {
    expect(isSecureRequest(over('https', 'http://keys.test'))).toBe(true);
    expect(isSecureRequest(over('http', 'https://keys.test'))).toBe(true);
    expect(isSecureRequest(over('http', 'http://https:'))).toBe(false);
  });

  it('can be trusted when it is secure or does not leave the machine', () => {
    expect(isTrustworthyOrigin(over('https', 'http://keys.test'))).toBe(true);
    expect(isTrustworthyOrigin(over('http', 'http://keys.test', 'localhost:8080'))).toBe(true);
    expect(isTrustworthyOrigin(over('http', 'http://keys.test'))).toBe(false);
  });

  it.each([
    'localhost',
    'LOCALHOST:8080',
    'a.localhost',
    'my.own.localhost',
    '127.0.0.1',
    '127.12.200.255:80',
    '[::1]',
    '[::1]:8080',
  ])('to %s stays on this machine', (host) => expect(isLoopbackHost(host)).toBe(true));

  it.each([
    'keys.test',
    'xlocalhost',
    'localhost.test',
    '127.0.0',
    '127.0.0.1.test',
    '1127.0.0.1',
    '127.a.b.c',
    '[::2]',
    '[::1',
    'x[::1]',
    '::1',
    '',
  ])('to %j may leave it', (host) => expect(isLoopbackHost(host)).toBe(false));
});

describe('a credential', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const SECRET_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
  const spelled = (headers: Record<string, string>) => {
    const found = readCredential(headers);
    if (found === null) return null;
    return found.kind === 'pair'
      ? `pair ${found.apiKey} ${found.secretKey.reveal()}`
      : `${found.kind} ${found.value.reveal()}`;
  };

  it.each(['xBasic aGk6aG8=', 'Basic aGk6aG8=!', 'Basic aGk6aG8= x', 'xBearer abc', 'Bearer a b'])(
    'is not read from %j',
    (authorization) => {
      expect(() => readCredential({ authorization })).toThrow(
        expect.objectContaining({
          code: 'auth.invalid_credential',
          detail: expect.stringContaining('neither'),
        }),
      );
    },
  );

  it('may stand behind several blanks, and have blanks around it', () => {
    expect(parseBasic('Basic   aGk6aG8=  ')).toEqual({ user: 'hi', password: new Secret('ho') });
    expect(parseBasic('Basic   aGk6aG8=')?.password.reveal()).toBe('ho');
    expect(parseBasic('xBasic aGk6aG8=')).toBeNull();
    expect(parseBasic('Basic aGk6aG8=!')).toBeNull();
    expect(spelled({ 'x-api-key': ' abc ', cookie: 'keyreeve_session=x' })).toBe('bearer abc');
    expect(spelled({ cookie: 'a=b; keyreeve_session= abc ; c=d' })).toBe('cookie abc');
  });

  it('with a name and no password is one, and a wrong one', () => {
    expect(spelled({ authorization: basic('ada:') })).toBe('bearer ');
    expect(spelled({ authorization: basic(':') })).toBeNull();
  });

  it('without a name is whatever stands in the place of the password', () => {
    expect(spelled({ authorization: basic(`:${SECRET_KEY}`) })).toBe(`bearer ${SECRET_KEY}`);
  });

  it('is none in a blank header, nor in a cookie without a value', () => {
    expect(spelled({ 'x-api-key': '  ' })).toBeNull();
    expect(spelled({ 'x-api-key': '  ', cookie: 'keyreeve_session=x' })).toBe('cookie x');
    expect(spelled({ cookie: 'keyreeve_sessionX' })).toBeNull();
  });

  it('is read as far as 8,192 characters', () => {
    expect(spelled({ 'x-api-key': 'a'.repeat(9_000) })).toBe(`bearer ${'a'.repeat(8_192)}`);
  });

  it('in two headers is told by the name of the header', () => {
    expect(() => refuseRepeatedHeaders(['Host', 'a', 'HOST', 'a'])).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('host was sent twice') }),
    );
  });
});
