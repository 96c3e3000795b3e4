import { createHmac, createPublicKey, generateKeyPairSync, KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TokenClaims } from './claims.ts';
import { SAMPLE_CLAIMS, SAMPLE_ISSUER, SAMPLE_SECONDS } from './samples.ts';
import {
  createSigningKey,
  readToken,
  type SigningAlgorithm,
  type SigningKey,
  signToken,
  signTokenNow,
  toFixedNumbers,
  type VerificationKey,
} from './token-text.ts';

const NOW = SAMPLE_SECONDS * 1000;

const claims = SAMPLE_CLAIMS;

interface Pair extends SigningKey, VerificationKey {
  readonly publicJwk: JWK;
}

async function makePair(algorithm: SigningAlgorithm): Promise<Pair> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    ...createSigningKey(kid, algorithm, KeyObject.from(pair.privateKey)),
    publicKey: pair.publicKey,
    publicJwk,
  };
}

let key: Pair;
let strangerKey: Pair;
let wanted: string[] = [];

beforeAll(async () => {
  key = await makePair('ES256');
  strangerKey = await makePair('ES256');
});

async function read(
  text: string,
  keys: readonly VerificationKey[] = [key],
  now = NOW,
): Promise<TokenClaims | null> {
  wanted = [];
  return await readToken(text, {
    issuer: SAMPLE_ISSUER,
    audiences: [SAMPLE_ISSUER],
    workspaceId: 'wsp_1',
    now,
    findKey: (kid) => {
      wanted.push(kid);
      return Promise.resolve(keys.find((one) => one.kid === kid) ?? null);
    },
  });
}

function segment(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

function header(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...changes };
}

/** Signs any header and payload, also texts that are no JSON, rightly with the key of this server. */
function signBytes(text: string, format: 'ieee-p1363' | 'der'): string {
  return sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: format }).toString(
    'base64url',
  );
}

function forge(head: unknown, payload: unknown, format: 'ieee-p1363' | 'der' = 'ieee-p1363'): string {
  const text = `${segment(head)}.${segment(payload)}`;
  return `${text}.${signBytes(text, format)}`;
}

function publicKeyObject(): KeyObject {
  return createPublicKey({ key: key.publicJwk, format: 'jwk' });
}

describe('a token that we signed', () => {
  it.each(['ES256', 'EdDSA', 'RS256'] as const)('is read again, with %s', async (algorithm) => {
    const pair = await makePair(algorithm);
    expect(await read(await signToken(claims, pair), [pair])).toEqual(claims);
  });

  it('has the two numbers of an ES256 signature in 32 bytes each, however short they are in DER', async () => {
    const toInteger = (number: bigint): Buffer => {
      const hex = number.toString(16);
      const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
      const digits = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
      return Buffer.concat([Buffer.of(2, digits.length), digits]);
    };
    // As many numbers of each length as of each other: in signatures, short ones are rare.
    const number = fc.integer({ min: 1, max: 256 }).chain((bits) => fc.bigInt(1n, 2n ** BigInt(bits) - 1n));
    fc.assert(
      fc.property(number, number, (r, s) => {
        const numbers = Buffer.concat([toInteger(r), toInteger(s)]);
        const fixed = toFixedNumbers(Buffer.concat([Buffer.of(48, numbers.length), numbers]));
        expect(fixed.toString('hex')).toBe([r, s].map((one) => one.toString(16).padStart(64, '0')).join(''));
      }),
    );
  });

  it('is made at once as well, unless RSA signs or it would be too long', async () => {
    const text = JSON.stringify(claims);
    const longest = (await signToken(claims, key)).length;
    const [ed, rsa] = await Promise.all([makePair('EdDSA'), makePair('RS256')]);
    for (const pair of [key, ed])
      expect(await read(signTokenNow(text, pair, longest) ?? '', [pair])).toEqual(claims);
    expect(signTokenNow(text, key, longest - 1)).toBeNull();
    expect(signTokenNow(text, rsa, 4_096)).toBeNull();
  });

  it('is an access token by its type and names its key', async () => {
    const [head = ''] = (await signToken(claims, key)).split('.');
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: key.kid,
    });
  });

  it('is good until the last moment before exp, and not at exp', async () => {
    const text = await signToken(claims, key);
    expect(await read(text, [key], claims.exp * 1000 - 1)).toEqual(claims);
    expect(await read(text, [key], claims.exp * 1000)).toBeNull();
  });

  it('has a forging helper in this file whose tokens pass when nothing is wrong', async () => {
    expect(await read(forge(header(), claims))).toEqual(claims);
  });
});

