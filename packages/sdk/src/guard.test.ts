import { inspect } from 'node:util';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyreeveError, KeyreeveTransportError } from './errors.ts';
import { checkRule, createGuard, type GuardOptions, type GuardRule, type Verdict } from './guard.ts';
import { readFetchHeaders } from './presented.ts';
import type { VerifyAnswer, VerifyQuestion } from './verify-key.ts';

const BASE_URL = 'https://keys.example.com';
const API_KEY = 'kr_0123456789ABCDEF';
const SECRET = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
const FULL_KEY = `${API_KEY}_${SECRET}`;

const VALID: VerifyAnswer = {
  valid: true,
  code: 'valid',
  keyId: API_KEY,
  account: { id: 'acc_1', kind: 'user', displayName: 'Ada', login: 'ada@example.com' },
  access: 'scoped',
  scopes: [{ actions: ['report:read'], resources: ['*'] }],
  expiresAt: '2027-03-01T10:00:00.000Z',
  freshness: { source: 'database', ageMs: 0 },
};
const REFUSED = {
  keyId: null,
  account: null,
  access: null,
  scopes: null,
  expiresAt: null,
  freshness: VALID.freshness,
};

type Call = readonly [request: Request];

let answer: () => VerifyAnswer;
let questions: VerifyQuestion[];
let outages: Error[];

beforeEach(() => {
  answer = () => VALID;
  questions = [];
  outages = [];
});

function options(changes: Partial<GuardOptions<Call>> = {}): GuardOptions<Call> {
  return {
    baseUrl: BASE_URL,
    credential: { fullKey: 'kr_service' },
    fetch: () => Promise.reject(new TypeError('no network in this test')),
    keyVerifier: {
      verify: (question) => {
        questions.push(question);
        return new Promise((resolve) => resolve(answer()));
      },
      close: () => Promise.reject(new Error('It was handed in: whoever made it closes it.')),
    },
    onUnavailable: (error) => outages.push(error),
    ...changes,
  };
}

async function check(
  headers: Record<string, string> | [string, string][],
  rule: GuardRule<Call> = { action: null },
  changes: Partial<GuardOptions<Call>> = {},
): Promise<Verdict> {
  const request = new Request('https://api.example.com/reports/7', { headers });
  return await createGuard(options(changes)).check(rule, { readHeader: readFetchHeaders(request.headers) }, [
    request,
  ]);
}

function codeOf(verdict: Verdict): unknown {
  return 'identity' in verdict
    ? verdict.identity?.keyId
    : (JSON.parse(verdict.refusal.body) as { code: string }).code;
}

describe('what a request presents', () => {
  it.each<[string, Record<string, string>, VerifyQuestion]>([
    ['Bearer', { authorization: `Bearer ${FULL_KEY}` }, { key: FULL_KEY }],
    [
      'Basic with the pair',
      { authorization: `Basic ${btoa(`${API_KEY}:${SECRET}`)}` },
      { apiKey: API_KEY, secretKey: SECRET },
    ],
    [
      'Basic with the full key as password',
      { authorization: `Basic ${btoa(`me:${FULL_KEY}`)}` },
      { key: FULL_KEY },
    ],
    ['X-API-Key', { 'x-api-key': FULL_KEY }, { key: FULL_KEY }],
    ['X-NuGet-ApiKey', { 'x-nuget-apikey': FULL_KEY }, { key: FULL_KEY }],
    ['the same twice', { 'x-api-key': FULL_KEY, authorization: `Bearer ${FULL_KEY}` }, { key: FULL_KEY }],
  ])('is asked about: %s', async (_name, headers, question) => {
    expect(codeOf(await check(headers))).toBe(API_KEY);
    expect(questions).toEqual([question]);
  });

  it.each<[string, [string, string][], string]>([
    ['nothing', [], 'auth.required'],
    ['a cookie', [['cookie', `keyreeve_session=${FULL_KEY}`]], 'auth.required'],
    ['an empty Basic', [['authorization', `Basic ${btoa(':')}`]], 'auth.required'],
    [
      'two different ones',
      [
        ['authorization', `Bearer ${FULL_KEY}`],
        ['x-api-key', 'other'],
      ],
      'auth.ambiguous_credentials',
    ],
    [
      'one header twice',
      [
        ['x-api-key', FULL_KEY],
        ['x-api-key', FULL_KEY],
      ],
      'auth.ambiguous_credentials',
    ],
    ['another scheme', [['authorization', 'Digest a="b"']], 'auth.invalid_credential'],
    ['a Bearer with a blank', [['authorization', 'Bearer a b']], 'auth.invalid_credential'],
    ['a key of two thousand characters', [['x-api-key', 'k'.repeat(2_000)]], 'auth.invalid_credential'],
    ['a pair with U+0000', [['authorization', `Basic ${btoa(`a\0b:${SECRET}`)}`]], 'auth.invalid_credential'],
  ])('is refused without asking the server: %s', async (_name, headers, code) => {
    expect(codeOf(await check(headers))).toBe(code);
    expect(questions).toEqual([]);
  });

  it('may be nothing where anonymous requests pass, and must be good all the same', async () => {
    const rule = { action: 'report:read', allowAnonymous: true };
    expect(await check({}, rule)).toEqual({ identity: null });
    answer = () => ({ ...REFUSED, valid: false, code: 'not_found' });
    expect(codeOf(await check({ 'x-api-key': FULL_KEY }, rule))).toBe('auth.invalid_credential');
    expect(codeOf(await check({ authorization: 'Digest x' }, rule))).toBe('auth.invalid_credential');
  });
});

