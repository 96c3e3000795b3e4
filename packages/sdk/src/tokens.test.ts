import { createHmac, createPublicKey, generateKeyPairSync, KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyreeveError, KeyreeveTransportError } from './errors.ts';
import { createTokenVerifier, isPermitted, type TokenVerifier, type TokenVerifierOptions } from './tokens.ts';

const NOW = Date.UTC(2027, 2, 1, 9, 0, 0);
const SECONDS = NOW / 1000;
const MINUTE_MS = 60_000;

interface Pair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

async function makePair(alg: string): Promise<Pair> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  return { kid, alg, privateKey: pair.privateKey, publicJwk: { ...publicJwk, alg, kid, use: 'sig' } };
}

const pairs = new Map<string, Pair>();
let key: Pair;
let strangerKey: Pair;

/** An issuer whose answers a test replaces; it counts what it is asked. */
let issuer: string;
let published: JWK[];
let metadata: Record<string, unknown>;
let answerKeys: ((request: IncomingMessage, response: ServerResponse) => void) | null;
let answerIntrospection: (body: string, request: IncomingMessage) => unknown;
let introspectionStatus: number;
let asked: string[];
let isAway: boolean;
let stop: () => Promise<void>;
let verifier: TokenVerifier;

function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  asked.push(request.url ?? '');
  if (isAway) return void request.socket.destroy();
  if (request.url === '/.well-known/oauth-authorization-server') return sendJson(response, metadata);
  if (request.url === '/introspect')
    return sendJson(response, answerIntrospection(await readBody(request), request), introspectionStatus);
  if (request.url !== '/jwks') return sendJson(response, {}, 404);
  if (answerKeys === null) return sendJson(response, { keys: published });
  answerKeys(request, response);
}

beforeAll(async () => {
  for (const alg of ['ES256', 'EdDSA', 'RS256']) pairs.set(alg, await makePair(alg));
  key = pairs.get('ES256') as Pair;
  strangerKey = await makePair('ES256');
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});
afterAll(() => stop());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  published = [...pairs.values()].map((pair) => pair.publicJwk);
  metadata = { issuer, jwks_uri: `${issuer}/jwks`, introspection_endpoint: `${issuer}/introspect` };
  answerKeys = null;
  answerIntrospection = () => ({ active: false });
  introspectionStatus = 200;
  asked = [];
  isAway = false;
  verifier = make();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function make(options: Partial<TokenVerifierOptions> = {}): TokenVerifier {
  return createTokenVerifier({ issuer, timeoutMs: 2_000, ...options });
}

function keyFetches(): number {
  return asked.filter((url) => url === '/jwks').length;
}

function claimsOf(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: issuer,
    aud: issuer,
    sub: 'acc_ada',
    iat: SECONDS,
    exp: SECONDS + 3600,
    jti: 'jti-1',
    client_id: 'kr_0123456789ABCDEF',
    workspace: 'wsp_1',
    scope: 'report:read',
    authorization_details: [{ type: 'keyreeve', actions: ['report:read'], identifiers: ['*'] }],
    ...changes,
  };
}

async function mint(changes: Record<string, unknown> = {}, pair = key): Promise<string> {
  return await new SignJWT(claimsOf(changes))
    .setProtectedHeader({ alg: pair.alg, typ: 'at+jwt', kid: pair.kid })
    .sign(pair.privateKey);
}

function segment(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

function headerOf(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { alg: 'ES256', kid: key.kid, typ: 'at+jwt', ...changes };
}

function signBytes(text: string, format: 'ieee-p1363' | 'der' = 'ieee-p1363'): string {
  const privateKey = KeyObject.from(key.privateKey);
  return sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: format }).toString('base64url');
}

/** Signs any header and payload, also texts that are no JSON, rightly with the key of the issuer. */
function forge(head: unknown, payload: unknown, format: 'ieee-p1363' | 'der' = 'ieee-p1363'): string {
  const text = `${segment(head)}.${segment(payload)}`;
  return `${text}.${signBytes(text, format)}`;
}