describe('J1: tokens without a signature', () => {
  it.each(['none', 'None', 'nOnE', 'NONE'])('are refused with alg %s', async (alg) => {
    for (const signature of ['', segment('x'), (await signToken(claims, key)).split('.')[2]]) {
      expect(await read(`${segment(header({ alg }))}.${segment(claims)}.${signature}`)).toBeNull();
    }
  });

  it('are refused with an empty signature under the right alg', async () => {
    const [head, payload] = (await signToken(claims, key)).split('.');
    expect(await read(`${head}.${payload}.`)).toBeNull();
    expect(await read(`${head}.${payload}`)).toBeNull();
  });
});

describe('J2: the public key as a shared secret', () => {
  it.each([
    ['PEM', () => publicKeyObject().export({ type: 'spki', format: 'pem' })],
    [
      'PEM without its last line end',
      () => publicKeyObject().export({ type: 'spki', format: 'pem' }).toString().trim(),
    ],
    ['DER', () => publicKeyObject().export({ type: 'spki', format: 'der' })],
    ['the JWK as JSON', () => JSON.stringify(key.publicJwk)],
    ['x of the JWK', () => Buffer.from(String(key.publicJwk.x), 'base64url')],
  ])('is refused as %s', async (_name, secret) => {
    for (const alg of ['HS256', 'hs256', 'ES256']) {
      const text = `${segment(header({ alg }))}.${segment(claims)}`;
      const mac = createHmac('sha256', secret()).update(text).digest('base64url');
      expect(await read(`${text}.${mac}`)).toBeNull();
    }
  });
});

describe('J3: headers that bring a key or point to one', () => {
  it.each([
    ['jwk', () => ({ jwk: strangerKey.publicJwk })],
    ['jku', () => ({ jku: 'http://127.0.0.1:1/jwks' })],
    ['x5u', () => ({ x5u: 'http://127.0.0.1:1/cert' })],
    ['x5c', () => ({ x5c: ['MIIB'] })],
    ['cty', () => ({ cty: 'JWT' })],
    ['an unknown member', () => ({ foo: 1 })],
  ])('are refused with %s, also with the right signature', async (_name, extra) => {
    expect(await read(forge(header(extra()), claims))).toBeNull();
    expect(wanted).toEqual([]);
  });

  it.each([
    '../../../../dev/null',
    "' OR 1=1 --",
    'http://127.0.0.1/key',
    '__proto__',
    'constructor',
    '',
    'x'.repeat(1_000),
    'a\u0000b',
  ])('are refused with the key id %j, and nobody looks for such a key', async (kid) => {
    expect(await read(forge(header({ kid }), claims))).toBeNull();
    expect(wanted).toEqual([]);
  });

  it.each([[null], [5], [['a']], [{}], [undefined]])('are refused with the key id %j', async (kid) => {
    expect(await read(forge(header({ kid }), claims))).toBeNull();
  });
});