describe('refusals', () => {
  it.each<[VerifyAnswer['code'], number, string]>([
    ['malformed', 401, 'auth.invalid_credential'],
    ['not_found', 401, 'auth.invalid_credential'],
    ['expired', 401, 'auth.key_expired'],
    ['disabled', 401, 'auth.key_disabled'],
    ['account_disabled', 401, 'auth.account_disabled'],
    ['ip_not_allowed', 401, 'auth.ip_not_allowed'],
    ['insufficient_scope', 403, 'auth.insufficient_scope'],
    ['rate_limited', 429, 'limit.rate_limited'],
    ['quota_exceeded', 429, 'limit.quota_exceeded'],
    ['of_tomorrow' as VerifyAnswer['code'], 401, 'auth.invalid_credential'],
  ])('for the answer %s have status %i and code %s', async (code, status, problemCode) => {
    answer = () => ({ ...VALID, valid: false, code });
    const verdict = await check({ 'x-api-key': FULL_KEY });
    expect(codeOf(verdict)).toBe(problemCode);
    expect(verdict).toMatchObject({ refusal: { status } });
  });

  it.each<[VerifyAnswer['code'], number | null, string | undefined]>([
    ['rate_limited', 17, '17'],
    ['quota_exceeded', 3_600, '3600'],
    // Nobody is told to wait for longer than an hour, nor for what never comes.
    ['quota_exceeded', 3_601, undefined],
    ['quota_exceeded', null, undefined],
  ])('for %s tell when to try again: %s s', async (code, retryAfterSeconds, header) => {
    answer = () => ({ ...VALID, valid: false, code, limits: { retryAfterSeconds, states: [] } });
    const verdict = await check({ 'x-api-key': FULL_KEY });
    expect('refusal' in verdict ? verdict.refusal.headers['retry-after'] : 'let in').toBe(header);
  });

  it('are problem documents that no cache keeps, say how to authenticate, and hold no credential', async () => {
    answer = () => ({ ...REFUSED, valid: false, code: 'not_found' });
    const verdict = await check({ 'x-api-key': FULL_KEY }, { action: 'report:read' });
    expect(verdict).toEqual({
      refusal: {
        status: 401,
        headers: {
          'content-type': 'application/problem+json; charset=utf-8',
          'cache-control': 'no-store',
          'www-authenticate': 'Bearer realm="keyreeve", Basic realm="keyreeve", charset="UTF-8"',
        },
        body: expect.stringContaining(
          '"type":"https://keys.example.com/docs/errors/auth.invalid_credential"',
        ),
      },
    });
    expect(JSON.stringify(verdict)).not.toMatch(/abcdefgh|report:read|kr_/);
  });

  it('offer no Basic to scripts of a browser', async () => {
    expect(await check({ 'sec-fetch-site': 'cross-site' })).toMatchObject({
      refusal: { headers: { 'www-authenticate': 'Bearer realm="keyreeve"' } },
    });
  });

  it('name the action that is missing', async () => {
    answer = () => ({ ...VALID, valid: false, code: 'insufficient_scope' });
    const verdict = await check({ 'x-api-key': FULL_KEY }, { action: 'report:write' });
    expect(verdict).toMatchObject({ refusal: { body: expect.stringContaining('"action":"report:write"') } });
  });
});

