import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Claims, encode, forge, forgeByHmac, type Specimen } from './forge.ts';

/** One text that must be taken for a token nowhere. */
export interface Vector {
  /** The row of the attack set (RFC 8725): J1 to J12. */
  readonly group: string;
  readonly name: string;
  readonly text: string;
  /** Signed by us and in the right form: its client may end it, though it opens nothing. */
  readonly isEndable?: boolean;
  /** Only the server can see it: it tells of states that the server keeps, and others do not read it. */
  readonly isOfServer?: boolean;
}

type Made = Omit<Vector, 'group'>;

function told(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 24);
}

const ALGORITHMS: readonly unknown[] = [
  'none None nOnE NONE HS256 HS384 HS512 hs256 ES384 ES512 ES256K es256 RS256 RS384 RS512 PS256 PS384'.split(
    ' ',
  ),
  ['EdDSA', 'Ed25519', 'ES256 ', '', null, 1, ['ES256'], {}],
].flat();

/** J1, and J11 in part: another algorithm than that of the key, with no, the old and a right signature. */
function listAlgorithmVectors({ claims, kid, signer, text }: Specimen): Made[] {
  const [head = '', payload = '', signature = ''] = text.split('.');
  const vectors = ALGORITHMS.flatMap((alg) => {
    const other = { alg, typ: 'at+jwt', kid };
    const name = `alg ${JSON.stringify(alg)}`;
    return [
      { name: `${name}, empty`, text: `${encode(other)}.${payload}.` },
      { name: `${name}, the old signature`, text: `${encode(other)}.${payload}.${signature}` },
      { name: `${name}, signed`, text: forge(other, claims, signer) },
    ];
  });
  return [
    ...vectors,
    { name: 'no alg', text: forge({ typ: 'at+jwt', kid }, claims, signer) },
    { name: 'an empty signature', text: `${head}.${payload}.` },
    { name: 'no signature', text: `${head}.${payload}` },
  ];
}