async function reasonOf(token: string, by = verifier): Promise<unknown> {
  return await by.verify(token).then(
    () => 'accepted',
    (error: unknown) => (error as { reason?: unknown }).reason ?? error,
  );
}

describe('a token of the issuer', () => {
  it.each(['ES256', 'EdDSA', 'RS256'])('is read with %s, and its claims are typed', async (alg) => {
    expect(await verifier.verify(await mint({}, pairs.get(alg)))).toEqual({
      issuer,
      audience: issuer,
      sub: 'acc_ada',
      clientId: 'kr_0123456789ABCDEF',
      workspace: 'wsp_1',
      tokenId: 'jti-1',
      issuedAt: '2027-03-01T09:00:00.000Z',
      expiresAt: '2027-03-01T10:00:00.000Z',
      scope: ['report:read'],
      permissions: [{ actions: ['report:read'], resources: ['*'] }],
      introspect: false,
    });
  });

  it('is read when forged by the helper of this file with nothing wrong', async () => {
    expect(await reasonOf(forge(headerOf(), claimsOf()))).toBe('accepted');
  });

  it('costs one fetch of metadata and one of keys, however many come at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, () => mint()));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(asked).toEqual(['/.well-known/oauth-authorization-server', '/jwks']);
  });

  it('is good for an audience of its own only where that is asked for', async () => {
    const token = await mint({ aud: 'https://api.example.com' });
    expect(await reasonOf(token)).toBe('wrong_audience');
    expect(await reasonOf(token, make({ audience: 'https://api.example.com' }))).toBe('accepted');
  });

  it('that is too short to tell its rights says so, and permits nothing by itself', async () => {
    const { scope: _scope, authorization_details: _details, ...short } = claimsOf();
    const claims = await verifier.verify(forge(headerOf(), { ...short, introspect: true }));
    expect(claims).toMatchObject({ introspect: true, permissions: null, scope: [] });
    expect(isPermitted(claims, 'report:read')).toBe(false);
  });

  it('is good with an issuer option that ends in a slash', async () => {
    expect(await reasonOf(await mint(), make({ issuer: `${issuer}/` }))).toBe('accepted');
  });
});

describe('J1: tokens without a signature', () => {
  it.each(['none', 'None', 'nOnE', 'NONE', ''])('are refused with alg %j', async (alg) => {
    for (const signature of ['', segment('x'), (await mint()).split('.')[2]])
      expect(await reasonOf(`${segment(headerOf({ alg }))}.${segment(claimsOf())}.${signature}`)).toBe(
        'malformed',
      );
  });

  it('are refused with an empty signature under the right alg', async () => {
    const [head, payload] = (await mint()).split('.');
    expect(await reasonOf(`${head}.${payload}.`)).toBe('malformed');
    expect(await reasonOf(`${head}.${payload}`)).toBe('malformed');
  });
});

describe('J2: the public key as a shared secret', () => {
  const publicKey = () => createPublicKey({ key: key.publicJwk, format: 'jwk' });
  it.each([
    ['PEM', () => publicKey().export({ type: 'spki', format: 'pem' })],
    ['DER', () => publicKey().export({ type: 'spki', format: 'der' })],
    ['the JWK as JSON', () => JSON.stringify(key.publicJwk)],
    ['x of the JWK', () => Buffer.from(String(key.publicJwk.x), 'base64url')],
  ])('is refused as %s', async (_name, secret) => {
    for (const alg of ['HS256', 'hs256', 'ES256']) {
      const text = `${segment(headerOf({ alg }))}.${segment(claimsOf())}`;
      const mac = createHmac('sha256', secret()).update(text).digest('base64url');
      expect(await reasonOf(`${text}.${mac}`)).toMatch(/malformed|wrong_signature/);
    }
  });

  it('is refused when the published key names no algorithm, or a symmetric one', async () => {
    const { alg: _alg, ...bare } = key.publicJwk;
    published = [bare, { kty: 'oct', k: 'AAAA', alg: 'HS256', kid: strangerKey.kid, use: 'sig' }];
    expect(await verifier.verify(await mint()).catch((error: unknown) => error)).toBeInstanceOf(
      KeyreeveTransportError,
    );
  });
});