describe('what a rule demands', () => {
  const key = { 'x-api-key': FULL_KEY };

  it('is asked as it stands, or as its functions say for the request', async () => {
    await check(key, { action: 'report:read', resource: 'r7' });
    await check(key, {
      action: (request) => `report:${request.method === 'GET' ? 'read' : 'write'}`,
      resource: (request) => Promise.resolve(new URL(request.url).pathname),
    });
    expect(questions).toEqual([
      { key: FULL_KEY, action: 'report:read', resource: 'r7' },
      { key: FULL_KEY, action: 'report:read', resource: '/reports/7' },
    ]);
  });

  it.each(['', 'two words', 'ä', 'x'.repeat(1_025)])(
    'permits nobody anything on what is no resource: %.20j',
    async (resource) => {
      expect(codeOf(await check(key, { action: 'report:read', resource: () => resource }))).toBe(
        'auth.insufficient_scope',
      );
      answer = () => ({ ...REFUSED, valid: false, code: 'not_found' });
      expect(codeOf(await check(key, { action: 'report:read', resource: () => resource }))).toBe(
        'auth.invalid_credential',
      );
    },
  );

  it.each([undefined, '', 'read', 'Report:read', 'report:*', 5])(
    'is refused before the first request for the action %j',
    (action) => {
      expect(() => checkRule({ action } as unknown as GuardRule<Call>)).toThrow(/^action must/);
    },
  );

  it.each<[string, GuardRule<Call>]>([
    ['no action', { action: (() => undefined) as unknown as () => string }],
    ['no resource', { action: 'report:read', resource: () => undefined }],
    ['two resources', { action: 'report:read', resource: (() => ['a', 'b']) as unknown as () => string }],
  ])('lets nobody in when a function gives %s', async (_name, rule) => {
    await expect(check(key, rule)).rejects.toThrow(TypeError);
    expect(questions).toEqual([]);
  });

  it('passes on what its functions throw', async () => {
    const fault = new Error('out of order');
    await expect(check(key, { action: () => Promise.reject(fault) })).rejects.toBe(fault);
  });
});

describe('the address of the client', () => {
  it.each([
    [undefined, { key: FULL_KEY }],
    [() => null, { key: FULL_KEY }],
    [() => '192.0.2.7', { key: FULL_KEY, ip: '192.0.2.7' }],
    [() => '2001:db8::7', { key: FULL_KEY, ip: '2001:db8::7' }],
    [() => '::ffff:192.0.2.7', { key: FULL_KEY, ip: '::ffff:192.0.2.7' }],
    [() => 'fe80::7%eth0', { key: FULL_KEY, ip: 'fe80::7%eth0' }],
    // What clients write into headers that are believed; the server would refuse the whole question.
    [() => 'unknown', { key: FULL_KEY }],
    [() => '192.0.2.7, 198.51.100.1', { key: FULL_KEY }],
    [() => '192.0.2.07', { key: FULL_KEY }],
    [() => '192.0.2.7:443', { key: FULL_KEY }],
    [() => '1.2.3', { key: FULL_KEY }],
    [() => '::1]/@[::1', { key: FULL_KEY }],
    [() => '%', { key: FULL_KEY }],
  ])('is told only as the option says', async (clientIp, question) => {
    const headers = { 'x-api-key': FULL_KEY, 'x-forwarded-for': '198.51.100.1', 'x-real-ip': '198.51.100.1' };
    await check(headers, { action: null }, clientIp === undefined ? {} : { clientIp });
    expect(questions).toEqual([question]);
  });
});

/** An issuer in memory: metadata, one key, and what introspection answers. */
async function startIssuer(): Promise<{
  mint: (claims: Record<string, unknown>) => Promise<string>;
  fetch: typeof globalThis.fetch;
  asked: string[];
}> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const documents: Record<string, unknown> = {
    '/.well-known/oauth-authorization-server': {
      issuer: BASE_URL,
      jwks_uri: `${BASE_URL}/jwks`,
      introspection_endpoint: `${BASE_URL}/introspect`,
    },
    '/jwks': { keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] },
    '/introspect': { active: isActive, scope: 'report:delete' },
  };
  const asked: string[] = [];
  const seconds = Math.floor(Date.now() / 1000);
  const common = { iss: BASE_URL, aud: BASE_URL, sub: 'acc_1', iat: seconds, exp: seconds + 60, jti: 'j' };
  return {
    asked,
    fetch: (input) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      asked.push(pathname);
      return Promise.resolve(Response.json(documents[pathname]));
    },
    mint: (claims) =>
      new SignJWT({ ...common, client_id: API_KEY, workspace: 'wsp_1', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
        .sign(privateKey),
  };
}

let isActive: boolean;