describe('J5: other kinds of JOSE', () => {
  it.each([
    ['crit', { crit: ['exp'], exp: 1 }],
    ['an unknown crit', { crit: ['urn:x'], 'urn:x': true }],
    ['b64 false', { b64: false, crit: ['b64'] }],
    ['zip', { zip: 'DEF' }],
    ['enc', { enc: 'A256GCM' }],
  ])('are refused with %s', async (_name, extra) => {
    expect(await read(forge(header(extra), claims))).toBeNull();
  });

  it('are refused as JWE, with five parts', async () => {
    expect(await read(`${segment({ alg: 'dir', enc: 'A256GCM' })}.a.b.c.d`)).toBeNull();
  });

  it('are refused when nested', async () => {
    expect(await read(forge(header(), await signToken(claims, key)))).toBeNull();
  });

  it.each(['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'secevent+jwt', ''])(
    'are refused with the type %j',
    async (typ) => {
      expect(await read(forge(header({ typ }), claims))).toBeNull();
    },
  );

  it('are refused without a type', async () => {
    expect(await read(forge({ alg: 'ES256', kid: key.kid }, claims))).toBeNull();
  });
});

describe('J6 and J7: claims that are missing or of another kind', () => {
  it.each(Object.keys(claims))('are refused without %s', async (name) => {
    const { [name as keyof TokenClaims]: _gone, ...rest } = claims;
    expect(await read(forge(header(), rest))).toBeNull();
  });

  it.each([
    ['exp as text', { exp: String(SAMPLE_SECONDS + 60) }],
    ['a broken exp', { exp: SAMPLE_SECONDS + 60.5 }],
    ['a negative exp', { exp: -1 }],
    ['exp null', { exp: null }],
    ['exp in milliseconds', { exp: NOW + 60_000 }],
    ['a life of a year', { exp: SAMPLE_SECONDS + 365 * 86_400 }],
    ['exp before iat', { exp: SAMPLE_SECONDS - 1, iat: SAMPLE_SECONDS }],
    ['iat in the future', { iat: SAMPLE_SECONDS + 120, exp: SAMPLE_SECONDS + 240 }],
    ['iat as text', { iat: String(SAMPLE_SECONDS) }],
    ['nbf in the future', { nbf: SAMPLE_SECONDS + 10 }],
    ['nbf as text', { nbf: '1' }],
    ['another audience', { aud: 'https://other.test' }],
    ['an audience that only begins so', { aud: `${SAMPLE_ISSUER}.evil.test` }],
    ['an audience in another case', { aud: SAMPLE_ISSUER.toUpperCase() }],
    ['an audience with a slash', { aud: `${SAMPLE_ISSUER}/` }],
    ['a list of audiences', { aud: [SAMPLE_ISSUER, 'https://other.test'] }],
    ['no audience in the list', { aud: [] }],
    ['an issuer with a slash', { iss: `${SAMPLE_ISSUER}/` }],
    ['an issuer in another case', { iss: 'https://KEYS.test' }],
    ['a list of issuers', { iss: [SAMPLE_ISSUER] }],
    ['another workspace', { workspace: 'wsp_2' }],
    ['sub as number', { sub: 1 }],
    ['an empty jti', { jti: '' }],
    ['kgen as text', { kgen: '1' }],
    ['a negative epoch', { kepo: -1 }],
  ])('are refused for %s', async (_name, changes) => {
    expect(await read(forge(header(), { ...claims, ...changes }))).toBeNull();
  });

  it('are refused for an exp of 1e400, which JSON reads as infinity', async () => {
    const text = JSON.stringify(claims).replace(`"exp":${claims.exp}`, '"exp":1e400');
    expect(await read(forge(header(), text))).toBeNull();
  });
});

describe('J8: payloads that two readers read differently', () => {
  it.each([
    ['a claim named twice', JSON.stringify(claims).replace('{', '{"sub":"acc_eve",')],
    [
      'a claim named twice by an escape',
      JSON.stringify(claims).replace('{', String.raw`{"su\u0062":"acc_eve",`),
    ],
    ['__proto__', JSON.stringify(claims).replace('{', '{"__proto__":{},')],
    ['a byte order mark', `\uFEFF${JSON.stringify(claims)}`],
    ['no object', '"text"'],
    ['no JSON', 'sub=acc_ada'],
  ])('are refused for %s', async (_name, payload) => {
    expect(await read(forge(header(), payload))).toBeNull();
  });

  it('are refused when they are not UTF-8', async () => {
    const bytes = Buffer.from(JSON.stringify({ ...claims, sub: 'acc_?' }));
    bytes[bytes.indexOf('?')] = 0xff;
    const text = `${segment(header())}.${bytes.toString('base64url')}`;
    expect(await read(`${text}.${signBytes(text, 'ieee-p1363')}`)).toBeNull();
  });

  it('are refused when the header names a member twice', async () => {
    const head = JSON.stringify(header()).replace('{', `{"kid":"${strangerKey.kid}",`);
    expect(await read(forge(head, claims))).toBeNull();
  });
});

describe('J9: other spellings of a right signature', () => {
  const spell: readonly [string, (token: string) => string][] = [
    ['padding', (token) => `${token}==`],
    ['padding inside', (token) => token.replace('.', '=.')],
    ['a blank', (token) => `${token} `],
    ['a line end', (token) => `${token}\n`],
    ['a fourth part', (token) => `${token}.`],
    ['a dot in front', (token) => `.${token}`],
    ['the alphabet with + and /', (token) => token.replaceAll('-', '+').replaceAll('_', '/')],
  ];

  it.each(spell)('are refused for %s', async (_name, change) => {
    // Most signatures have one of the two characters that differ between the alphabets, but not all.
    let token = await signToken(claims, key);
    while (change(token) === token) token = await signToken(claims, key);
    expect(await read(token)).toEqual(claims);
    expect(await read(change(token))).toBeNull();
  });

  it('are refused with other trailing bits, which decode to the same bytes', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const token = await signToken(claims, key);
    const last = alphabet.indexOf(token.at(-1) ?? '');
    const twin = `${token.slice(0, -1)}${alphabet[last ^ 1]}`;
    const bytesOf = (text: string) => Buffer.from(text.split('.')[2] ?? '', 'base64url').toString('hex');
    expect(bytesOf(twin)).toBe(bytesOf(token));
    expect(await read(twin)).toBeNull();
  });

  it('are refused with r and s swapped, zero, or in DER', async () => {
    const [head = '', payload = '', signature = ''] = (await signToken(claims, key)).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const swapped = Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]);
    for (const other of [
      swapped,
      Buffer.alloc(64),
      Buffer.alloc(0),
      bytes.subarray(0, 63),
      Buffer.concat([bytes, bytes]),
    ]) {
      expect(await read(`${head}.${payload}.${other.toString('base64url')}`)).toBeNull();
    }
    expect(await read(forge(header(), claims, 'der'))).toBeNull();
  });

  it('are refused for every single flipped bit of a token', async () => {
    const token = await signToken(claims, key);
    const segments = token.split('.').map((part) => Buffer.from(part, 'base64url'));
    for (const [index, bytes] of segments.entries()) {
      for (let bit = 0; bit < bytes.length * 8; bit += 7) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const parts = segments.map((part, at) => (at === index ? changed : part).toString('base64url'));
        expect(await read(parts.join('.'))).toBeNull();
      }
    }
  });
});