describe('J3: headers that bring a key or point to one', () => {
  it.each([
    ['jwk', () => ({ jwk: strangerKey.publicJwk })],
    ['jku', () => ({ jku: `${issuer}/evil` })],
    ['x5u', () => ({ x5u: `${issuer}/evil` })],
    ['x5c', () => ({ x5c: ['MIIB'] })],
    ['an unknown member', () => ({ foo: 1 })],
  ])('are refused with %s, and nobody is asked', async (_name, extra) => {
    expect(await reasonOf(forge(headerOf(extra()), claimsOf()))).toBe('malformed');
    expect(asked).toEqual([]);
  });

  it.each([
    '../../../../dev/null',
    "' OR 1=1 --",
    'http://127.0.0.1/key',
    '__proto__',
    'constructor',
    '',
    'x'.repeat(1_000_000),
    null,
    5,
    ['a'],
    {},
  ])('are refused with the key id %.20j, and nobody is asked', async (kid) => {
    expect(await reasonOf(forge(headerOf({ kid }), claimsOf()))).toBe('malformed');
    expect(asked).toEqual([]);
  });
});

describe('J4: unknown key ids', () => {
  it('make the keys be fetched once in each cooldown of 30 seconds, however many come', async () => {
    await verifier.verify(await mint());
    const token = await mint({}, strangerKey);
    const [, payload, signature] = token.split('.');
    const tokens = Array.from({ length: 10_000 }, (_, index) => {
      const kid = `${index}`.padStart(43, 'A');
      return `${segment(headerOf({ kid }))}.${payload}.${signature}`;
    });
    for (const one of tokens) expect(await reasonOf(one)).toBe('unknown_key');
    expect(keyFetches()).toBe(2);
    vi.setSystemTime(NOW + 30_000);
    await Promise.all(tokens.slice(0, 100).map((one) => reasonOf(one)));
    expect(keyFetches()).toBe(3);
    expect(await reasonOf(await mint())).toBe('accepted');
  });
});

describe('J5: other kinds of JOSE', () => {
  it.each([
    ['crit', { crit: ['exp'], exp: 1 }],
    ['an unknown crit', { crit: ['urn:x'], 'urn:x': true }],
    ['b64 false', { b64: false, crit: ['b64'] }],
    ['zip', { zip: 'DEF' }],
    ['enc', { enc: 'A256GCM' }],
    ['cty', { cty: 'JWT' }],
  ])('are refused with %s', async (_name, extra) => {
    expect(await reasonOf(forge(headerOf(extra), claimsOf()))).toBe('malformed');
  });

  it('are refused as JWE with five parts, and when nested', async () => {
    expect(await reasonOf(`${segment({ alg: 'dir', enc: 'A256GCM' })}.a.b.c.d`)).toBe('malformed');
    expect(await reasonOf(forge(headerOf(), await mint()))).toBe('malformed');
  });
});

describe('J6: claims that are missing', () => {
  it.each(['iss', 'aud', 'sub', 'iat', 'exp', 'jti', 'client_id', 'workspace', 'authorization_details'])(
    'refuse the token without %s',
    async (name) => {
      const { [name]: _gone, ...rest } = claimsOf();
      expect(await reasonOf(forge(headerOf(), rest))).toBe('wrong_claims');
    },
  );
});