describe('tokens', () => {
  const TOLD = {
    authorization_details: [{ type: 'keyreeve', actions: ['report:read'], identifiers: ['r*'] }],
  };
  beforeEach(() => {
    isActive = true;
  });

  async function checkToken(
    claims: Record<string, unknown>,
    rule: GuardRule<Call>,
    tokens: 'offline' | 'introspect' = 'offline',
  ): Promise<[code: unknown, isServerAsked: boolean]> {
    const issuer = await startIssuer();
    const headers = { authorization: `Bearer ${await issuer.mint(claims)}` };
    const verdict = await check(headers, rule, { fetch: issuer.fetch, tokens });
    expect(questions).toEqual([]);
    return [codeOf(verdict), issuer.asked.includes('/introspect')];
  }

  it('are judged on this machine by what they tell', async () => {
    const read = { action: 'report:read', resource: 'r7' };
    expect(await checkToken(TOLD, read)).toEqual([API_KEY, false]);
    expect(await checkToken(TOLD, { ...read, resource: 'x7' })).toEqual(['auth.insufficient_scope', false]);
    expect(await checkToken(TOLD, { ...read, action: 'report:write' })).toEqual([
      'auth.insufficient_scope',
      false,
    ]);
    expect(await checkToken(TOLD, { action: null })).toEqual([API_KEY, false]);
  });

  it('that cannot tell their rights are asked about', async () => {
    expect(await checkToken({ introspect: true }, { action: 'report:delete' })).toEqual([API_KEY, true]);
    expect(await checkToken({ introspect: true }, { action: 'report:read' })).toEqual([
      'auth.insufficient_scope',
      true,
    ]);
  });

  it('are all asked about when the options say so', async () => {
    expect(await checkToken(TOLD, { action: 'report:delete' }, 'introspect')).toEqual([API_KEY, true]);
    isActive = false;
    expect(await checkToken(TOLD, { action: null }, 'introspect')).toEqual(['auth.invalid_credential', true]);
  });
});

describe('a server that is away, or does not accept this service', () => {
  const key = { 'x-api-key': FULL_KEY };

  it.each<[string, Error, string]>([
    ['silent', new KeyreeveTransportError('client.timeout', 'silent'), '5'],
    ['away', new KeyreeveTransportError('client.unreachable', 'away'), '5'],
    ['broken', new KeyreeveError(500, null), '5'],
    ['busy', new KeyreeveError(503, null, { retryAfterSeconds: 17 }), '17'],
    ['too busy', new KeyreeveError(429, null, { retryAfterSeconds: 999_999 }), '3600'],
  ])('refuses with 503 and Retry-After: %s', async (_name, error, retryAfter) => {
    answer = () => {
      throw error;
    };
    const verdict = await check(key);
    expect(codeOf(verdict)).toBe('request.unavailable');
    expect(verdict).toMatchObject({ refusal: { status: 503, headers: { 'retry-after': retryAfter } } });
    expect(outages).toEqual([error]);
  });

  it('refuses tokens in the same way', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'A'.repeat(43), typ: 'at+jwt' })
      .sign(privateKey);
    const fetch = vi.fn(() => Promise.reject(new TypeError('away')));
    expect(codeOf(await check({ authorization: `Bearer ${token}` }, { action: null }, { fetch }))).toBe(
      'request.unavailable',
    );
    expect(codeOf(await check({ authorization: 'Bearer eyJh.e30.AA' }))).toBe('auth.invalid_credential');
    expect(questions).toEqual([]);
  });

  it('refuses when it calls a key good and does not say whose it is', async () => {
    answer = () => ({ ...VALID, account: null });
    expect(codeOf(await check(key))).toBe('request.unavailable');
  });

  it('throws what is a fault of the operator, without the status that frameworks would pass on', async () => {
    answer = () => {
      throw new KeyreeveError(401, {
        type: '',
        title: '',
        status: 401,
        detail: '',
        code: 'auth.invalid_credential',
        instance: '',
      });
    };
    const error: unknown = await check(key).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringContaining('auth.invalid_credential') });
    expect(error).not.toHaveProperty('status');
    expect(inspect(error, { depth: 9 })).not.toMatch(/kr_service|abcdefgh/);
  });
});

describe('the options', () => {
  it('are read at once, or at the first request when they are a function', async () => {
    expect(() => createGuard(options({ baseUrl: 'keys.example.com' }))).toThrow(/^baseUrl/);
    const source = vi.fn(() => options());
    const guard = createGuard(source);
    expect(source).not.toHaveBeenCalled();
    const request = new Request(BASE_URL, { headers: { 'x-api-key': FULL_KEY } });
    for (let index = 0; index < 2; index += 1)
      await guard.check({ action: null }, { readHeader: readFetchHeaders(request.headers) }, [request]);
    expect(source).toHaveBeenCalledOnce();
  });

  it('do not let go of a key verifier that was handed in', async () => {
    await createGuard(options()).close();
    await createGuard(() => options()).close();
  });
});
