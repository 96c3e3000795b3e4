import { createHmac, createPrivateKey, createPublicKey, KeyObject, randomBytes, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ClientPair,
  type Company,
  call,
  exchangeForm,
  getToken,
  type Harness,
  postForm,
  seedCompany,
  startHarness,
  toBasic,
} from '@keyreeve/testkit';
import {
  CompactEncrypt,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../lib/secret.ts';

interface Minted extends ClientPair {
  readonly fullKey: string;
}

type Claims = Readonly<Record<string, unknown>>;

/** One text that must be taken for a token nowhere. */
interface Vector {
  readonly name: string;
  readonly text: string;
  /** Ours in all but its audience, so that its client may end it. */
  readonly isOfOtherAudience?: boolean;
}

const DAY_MS = 86_400_000;
const RESOURCE = 'https://other.test';
const FEED = '/v3/index.json';
let harness: Harness;
let company: Company;
let client: Minted;
let token: string;
let claims: Claims;
let kid: string;
let signer: KeyObject;
let canary: Server;
let canaryCalls = 0;

beforeAll(async () => {
  canary = createServer((_request, response) => {
    canaryCalls += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
  harness = await startHarness();
  company = await seedCompany(harness);
  const answer = await call(harness, 'POST', `/v1/accounts/${company.member.id}/keys`, {
    key: company.adminKey,
    body: { comment: 'client', access: 'account' },
  });
  client = answer.json<Minted>();
  await harness.deps.settings.update(company.adminCaller, { galleryRead: 'authenticated' }, null);
  await renew();
});
afterAll(async () => {
  canary.close();
  await harness.close();
});

/** A good token, and the key with which it was signed. */
async function renew(): Promise<void> {
  token = (await getToken(harness, client)).access_token;
  const [head = '', payload = ''] = token.split('.');
  claims = parse(payload);
  kid = String(parse(head)['kid']);
  const { keyring, storage } = harness.deps;
  const row = await storage.read
    .selectFrom('signing_keys')
    .select('sealed_private_jwk')
    .where('kid', '=', kid)
    .executeTakeFirstOrThrow();
  const jwk = JSON.parse(keyring.open(row.sealed_private_jwk, `signing_keys/${kid}/private`)) as JWK;
  signer = createPrivateKey({ key: jwk, format: 'jwk' });
}

function parse(segment: string): Claims {
  return JSON.parse(Buffer.from(segment, 'base64url').toString()) as Claims;
}

function encode(part: unknown): string {
  const bytes = Buffer.isBuffer(part)
    ? part
    : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part));
  return bytes.toString('base64url');
}

const header = (changes: object = {}) => ({ alg: 'ES256', typ: 'at+jwt', kid, ...changes });

/** Signed by the very key of the server: nothing but what is wrong with it keeps it out. */
function forge(head: unknown, payload: unknown, key: KeyObject = signer, dsaEncoding = 'ieee-p1363'): string {
  const text = `${encode(head)}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: dsaEncoding as 'der' });
  return `${text}.${signature.toString('base64url')}`;
}

/** Every place of the server that takes a token, with what it says to one that is no good. */
const ENTRIES: readonly (readonly [string, (text: string) => Promise<unknown>, unknown])[] = [
  ['/v1/authorize', async (text) => (await bearer('/v1/authorize', text)).statusCode, 401],
  ['/v1/keys/self', async (text) => (await bearer('/v1/keys/self', text)).statusCode, 401],
  ['/iam/v4/checkSession', async (text) => (await bearer('/iam/v4/checkSession', text)).statusCode, 401],
  [
    '/iam/v4/checkSession?token=',
    async (text) => {
      const url = `/iam/v4/checkSession?token=${encodeURIComponent(text.slice(0, 8_192))}`;
      return (await call(harness, 'GET', url)).statusCode;
    },
    401,
  ],
  [
    'introspection',
    async (text) => (await postForm(harness, '/oauth2/introspect', { token: text }, { basic: client })).body,
    '{"active":false}',
  ],
  [
    'the asker of an introspection',
    async (text) => {
      const headers = { authorization: `Bearer ${text}` };
      return (await postForm(harness, '/oauth2/introspect', { token }, { headers })).statusCode;
    },
    401,
  ],
  [
    'token exchange',
    async (text) => (await postForm(harness, '/oauth2/token', exchangeForm(text))).statusCode,
    400,
  ],
  [
    'revocation',
    async (text) => {
      const answer = await postForm(harness, '/oauth2/revoke', { token: text }, { basic: client });
      return [answer.statusCode, await countEnded()];
    },
    [200, 0],
  ],
  // Pushes take keys only, whatever the token.
  ['a push', async (text) => (await push(text)).statusCode, 403],
  ['the private gallery', async (text) => (await bearer(FEED, text)).statusCode, 401],
  [
    'the private gallery, as password',
    async (text) => {
      const authorization = toBasic({ apiKey: 'x', secretKey: text });
      return (await call(harness, 'GET', FEED, { headers: { authorization } })).statusCode;
    },
    401,
  ],
  [
    'a session',
    async (text) => {
      const headers = { cookie: `keyreeve_session=${text.slice(0, 4_096)}` };
      return (await call(harness, 'GET', '/v1/session', { headers })).statusCode;
    },
    401,
  ],
];

const bearer = (url: string, text: string) => call(harness, 'GET', url, { key: text });
const push = (text: string) =>
  call(harness, 'PUT', '/api/v2/package', { headers: { 'x-nuget-apikey': text } });

async function countEnded(): Promise<number> {
  const rows = await harness.deps.storage.read.selectFrom('ended_tokens').select('jti').execute();
  return rows.length;
}

/** Shows each text to each entry, and the good token at the end: it was not harmed. */
async function refuseEverywhere(vectors: readonly Vector[]): Promise<void> {
  for (const { name, text, isOfOtherAudience } of vectors) {
    for (const [entry, show, expected] of ENTRIES) {
      // The client that got a token for somebody else may end it.
      if (entry === 'revocation' && isOfOtherAudience === true) continue;
      expect([name, entry, await show(text)]).toEqual([name, entry, expected]);
    }
  }
  expect((await bearer('/v1/keys/self', token)).statusCode).toBe(200);
}

/** The claims with these changes, or without those that are undefined. */
const withClaims = (changes: object) => ({ ...claims, ...changes });

describe('the entries of this table', () => {
  it('take a token that was forged with the key of the server and nothing wrong', async () => {
    const forged = forge(header(), withClaims({ jti: 'control' }));
    for (const url of ['/v1/keys/self', '/iam/v4/checkSession'])
      expect((await bearer(url, forged)).statusCode).toBe(200);
    expect((await bearer('/v1/authorize', forged)).statusCode).toBe(204);
    expect((await bearer(FEED, forged)).statusCode).toBe(200);
    const asked = await postForm(harness, '/oauth2/introspect', { token: forged }, { basic: client });
    expect(asked.json()).toMatchObject({ active: true });
    expect((await postForm(harness, '/oauth2/token', exchangeForm(forged))).statusCode).toBe(200);
  });
});

describe('no entry of the server takes', () => {
  it('J1: a token without a signature', async () => {
    const [head = '', payload = '', signature = ''] = token.split('.');
    await refuseEverywhere([
      ...['none', 'None', 'nOnE', 'NONE'].flatMap((alg) => [
        { name: `${alg}, empty`, text: `${encode(header({ alg }))}.${payload}.` },
        { name: `${alg}, signed`, text: `${encode(header({ alg }))}.${payload}.${signature}` },
      ]),
      { name: 'empty signature', text: `${head}.${payload}.` },
      { name: 'no signature', text: `${head}.${payload}` },
    ]);
  });

  it('J2: a token signed with the public key as a shared secret', async () => {
    const publicKey = createPublicKey(signer);
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const jwk = publicKey.export({ format: 'jwk' });
    const secrets: [string, string | Buffer][] = [
      ['PEM', pem],
      ['DER', der],
      ['JWK', JSON.stringify(jwk)],
      ['x', Buffer.from(String(jwk.x), 'base64url')],
    ];
    await refuseEverywhere(
      secrets.flatMap(([name, secret]) =>
        ['HS256', 'hs256', 'ES256'].map((alg) => {
          const text = `${encode(header({ alg }))}.${encode(claims)}`;
          const mac = createHmac('sha256', secret).update(text).digest('base64url');
          return { name: `${alg} with ${name}`, text: `${text}.${mac}` };
        }),
      ),
    );
  });

  it('J3: a token that brings or names its own key, and nobody is asked for it', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const own = KeyObject.from(privateKey);
    const jwk = await exportJWK(publicKey);
    const thumbprint = await calculateJwkThumbprint(jwk);
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/keys`;
    const kids = [
      '../../etc/passwd',
      "x' OR '1'='1",
      url,
      '__proto__',
      'constructor',
      '',
      'k'.repeat(8_000),
      thumbprint,
    ];
    await refuseEverywhere([
      { name: 'jwk', text: forge(header({ jwk, kid: thumbprint }), claims, own) },
      { name: 'jwk under our key id', text: forge(header({ jwk }), claims, own) },
      ...['jku', 'x5u'].map((name) => ({ name, text: forge(header({ [name]: url }), claims, own) })),
      { name: 'x5c', text: forge(header({ x5c: ['MIIB'] }), claims, own) },
      ...kids.map((one) => ({
        name: `kid ${one.slice(0, 20)}`,
        text: forge(header({ kid: one }), claims, own),
      })),
      ...[null, 5, ['a'], {}, undefined].map((one) => ({
        name: `kid ${JSON.stringify(one)}`,
        text: forge(header({ kid: one }), claims),
      })),
    ]);
    expect(canaryCalls).toBe(0);
  });

  it('J4: tokens that name ever new keys', async () => {
    for (let round = 0; round < 200; round += 1) {
      const text = forge(header({ kid: randomBytes(32).toString('base64url') }), claims);
      expect((await bearer('/v1/authorize', text)).statusCode).toBe(401);
    }
  });

  it('J5: a token with extensions, encrypted or nested', async () => {
    const publicKey = await importJWK(createPublicKey(signer).export({ format: 'jwk' }) as JWK, 'ECDH-ES');
    const encrypted = await new CompactEncrypt(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid, typ: 'at+jwt' })
      .encrypt(publicKey);
    await refuseEverywhere([
      ...[
        { crit: ['exp'], exp: 1 },
        { crit: ['urn:x'], 'urn:x': true },
        { b64: false, crit: ['b64'] },
      ].map((more) => ({ name: JSON.stringify(more), text: forge(header(more), claims) })),
      { name: 'zip', text: forge(header({ zip: 'DEF' }), claims) },
      { name: 'cty', text: forge(header({ cty: 'JWT' }), claims) },
      { name: 'an unknown member', text: forge(header({ foo: 1 }), claims) },
      { name: 'JWE', text: encrypted },
      { name: 'nested', text: forge(header(), token) },
    ]);
  });

  it('J6: a token without one of its claims', async () => {
    const needed = Object.keys(claims).filter((name) => name !== 'scope');
    expect(needed.length).toBeGreaterThan(10);
    await refuseEverywhere(
      needed.map((name) => ({
        name: `no ${name}`,
        text: forge(header(), withClaims({ [name]: undefined })),
      })),
    );
  });

  it('J7: a token with claims of another kind', async () => {
    const now = Math.floor(harness.clock.now() / 1_000);
    const url = harness.deps.defaultWorkspace.url;
    const rows: [string, object][] = [
      ['exp as text', { exp: String(now + 60) }],
      ['a broken exp', { exp: now + 60.5 }],
      ['a negative exp', { exp: -1 }],
      ['exp in milliseconds', { exp: (now + 60) * 1_000 }],
      ['exp null', { exp: null }],
      ['exp over', { exp: now - 1, iat: now - 60 }],
      ['a life of a year', { exp: now + 31_536_000 }],
      ['iat in the future', { iat: now + 120, exp: now + 240 }],
      ['nbf in the future', { nbf: now + 10 }],
      ['nbf as text', { nbf: '1' }],
      ['two audiences', { aud: [url, RESOURCE] }],
      ['no audience', { aud: [] }],
      ['iss with a slash', { iss: `${url}/` }],
      ['iss in upper case', { iss: url.toUpperCase() }],
      ['a list of issuers', { iss: [url] }],
      ['another workspace', { workspace: 'wsp_2' }],
      ['another account', { sub: company.admin.id }],
      ['another key', { client_id: company.adminKey.slice(0, 19) }],
      ['sub as a number', { sub: 1 }],
      ['an empty jti', { jti: '' }],
      ['another generation', { kgen: 9 }],
      ['kgen as text', { kgen: '1' }],
      ['another epoch of the key', { kepo: 99 }],
      ['another epoch of the account', { aepo: 99 }],
      ['scope as a list', { scope: ['package:push'] }],
      ['details of another type', { authorization_details: [{ type: 'x', actions: [], identifiers: [] }] }],
      ['details as text', { authorization_details: 'x' }],
      ['rights both told and not', { introspect: true }],
      ['introspect as text', { introspect: 'true', authorization_details: undefined }],
      ['narrowed to nothing told', { narrowed: true, introspect: true, authorization_details: undefined }],
      ['narrowed as text', { narrowed: 'true' }],
      ['narrowed false', { narrowed: false }],
      ['ancestors as text', { anc: 'x' }],
      ['no ancestors', { anc: [] }],
      ['nine ancestors', { anc: Array.from({ length: 9 }, (_, index) => `j${index}`) }],
      ['signers of ancestors as text', { anckid: 'x' }],
      ['an ancestor signed by a key that is gone', { anc: ['j'], anckid: ['A'.repeat(43)] }],
      ['an actor as text', { act: 'x' }],
      ['an actor without his key', { act: { sub: 'x' } }],
      ['an actor without his state', { act: { sub: 'x', client_id: 'y' } }],
      ['a state without an actor', { actst: [[1, 0, 0]] }],
      [
        'a state too few',
        { act: { sub: 'x', client_id: 'y', act: { sub: 'x', client_id: 'y' } }, actst: [[1, 0, 0]] },
      ],
      ['a state as text', { act: { sub: 'x', client_id: 'y' }, actst: ['1'] }],
      ['an actor who is not there', { act: { sub: 'x', client_id: 'y' }, actst: [[1, 0, 0]] }],
    ];
    // What key and account are now is no matter for ending a token: its client and its jti are right.
    const isEndable = (name: string) =>
      /another (account|generation|epoch)|actor who is not there/.test(name);
    await refuseEverywhere([
      ...rows.map(([name, changes]) => ({
        name,
        text: forge(header(), withClaims(changes)),
        isOfOtherAudience: isEndable(name),
      })),
      ...[RESOURCE, `${url}.evil.test`, url.toUpperCase(), `${url}/`].map((aud) => ({
        name: `aud ${aud}`,
        text: forge(header(), withClaims({ aud })),
        isOfOtherAudience: true,
      })),
      {
        name: 'exp 1e400',
        text: forge(header(), JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400')),
      },
    ]);
  });

  it('J8: a token that two readers read differently', async () => {
    const json = JSON.stringify(claims);
    const bytes = Buffer.from(json.replace('"sub":"', '"sub":"?'));
    bytes[bytes.indexOf('?')] = 0xff;
    await refuseEverywhere([
      { name: 'a claim twice', text: forge(header(), json.replace('{', '{"sub":"acc_eve",')) },
      {
        name: 'a claim twice by an escape',
        text: forge(header(), json.replace('{', String.raw`{"su\u0062":"acc_eve",`)),
      },
      { name: '__proto__', text: forge(header(), json.replace('{', '{"__proto__":{},')) },
      { name: 'a byte order mark', text: forge(header(), `\uFEFF${json}`) },
      { name: 'half a character', text: forge(header(), json.replace('{', String.raw`{"x":"\ud800",`)) },
      { name: 'no UTF-8', text: forge(header(), bytes) },
      { name: 'a text', text: forge(header(), '"text"') },
      {
        name: 'a header twice',
        text: forge(JSON.stringify(header()).replace('{', '{"kid":"x",'), claims),
      },
    ]);
  });

  it('J9: another spelling of a good token', async () => {
    const [head = '', payload = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = `${token.slice(0, -1)}${alphabet[alphabet.indexOf(token.at(-1) ?? '') ^ 1]}`;
    const swapped = Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]);
    await refuseEverywhere([
      { name: 'padding', text: `${token}==` },
      { name: 'padding inside', text: token.replace('.', '=.') },
      { name: 'a fourth part', text: `${token}.` },
      { name: 'a dot in front', text: `.${token}` },
      { name: 'trailing bits', text: twin },
      ...[swapped, Buffer.alloc(64), bytes.subarray(0, 63), Buffer.concat([bytes, bytes])].map(
        (one, index) => ({
          name: `signature ${index}`,
          text: `${head}.${payload}.${one.toString('base64url')}`,
        }),
      ),
      { name: 'DER', text: forge(header(), claims, signer, 'der') },
    ]);
  });

  it('J10: something else than an access token', async () => {
    const types = [
      'JWT',
      'jwt',
      'AT+JWT',
      'application/at+jwt',
      'id_token+jwt',
      'secevent+jwt',
      'logout+jwt',
      '',
    ];
    await refuseEverywhere([
      ...types.map((typ) => ({ name: `typ ${typ}`, text: forge(header({ typ }), claims) })),
      { name: 'no typ', text: forge({ alg: 'ES256', kid }, claims) },
      { name: 'a session', text: 'A'.repeat(43) },
      { name: 'the secret of a webhook', text: `whsec_${randomBytes(32).toString('base64')}` },
      { name: 'half a key', text: client.secretKey },
      { name: 'the id of a key', text: client.apiKey },
    ]);
  });

  it('J11: a token of another workspace, of a stranger or of a retired key', async () => {
    const { workspaces, keyAuthenticator, tokens, defaultWorkspace } = harness.deps;
    await workspaces.create(company.adminCaller, { name: 'Other', subdomain: 'other', aliases: [] });
    const other = await workspaces.findByHost('other.keys.test');
    const fullKey = new Secret(client.fullKey);
    const proven = await keyAuthenticator.authenticate(defaultWorkspace.id, { fullKey }, null);
    if (other === null || !('key' in proven)) throw new Error('There is no other workspace.');
    const foreign = (await tokens.issue(other, proven)).token.reveal();
    const foreignKid = String(parse(foreign.split('.')[0] ?? '')['kid']);
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const stranger = KeyObject.from(privateKey);
    await refuseEverywhere([
      { name: 'another workspace', text: foreign },
      { name: 'the key id of another workspace', text: forge(header({ kid: foreignKid }), claims) },
      { name: 'a stranger under our key id', text: forge(header(), claims, stranger) },
      { name: 'RS256 named for our key', text: forge(header({ alg: 'RS256' }), claims) },
    ]);
    const [oldKid, oldSigner] = [kid, signer];
    await harness.deps.signingKeys.rotate(company.adminCaller);
    harness.clock.advance(3 * DAY_MS);
    await renew();
    expect(kid).not.toBe(oldKid);
    await refuseEverywhere([
      { name: 'a retired key', text: forge(header({ kid: oldKid }), claims, oldSigner) },
    ]);
  });

  it('J12: a text that is only there to cost time', async () => {
    const deep = encode(`${'['.repeat(2_000)}${']'.repeat(2_000)}`);
    const started = performance.now();
    await refuseEverywhere([
      { name: 'fifty thousand characters', text: `eyJ${'A'.repeat(50_000)}.e30.AA` },
      { name: 'ten thousand dots', text: '.'.repeat(10_000) },
      { name: 'eight thousand dots', text: `eyJ${'.'.repeat(8_000)}` },
      { name: 'a deep header', text: `${deep}.e30.AA` },
      { name: 'two dots', text: '..' },
    ]);
    expect((performance.now() - started) / (5 * ENTRIES.length)).toBeLessThan(50);
  });
});