describe('J7: claims of another kind', () => {
  it.each([
    ['exp as text', () => ({ exp: String(SECONDS + 60) })],
    ['a broken exp', () => ({ exp: SECONDS + 60.5 })],
    ['a negative exp', () => ({ exp: -1 })],
    ['exp null', () => ({ exp: null })],
    ['exp in milliseconds', () => ({ exp: NOW + 60_000 })],
    ['a life of a day and a second', () => ({ exp: SECONDS + 86_401 })],
    ['exp before iat', () => ({ exp: SECONDS - 1 })],
    ['exp at iat', () => ({ exp: SECONDS })],
    ['iat as text', () => ({ iat: String(SECONDS) })],
    ['nbf as text', () => ({ nbf: '1' })],
    ['a list of audiences', () => ({ aud: [issuer] })],
    ['no audience in the list', () => ({ aud: [] })],
    ['a list of issuers', () => ({ iss: [issuer] })],
    ['sub as number', () => ({ sub: 1 })],
    ['an empty jti', () => ({ jti: '' })],
    ['scope as list', () => ({ scope: ['report:read'] })],
    ['details as object', () => ({ authorization_details: {} })],
    [
      'actions as text',
      () => ({ authorization_details: [{ type: 'keyreeve', actions: '*', identifiers: [] }] }),
    ],
    ['rights and introspect at once', () => ({ introspect: true })],
  ])('refuse the token: %s', async (_name, changes) => {
    expect(await reasonOf(forge(headerOf(), claimsOf(changes())))).toBe('wrong_claims');
  });

  it.each([
    ['another', () => 'https://other.test'],
    ['one that only begins so', () => `${issuer}.evil.test`],
    ['one that only ends so', () => `evil${issuer}`],
    ['a slash', () => `${issuer}/`],
    ['upper case', () => issuer.toUpperCase()],
  ])('refuse the token of an issuer or for an audience that is not this one: %s', async (_name, value) => {
    expect(await reasonOf(await mint({ iss: value() }))).toBe('wrong_issuer');
    expect(await reasonOf(await mint({ aud: value() }))).toBe('wrong_audience');
  });

  it('refuse the token for an exp of 1e400, which JSON reads as infinity', async () => {
    const text = JSON.stringify(claimsOf()).replace(`"exp":${SECONDS + 3600}`, '"exp":1e400');
    expect(await reasonOf(forge(headerOf(), text))).toBe('malformed');
  });
});

describe('J8: payloads that two readers read differently', () => {
  it.each([
    ['a claim named twice', () => JSON.stringify(claimsOf()).replace('{', '{"sub":"acc_eve",')],
    [
      'a claim named twice by an escape',
      () => JSON.stringify(claimsOf()).replace('{', String.raw`{"su\u0062":"e",`),
    ],
    ['__proto__', () => JSON.stringify(claimsOf()).replace('{', '{"__proto__":{"sub":"acc_eve"},')],
    ['a byte order mark', () => `\uFEFF${JSON.stringify(claimsOf())}`],
    ['an unpaired surrogate', () => JSON.stringify(claimsOf({ sub: 'a\uD800' }))],
    ['an unpaired surrogate in a name', () => JSON.stringify(claimsOf({ 'a\uDC00': 1 }))],
    ['blanks', () => JSON.stringify(claimsOf(), null, 1)],
    ['a list', () => '[]'],
    ['no object', () => '"text"'],
    ['no JSON', () => 'sub=acc_ada'],
  ])('are refused for %s', async (_name, payload) => {
    expect(await reasonOf(forge(headerOf(), payload()))).toBe('malformed');
  });

  it('are refused when they are not UTF-8', async () => {
    const bytes = Buffer.from(JSON.stringify(claimsOf({ sub: 'acc_?' })));
    bytes[bytes.indexOf('?')] = 0xff;
    const text = `${segment(headerOf())}.${bytes.toString('base64url')}`;
    expect(await reasonOf(`${text}.${signBytes(text)}`)).toBe('malformed');
  });

  it('are refused when the header names a member twice', async () => {
    const head = JSON.stringify(headerOf()).replace('{', `{"kid":"${strangerKey.kid}",`);
    expect(await reasonOf(forge(head, claimsOf()))).toBe('malformed');
  });
});