describe('J11: signatures by other keys', () => {
  it('are refused by a key that is not ours', async () => {
    expect(await read(await signToken(claims, strangerKey))).toBeNull();
  });

  it('are refused by a stranger under our key id', async () => {
    expect(await read(await signToken(claims, { ...strangerKey, kid: key.kid }))).toBeNull();
  });

  it('are refused when the header names another algorithm than the stored key has', async () => {
    const rsa = await makePair('RS256');
    expect(await read(await signToken(claims, { ...rsa, kid: key.kid }))).toBeNull();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const text = `${segment(header({ alg: 'ES384' }))}.${segment(claims)}`;
    const signature = sign('sha384', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await read(`${text}.${signature.toString('base64url')}`)).toBeNull();
  });
});

describe('J12: texts that are only there to cost time', () => {
  it.each([
    ['a megabyte', () => `eyJ${'A'.repeat(1_000_000)}.e30.AA`],
    ['ten thousand dots', () => '.'.repeat(10_000)],
    ['eight thousand dots', () => `eyJ${'.'.repeat(8_000)}`],
    ['a deep header', () => `${segment(`${'['.repeat(2_000)}${']'.repeat(2_000)}`)}.e30.AA`],
    ['nothing', () => ''],
    ['two dots', () => '..'],
  ])('are refused at once: %s', async (_name, make) => {
    const text = make();
    const start = performance.now();
    expect(await read(text)).toBeNull();
    expect(performance.now() - start).toBeLessThan(500);
    expect(wanted).toEqual([]);
  });
});