/** J2: the public key as a shared secret. */
function listSecretVectors({ claims, kid, publicKey }: Specimen): Made[] {
  const jwk = publicKey.export({ format: 'jwk' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const secrets: [string, string | Buffer][] = [
    ['PEM', pem],
    ['PEM without its last line end', pem.trim()],
    ['DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['JWK', JSON.stringify(jwk)],
    ['x', Buffer.from(String(jwk.x), 'base64url')],
    ['x as text', String(jwk.x)],
    ['key id', kid],
    ['nothing', ''],
  ];
  return secrets.flatMap(([name, secret]) =>
    (['HS256', 'HS384', 'HS512', 'ES256'] as const).map((alg) => {
      const hash = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512', ES256: 'sha256' }[alg];
      return {
        name: `${alg} with ${name}`,
        text: forgeByHmac({ alg, typ: 'at+jwt', kid }, claims, hash, secret),
      };
    }),
  );
}

/** J3 and J5: headers that bring or name a key, or that mean another kind of JOSE. */
function listHeaderVectors(
  { claims, kid, signer, text }: Specimen,
  stranger: KeyObject,
  url: string,
): Made[] {
  const head = (changes: object) => ({ alg: 'ES256', typ: 'at+jwt', kid, ...changes });
  const own = stranger.export({ format: 'jwk' });
  const bringing = {
    jwk: { kty: own.kty, crv: own.crv, x: own.x, y: own.y },
    jku: url,
    x5u: url,
    x5c: ['MIIB'],
    x5t: 'A',
    'x5t#S256': 'A',
  };
  const kids = [
    '../../etc/passwd',
    "x' OR '1'='1",
    url,
    '__proto__',
    'constructor',
    '',
    'k'.repeat(8_000),
    null,
    5,
    ['a'],
    {},
    undefined,
    `${kid} `,
    kid.toLowerCase(),
  ];
  const others = [
    { crit: ['exp'], exp: 1 },
    { crit: ['urn:x'], 'urn:x': true },
    { crit: [] },
    { b64: false, crit: ['b64'] },
    { zip: 'DEF' },
    { enc: 'A256GCM' },
    { cty: 'JWT' },
    { foo: 1 },
    { iss: 'x' },
  ];
  return [
    ...Object.entries(bringing).flatMap(([name, value]) => [
      { name: `${name}, signed by it`, text: forge(head({ [name]: value }), claims, stranger) },
      { name: `${name}, signed by us`, text: forge(head({ [name]: value }), claims, signer) },
    ]),
    ...kids.flatMap((one) => [
      {
        name: `kid ${told(one)}, by a stranger`,
        text: forge(head({ kid: one }), claims, stranger),
      },
      {
        name: `kid ${told(one)}, by us`,
        text: forge(head({ kid: one }), claims, signer),
      },
    ]),
    ...others.map((more) => ({ name: JSON.stringify(more), text: forge(head(more), claims, signer) })),
    { name: 'nested', text: forge(head({}), text, signer) },
    { name: 'five parts', text: `${encode({ alg: 'dir', enc: 'A256GCM' })}.a.b.c.d` },
    { name: 'a list for a header', text: forge([head({})], claims, signer) },
  ];
}

const WRONG_VALUES = [undefined, null, '', 0, -1, 1.5, 1e21, true, [], {}] as const;
/** What the server wrote into it for itself alone. */
const SERVER_CLAIMS = ['kgen', 'kepo', 'aepo'];
const NEEDED = ['iss', 'aud', 'sub', 'iat', 'exp', 'jti', 'client_id', 'kgen', 'kepo', 'aepo', 'workspace'];

/** J6 and J7: claims that are missing, of another kind, or of somebody else. */
function listClaimVectors({ claims, kid, signer }: Specimen, nowMs: number): Made[] {
  const now = Math.floor(nowMs / 1_000);
  const issuer = String(claims['iss']);
  const make = (
    name: string,
    changes: Claims,
    more: Pick<Vector, 'isEndable' | 'isOfServer'> = {},
  ): Made => ({
    name,
    text: forge({ alg: 'ES256', typ: 'at+jwt', kid }, { ...claims, ...changes }, signer),
    ...more,
  });
  const [endable, ofServer] = [{ isEndable: true, isOfServer: true }, { isOfServer: true }];
  const others = [
    `${issuer}/`,
    `${issuer}.evil.test`,
    `evil${issuer}`,
    issuer.toUpperCase(),
    [issuer],
    'https://other.test',
  ];
  return [
    ...NEEDED.flatMap((claim) =>
      WRONG_VALUES.map((value) => {
        const isOfServer = SERVER_CLAIMS.includes(claim);
        // A generation or epoch of nought is one: it is not that of the key.
        const isEndable = isOfServer && value === 0;
        return make(`${claim} ${JSON.stringify(value)}`, { [claim]: value }, { isOfServer, isEndable });
      }),
    ),
    ...others.flatMap((other) => [
      make(`iss ${JSON.stringify(other)}`, { iss: other }),
      make(`aud ${JSON.stringify(other)}`, { aud: other }, { isEndable: typeof other === 'string' }),
      make(`both ${JSON.stringify(other)}`, { iss: other, aud: other }),
    ]),
    make('exp over', { iat: now - 3_600, exp: now - 60 }),
    make('a life of a year', { exp: now + 31_536_000 }),
    make('exp in milliseconds', { exp: (now + 60) * 1_000 }),
    make('iat in the future', { iat: now + 120, exp: now + 240 }),
    make('nbf in the future', { nbf: now + 60 }),
    make('nbf as text', { nbf: '1' }),
    make('another generation', { kgen: 9 }, endable),
    make('another epoch of the key', { kepo: 99 }, endable),
    make('another epoch of the account', { aepo: 99 }, endable),
    make('another account', { sub: 'acc_somebody' }, endable),
    make('scope as a list', { scope: ['package:push'] }),
    make('details as text', { authorization_details: 'x' }),
    make(
      'details of another type',
      { authorization_details: [{ type: 'x', actions: [], identifiers: [] }] },
      ofServer,
    ),
    make('rights both told and not', { introspect: true }),
    make('narrowed as text', { narrowed: 'true' }, ofServer),
    make('ancestors as text', { anc: 'x' }, ofServer),
    make('nine ancestors', { anc: Array.from({ length: 9 }, (_, index) => `j${index}`) }, ofServer),
    make('an actor as text', { act: 'x' }, ofServer),
    {
      name: 'exp 1e400',
      text: forge(
        { alg: 'ES256', typ: 'at+jwt', kid },
        JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400'),
        signer,
      ),
    },
  ];
}

/** J8: payloads that two readers read differently. */
function listReadingVectors({ claims, kid, signer }: Specimen): Made[] {
  const head = { alg: 'ES256', typ: 'at+jwt', kid };
  const json = JSON.stringify(claims);
  const bytes = Buffer.from(json.replace('"sub":"', '"sub":"?'));
  bytes[bytes.indexOf('?')] = 0xff;
  const payloads: [string, string | Buffer][] = [
    ['a claim twice', json.replace('{', '{"sub":"acc_eve",')],
    ['a claim twice by an escape', json.replace('{', String.raw`{"su\u0062":"acc_eve",`)],
    ['__proto__', json.replace('{', '{"__proto__":{"sub":"acc_eve"},')],
    ['a byte order mark', `\uFEFF${json}`],
    ['half a character', json.replace('{', String.raw`{"x":"\ud800",`)],
    ['no UTF-8', bytes],
    ['a text', '"text"'],
    ['a list', `[${json}]`],
    ['nothing', ''],
    ['two objects', `${json}${json}`],
    ['a zero behind', `${json}\0`],
  ];
  const twice = JSON.stringify(head).replace('{', '{"kid":"x",');
  return [
    ...payloads.map(([name, payload]) => ({ name, text: forge(head, payload, signer) })),
    { name: 'a member of the header twice', text: forge(twice, claims, signer) },
    {
      name: 'a byte order mark before the header',
      text: forge(`\uFEFF${JSON.stringify(head)}`, claims, signer),
    },
  ];
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const FLIPPED_BITS = 96;

/** J9: other spellings of a good token, and single bits. */
function listSpellingVectors({ claims, kid, signer, text }: Specimen): Made[] {
  const [head = '', payload = '', signature = ''] = text.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const withSignature = (other: Buffer) => `${head}.${payload}.${other.toString('base64url')}`;
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)];
  const segments = [head, payload, signature];
  const flips = Array.from({ length: FLIPPED_BITS }, (_, index) => {
    const place = index % 3;
    const changed = Buffer.from(segments[place] ?? '', 'base64url');
    const bit = Math.floor((index / FLIPPED_BITS) * changed.length * 8);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return {
      name: `bit ${bit} of part ${place + 1}`,
      text: segments.with(place, changed.toString('base64url')).join('.'),
    };
  });
  return [
    { name: 'padding', text: `${text}==` },
    { name: 'padding inside', text: text.replace('.', '=.') },
    { name: 'a fourth part', text: `${text}.` },
    { name: 'a dot in front', text: `.${text}` },
    {
      name: 'trailing bits',
      text: `${text.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(text.at(-1) ?? '') ^ 1]}`,
    },
    { name: 'r and s swapped', text: withSignature(Buffer.concat([s, r])) },
    { name: 'all zero', text: withSignature(Buffer.alloc(64)) },
    { name: 'r zero', text: withSignature(Buffer.concat([Buffer.alloc(32), s])) },
    { name: 's zero', text: withSignature(Buffer.concat([r, Buffer.alloc(32)])) },
    { name: 'short', text: withSignature(bytes.subarray(0, 63)) },
    { name: 'twice', text: withSignature(Buffer.concat([bytes, bytes])) },
    { name: 'DER', text: forge({ alg: 'ES256', typ: 'at+jwt', kid }, claims, signer, 'der') },
    ...flips,
  ];
}

const TYPES = [
  'JWT',
  'jwt',
  'AT+JWT',
  'application/at+jwt',
  'id_token+jwt',
  'secevent+jwt',
  'logout+jwt',
  'kr-session+jwt',
  'at+jwt ',
  '',
  null,
  ['at+jwt'],
];

/** J10 and J12: other kinds of tokens, and texts that are only there to cost time. */
function listOtherTexts({ claims, kid, signer }: Specimen): Made[] {
  const deep = encode(`${'['.repeat(2_000)}${']'.repeat(2_000)}`);
  return [
    ...TYPES.map((typ) => ({
      name: `typ ${JSON.stringify(typ)}`,
      text: forge({ alg: 'ES256', typ, kid }, claims, signer),
    })),
    { name: 'no typ', text: forge({ alg: 'ES256', kid }, claims, signer) },
    { name: 'a cookie', text: 'A'.repeat(43) },
    { name: 'fifty thousand characters', text: `eyJ${'A'.repeat(50_000)}.e30.AA` },
    { name: 'ten thousand dots', text: '.'.repeat(10_000) },
    { name: 'a deep header', text: `${deep}.e30.AA` },
    { name: 'two dots', text: '..' },
  ];
}

/** The attack set of RFC 8725 against a verifier of our tokens. `url` is where nobody must ask for a key. */
export function listVectors(specimen: Specimen, nowMs: number, url: string): Vector[] {
  const { privateKey: stranger } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const head = { alg: 'ES256', typ: 'at+jwt', kid: specimen.kid };
  const groups: [string, Made[]][] = [
    ['J1', listAlgorithmVectors(specimen)],
    ['J2', listSecretVectors(specimen)],
    ['J3, J5', listHeaderVectors(specimen, stranger, url)],
    ['J6, J7', listClaimVectors(specimen, nowMs)],
    ['J8', listReadingVectors(specimen)],
    ['J9', listSpellingVectors(specimen)],
    ['J10, J12', listOtherTexts(specimen)],
    ['J11', [{ name: 'a stranger under our key id', text: forge(head, specimen.claims, stranger) }]],
  ];
  const vectors = groups.flatMap(([group, made]) => made.map((vector) => ({ group, ...vector })));
  // `alg: "ES256 "` and the like stay; what came out as the good token itself is none.
  return vectors.filter(({ text }) => text !== specimen.text);
}