describe('J9: other spellings of a right signature', () => {
  it.each<[string, (token: string) => string]>([
    ['padding', (token) => `${token}==`],
    ['padding inside', (token) => token.replace('.', '=.')],
    ['a blank', (token) => `${token} `],
    ['a line end', (token) => `${token}\n`],
    ['a fourth part', (token) => `${token}.`],
    ['a dot in front', (token) => `.${token}`],
    ['the alphabet with + and /', (token) => token.replaceAll('-', '+').replaceAll('_', '/')],
  ])('are refused for %s', async (_name, change) => {
    let token = await mint();
    while (change(token) === token) token = await mint();
    expect(await reasonOf(token)).toBe('accepted');
    expect(await reasonOf(change(token))).toBe('malformed');
  });

  it('are refused with other trailing bits, which decode to the same bytes', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const token = await mint();
    const twin = `${token.slice(0, -1)}${alphabet[alphabet.indexOf(token.at(-1) ?? '') ^ 1]}`;
    expect(await reasonOf(twin)).toBe('malformed');
  });

  it('are refused with other trailing bits in the payload, though rightly signed', async () => {
    // One or two characters at the end of a segment carry bits that no byte takes.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twist = (text: string) =>
      `${text.slice(0, -1)}${alphabet[alphabet.indexOf(text.at(-1) ?? '') ^ 1]}`;
    for (const jti of ['a', 'ab', 'abc']) {
      const [head, payload] = [segment(headerOf()), segment(claimsOf({ jti }))];
      if (payload.length % 4 === 0) continue;
      const text = `${head}.${twist(payload)}`;
      expect(await reasonOf(`${text}.${signBytes(text)}`)).toBe('malformed');
      expect(await reasonOf(forge(headerOf(), claimsOf({ jti })))).toBe('accepted');
    }
  });

  it('are refused with r and s swapped, zero, short, long, or in DER', async () => {
    const [head = '', payload = '', signature = ''] = (await mint()).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const swapped = Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]);
    for (const other of [swapped, Buffer.alloc(64), bytes.subarray(0, 63), Buffer.concat([bytes, bytes])])
      expect(await reasonOf(`${head}.${payload}.${other.toString('base64url')}`)).toBe('wrong_signature');
    expect(await reasonOf(forge(headerOf(), claimsOf(), 'der'))).toBe('wrong_signature');
  });

  it('are refused for every seventh flipped bit of a token', async () => {
    const segments = (await mint()).split('.').map((part) => Buffer.from(part, 'base64url'));
    for (const [index, bytes] of segments.entries()) {
      for (let bit = 0; bit < bytes.length * 8; bit += 7) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const parts = segments.map((part, at) => (at === index ? changed : part).toString('base64url'));
        expect(await reasonOf(parts.join('.'))).not.toBe('accepted');
      }
    }
  });
});

describe('J10: other kinds of JWT, rightly signed', () => {
  it.each(['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'secevent+jwt', 'kr-session+jwt', '', null])(
    'are refused with the type %j',
    async (typ) => {
      expect(await reasonOf(forge(headerOf({ typ }), claimsOf()))).toBe('malformed');
    },
  );

  it('are refused without a type', async () => {
    expect(await reasonOf(forge({ alg: 'ES256', kid: key.kid }, claimsOf()))).toBe('malformed');
  });
});

describe('J11: signatures by other keys', () => {
  it('are refused by a key that the issuer does not publish, or a stranger under its id', async () => {
    expect(await reasonOf(await mint({}, strangerKey))).toBe('unknown_key');
    expect(await reasonOf(await mint({}, { ...strangerKey, kid: key.kid }))).toBe('wrong_signature');
  });

  it('are refused when the header names another algorithm than the published key has', async () => {
    const rsa = pairs.get('RS256') as Pair;
    expect(await reasonOf(await mint({}, { ...rsa, kid: key.kid }))).toBe('unknown_key');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const text = `${segment(headerOf({ alg: 'ES384' }))}.${segment(claimsOf())}`;
    const signature = sign('sha384', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await reasonOf(`${text}.${signature.toString('base64url')}`)).toBe('malformed');
  });

  it('are refused by a retired key five minutes after the issuer has taken it away', async () => {
    const token = await mint();
    expect(await reasonOf(token)).toBe('accepted');
    published = published.filter((jwk) => jwk.kid !== key.kid);
    vi.setSystemTime(NOW + 5 * MINUTE_MS);
    expect(await reasonOf(token)).toBe('unknown_key');
  });

  it('are refused with what was exchanged for them, though a published key has signed that', async () => {
    const rsa = pairs.get('RS256') as Pair;
    expect(await reasonOf(await mint({ anc: ['jti-0'], anckid: [rsa.kid] }))).toBe('accepted');
    expect(await reasonOf(await mint({ anc: ['jti-0'], anckid: [rsa.kid, strangerKey.kid] }))).toBe(
      'unknown_key',
    );
    for (const anckid of ['x', ['x'], [1], Array(9).fill(rsa.kid)])
      expect([anckid, await reasonOf(await mint({ anckid }))]).toEqual([anckid, 'wrong_claims']);
  });

  it('are refused by what an issuer should never publish: a shared secret, a private key', async () => {
    const { kid } = strangerKey;
    const privateJwk = await exportJWK(strangerKey.privateKey);
    const blunders = [{ kty: 'oct', k: 'A'.repeat(43) }, privateJwk];
    for (const blunder of blunders) {
      published = [key.publicJwk, { ...blunder, alg: 'ES256', kid, use: 'sig' }];
      verifier = make();
      expect([blunder.kty, await reasonOf(await mint({}, strangerKey))]).toEqual([
        blunder.kty,
        'unknown_key',
      ]);
    }
  });

  it('are refused when two published keys share an id', async () => {
    published = [...published, { ...strangerKey.publicJwk, kid: key.kid }];
    expect(await reasonOf(await mint())).toBe('unknown_key');
  });
});

describe('J12: texts that are only there to cost time', () => {
  it.each([
    ['a megabyte', () => `eyJ${'A'.repeat(1_000_000)}.e30.AA`],
    ['a right token with a megabyte behind', async () => `${await mint()}${'A'.repeat(1_000_000)}`],
    ['ten thousand dots', () => '.'.repeat(10_000)],
    ['eight thousand dots', () => `eyJ${'.'.repeat(8_000)}`],
    ['nothing', () => ''],
    ['two dots', () => '..'],
  ])('are refused before anything is decoded or asked: %s', async (_name, make12) => {
    const text = await make12();
    const [decode, parse] = [vi.spyOn(TextDecoder.prototype, 'decode'), vi.spyOn(JSON, 'parse')];
    expect(await reasonOf(text)).toBe('malformed');
    expect(decode).not.toHaveBeenCalled();
    expect(parse).not.toHaveBeenCalled();
    expect(asked).toEqual([]);
  });

  it('are refused when nested deeply', async () => {
    expect(await reasonOf(`${segment(`${'['.repeat(2_000)}${']'.repeat(2_000)}`)}.e30.AA`)).toBe('malformed');
  });

  it.each([undefined, null, 5, {}, ['a.b.c']])('are refused when they are no text: %j', async (value) => {
    expect(await reasonOf(value as string)).toBe('malformed');
  });
});

describe('clocks that differ', () => {
  it.each([
    ['exp, at the last moment', { iat: SECONDS - 100, exp: SECONDS - 29 }, 'accepted'],
    ['exp, one second later', { iat: SECONDS - 100, exp: SECONDS - 30 }, 'expired'],
    ['iat, as far ahead as allowed', { iat: SECONDS + 30, exp: SECONDS + 60 }, 'accepted'],
    ['iat, a second further', { iat: SECONDS + 31, exp: SECONDS + 60 }, 'not_yet_valid'],
    ['nbf, as far ahead as allowed', { nbf: SECONDS + 30 }, 'accepted'],
    ['nbf, a second further', { nbf: SECONDS + 31 }, 'not_yet_valid'],
  ])('are borne by 30 seconds unless told otherwise: %s', async (_name, changes, expected) => {
    expect(await reasonOf(await mint(changes))).toBe(expected);
  });

  it('are not borne with a tolerance of zero', async () => {
    const strict = make({ clockToleranceSeconds: 0 });
    expect(await reasonOf(await mint({ iat: SECONDS - 1, exp: SECONDS }), strict)).toBe('expired');
    expect(await reasonOf(await mint({ iat: SECONDS + 1 }), strict)).toBe('not_yet_valid');
    expect(await reasonOf(await mint(), strict)).toBe('accepted');
  });

  it.each([-1, 301, 1.5, Number.NaN])('cannot be borne by %j seconds', (clockToleranceSeconds) => {
    expect(() => make({ clockToleranceSeconds })).toThrow(/clockToleranceSeconds/);
  });
});

describe('the keys of the issuer', () => {
  it('are found while they rotate: the new one at its first token, the old one beside it', async () => {
    const before = await mint();
    await verifier.verify(before);
    published = [...published, strangerKey.publicJwk];
    expect(await reasonOf(await mint({}, strangerKey))).toBe('accepted');
    expect(await reasonOf(before)).toBe('accepted');
    expect(keyFetches()).toBe(2);
  });

  it('serve for fifteen minutes while the issuer is away, and then nobody is let in', async () => {
    await verifier.verify(await mint());
    isAway = true;
    vi.setSystemTime(NOW + 15 * MINUTE_MS - 1);
    expect(await reasonOf(await mint())).toBe('accepted');
    vi.setSystemTime(NOW + 15 * MINUTE_MS);
    expect(await reasonOf(await mint())).toMatchObject({ code: 'client.unreachable' });
  });

  it('are asked for once in five seconds while the issuer is away', async () => {
    isAway = true;
    const token = await mint();
    for (let index = 0; index < 1_000; index += 1)
      expect(await reasonOf(token)).toBeInstanceOf(KeyreeveTransportError);
    expect(asked).toHaveLength(1);
    isAway = false;
    vi.setSystemTime(NOW + 5_000);
    expect(await reasonOf(token)).toBe('accepted');
  });

  it('are fetched anew after the clock was set back', async () => {
    await verifier.verify(await mint());
    vi.setSystemTime(NOW - 1_000);
    expect(await reasonOf(await mint())).toBe('accepted');
    expect(keyFetches()).toBe(2);
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    ['dead', (request) => request.socket.destroy(), 'client.unreachable'],
    ['broken', (_request, response) => sendJson(response, {}, 500), 'client.unreachable'],
    ['slow', () => {}, 'client.timeout'],
    [
      'slow to end',
      (_request, response) => void response.writeHead(200).write('{"keys":['),
      'client.timeout',
    ],
    [
      'a page',
      (_request, response) => void response.end('<!doctype html><p>Welcome'),
      'client.malformed_answer',
    ],
    [
      'huge',
      (_request, response) => sendJson(response, { keys: published, pad: 'x'.repeat(70_000) }),
      'client.malformed_answer',
    ],
    ['a list', (_request, response) => sendJson(response, [key.publicJwk]), 'client.malformed_answer'],
    ['empty', (_request, response) => sendJson(response, { keys: [] }), 'client.malformed_answer'],
    ['not found', (_request, response) => sendJson(response, {}, 404), 'client.malformed_answer'],
    [
      'elsewhere',
      (_request, response) => void response.writeHead(302, { location: '/evil' }).end(),
      'client.malformed_answer',
    ],
  ])('that are %s let nobody in, and say so as a transport error', async (_name, respond, code) => {
    answerKeys = respond;
    const error = await make({ timeoutMs: 100 })
      .verify(await mint())
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KeyreeveTransportError);
    expect(error).toMatchObject({ code });
    expect(asked).not.toContain('/evil');
  });

  it.each([
    ['of another issuer', () => ({ issuer: 'https://other.test' })],
    ['of an issuer with a slash', () => ({ issuer: `${issuer}/` })],
    ['without keys', () => ({ jwks_uri: undefined })],
    ['with keys at another host', () => ({ jwks_uri: 'https://evil.test/jwks' })],
    ['with keys at another port', () => ({ jwks_uri: 'http://127.0.0.1:1/jwks' })],
    ['with keys in a file', () => ({ jwks_uri: 'file:///etc/passwd' })],
  ])('are not fetched by metadata %s', async (_name, changes) => {
    metadata = { ...metadata, ...changes() };
    expect(await reasonOf(await mint())).toMatchObject({ code: 'client.malformed_answer' });
    expect(keyFetches()).toBe(0);
  });
});

describe('asking the server about a token', () => {
  const credential = { apiKey: 'kr_0123456789ABCDEF', secretKey: 'secret' };

  it('gives the rights that it has now, with the credential of the asker', async () => {
    let seen: unknown;
    answerIntrospection = (body, request) => {
      seen = [new URLSearchParams(body).get('token'), request.headers.authorization];
      return {
        active: true,
        scope: '',
        authorization_details: [{ type: 'keyreeve', actions: ['report:*'], identifiers: ['a*'] }],
      };
    };
    const { scope: _scope, authorization_details: _details, ...short } = claimsOf();
    const token = forge(headerOf(), { ...short, introspect: true });
    const claims = await make({ credential }).introspect(token);
    expect(seen).toEqual([token, `Basic ${btoa('kr_0123456789ABCDEF:secret')}`]);
    expect(claims).toMatchObject({ introspect: false, sub: 'acc_ada' });
    expect([isPermitted(claims, 'report:read', 'abc'), isPermitted(claims, 'report:read', 'b')]).toEqual([
      true,
      false,
    ]);
  });

  it.each([
    ['inactive', { active: false }],
    ['active as text', { active: 'true' }],
    ['nothing', {}],
    ['somebody else', { active: true, sub: 'acc_eve', scope: 'report:read' }],
    ['rights that cannot be read', { active: true, authorization_details: 'all' }],
  ])('refuses it for the answer: %s', async (_name, body) => {
    answerIntrospection = () => body;
    await expect(make({ credential }).introspect(await mint())).rejects.toMatchObject({ reason: 'inactive' });
  });

  it('sends nothing that this machine can refuse by itself', async () => {
    await expect(make({ credential }).introspect(await mint({}, strangerKey))).rejects.toMatchObject({
      reason: 'unknown_key',
    });
    expect(asked).not.toContain('/introspect');
  });

  it('tells whoever asks when the server does not accept his credential', async () => {
    introspectionStatus = 401;
    answerIntrospection = () => ({ error: 'invalid_client' });
    const error: unknown = await make({ credential })
      .introspect(await mint())
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KeyreeveError);
    expect(error).toMatchObject({ status: 401 });
  });

  it('needs a credential', async () => {
    await expect(verifier.introspect(await mint())).rejects.toThrow(TypeError);
  });
});

describe('nothing tells a secret', () => {
  it('in errors about tokens, options and the verifier itself', async () => {
    const token = await mint({}, strangerKey);
    const error: unknown = await verifier.verify(token).catch((caught: unknown) => caught);
    expect(`${inspect(error, { depth: 9 })}${(error as Error).stack}`).not.toContain(token.split('.')[2]);
    expect(() => make({ issuer: 'https://user:hunter2@keys.test' })).toThrow(/^(?!.*hunter2).*issuer/s);
    const credential = { fullKey: 'kr_0123456789ABCDEF_hunter2' };
    expect(inspect(make({ credential }), { depth: 9, showHidden: true })).not.toContain('hunter2');
  });
});
