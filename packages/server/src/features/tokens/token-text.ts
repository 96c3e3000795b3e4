import { type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { type CryptoKey, jwtVerify } from 'jose';
import { parseStrictJson } from '../../lib/strict-json.ts';
import { readClaims, type TokenClaims } from './claims.ts';

/** RFC 9068: no other kind of JWT, ours or foreign, is ever taken for an access token. */
const TOKEN_TYPE = 'at+jwt';
/** Twice what we issue at most; nothing longer is even looked at. */
const TOKEN_CHARACTERS_MAX = 8_192;
// Stryker disable next-line Regex: the parser of signatures refuses what stands around it, too
const COMPACT_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Three parts of base64url that start like `{"`. */
const TOKEN_SHAPE = /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/;
const KID_FORM = /^[A-Za-z0-9_-]{43}$/;
/** Of P-256 and of Ed25519 alike: 64 bytes as base64url. */
const ELLIPTIC_CHARACTERS = 86;
const NUMBER_BYTES = 32;
const HEADER_MEMBERS = ['alg', 'kid', 'typ'];

export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
  /** The first part of each token that it signs, with the dot behind it. */
  readonly headerText: string;
}

export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicKey: CryptoKey;
}

/** What is looked up as a token, and all else as a key: keys of others, which were imported, may have dots too. */
export function hasTokenShape(text: string): boolean {
  return TOKEN_SHAPE.test(text);
}

const signInPool = promisify(sign);

export function createSigningKey(
  kid: string,
  algorithm: SigningAlgorithm,
  privateKey: KeyObject,
): SigningKey {
  const header = JSON.stringify({ alg: algorithm, typ: TOKEN_TYPE, kid });
  return { kid, algorithm, privateKey, headerText: `${toSegment(header)}.` };
}

/**
 * A JWS in compact form (RFC 7515 7.1). An elliptic signature takes less time than handing it to a thread and back;
 * one of RSA takes so long that all others would wait.
 */
export async function signToken(claims: TokenClaims, key: SigningKey): Promise<string> {
  const input = `${key.headerText}${toSegment(JSON.stringify(claims))}`;
  const signature =
    // Stryker disable next-line ConditionalExpression, StringLiteral: the same signature, while others wait
    key.algorithm === 'RS256'
      ? // Stryker disable next-line StringLiteral: all encodings spell base64url the same
        await signInPool('sha256', Buffer.from(input, 'latin1'), key.privateKey)
      : signElliptic(input, key);
  return `${input}.${signature.toString('base64url')}`;
}

/**
 * The same for claims that are written as JSON already, without waiting. Null where it would have to be waited for
 * (RSA), and for a token that would be longer than `charactersMax`.
 */
export function signTokenNow(claimsText: string, key: SigningKey, charactersMax: number): string | null {
  if (key.algorithm === 'RS256') return null;
  const input = `${key.headerText}${toSegment(claimsText)}`;
  if (input.length + 1 + ELLIPTIC_CHARACTERS > charactersMax) return null;
  return `${input}.${signElliptic(input, key).toString('base64url')}`;
}

function toSegment(json: string): string {
  return Buffer.from(json).toString('base64url');
}

/**
 * Without options on purpose: given an object with `key` and `dsaEncoding`, Node takes twice as long, half of it for
 * finding out that the object is no key itself and how long the numbers of the curve are.
 */
function signElliptic(input: string, { algorithm, privateKey }: SigningKey): Buffer {
  // Stryker disable next-line StringLiteral: all encodings spell base64url the same
  const bytes = Buffer.from(input, 'latin1');
  return algorithm === 'ES256'
    ? toFixedNumbers(sign('sha256', bytes, privateKey))
    : sign(null, bytes, privateKey);
}

/**
 * A signature of P-256 as JWS wants it (RFC 7518 3.4): the two numbers one after the other, 32 bytes each, in place of
 * the DER of two INTEGERs, which leaves out leading zeros and puts one before a number whose first bit is set.
 */
export function toFixedNumbers(der: Uint8Array): Buffer {
  const fixed = Buffer.alloc(2 * NUMBER_BYTES);
  // After the tag and the length of the sequence, which is below 128.
  let at = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const from = at + 2;
    const to = from + (der[at + 1] ?? 0);
    const digits = der.subarray(Math.max(from, to - NUMBER_BYTES), to);
    fixed.set(digits, end - digits.length);
    at = to;
  }
  return fixed;
}

/** The JSON of a segment, or undefined: UTF-8 only, no BOM, no member twice. */
function readSegment(segment: string): unknown {
  const bytes = Buffer.from(segment, 'base64url');
  try {
    // Stryker disable next-line BooleanLiteral: `jwtVerify` refuses a byte order mark, too
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.startsWith('\uFEFF') ? undefined : parseStrictJson(text);
  } catch {
    // Neither UTF-8 nor JSON.
  }
  return undefined;
}

/**
 * The id of the key that the header names, with the algorithm that it claims. The header has exactly the
 * members that we write: a token that brings its own key (`jwk`, `jku`, `x5c`) or extensions (`crit`, `b64`,
 * `zip`) is none of ours.
 */
function readHeader(segment: string): { kid: string; alg: unknown } | null {
  const header = readSegment(segment);
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return null;
  const members = new Map(Object.entries(header as Record<string, unknown>));
  if ([...members.keys()].toSorted().join() !== HEADER_MEMBERS.join() || members.get('typ') !== TOKEN_TYPE)
    return null;
  const kid = members.get('kid');
  return typeof kid === 'string' && KID_FORM.test(kid) ? { kid, alg: members.get('alg') } : null;
}

export interface TokenExpectations {
  /** The workspace's address. */
  readonly issuer: string;
  /** For whom the token must be; null for anybody. Only who asks about a token, or ends it, may take others than ours. */
  readonly audiences: readonly string[] | null;
  readonly workspaceId: string;
  /** Milliseconds. */
  readonly now: number;
  /** One of this workspace's keys that still verify, or null. Not asked for ids that cannot be ours. */
  readonly findKey: (kid: string) => Promise<VerificationKey | null>;
}

/**
 * The claims of a token of ours, or null for anything else, whatever is wrong with it. The signature is
 * checked before any claim is believed, under the algorithm of the stored key, never under one that only the
 * token names.
 */
export async function readToken(text: string, expected: TokenExpectations): Promise<TokenClaims | null> {
  if (text.length > TOKEN_CHARACTERS_MAX || !COMPACT_FORM.test(text)) return null;
  // Stryker disable next-line StringLiteral: the form has three parts, which the compiler cannot know
  const [headerSegment = '', payloadSegment = '', signatureSegment = ''] = text.split('.');
  // The last character carries bits that decoding drops: without this, one signature has several spellings.
  if (Buffer.from(signatureSegment, 'base64url').toString('base64url') !== signatureSegment) return null;
  const header = readHeader(headerSegment);
  if (header === null) return null;
  const key = await expected.findKey(header.kid);
  // Stryker disable next-line ConditionalExpression: `jwtVerify` refuses both once more; none of the two relies on it
  if (key === null || key.algorithm !== header.alg) return null;
  try {
    await jwtVerify(text, key.publicKey, {
      algorithms: [key.algorithm],
      typ: TOKEN_TYPE,
      issuer: expected.issuer,
      ...(expected.audiences === null ? {} : { audience: [...expected.audiences] }),
      currentDate: new Date(expected.now),
    });
  } catch {
    // Only a wrong token gets here: the database was asked before.
    return null;
  }
  const claims = readClaims(readSegment(payloadSegment), expected.now);
  if (claims === null || claims.workspace !== expected.workspaceId) return null;
  // They verify for longer than their tokens live: one that is gone was retired at once, and its tokens with it.
  for (const kid of claims.anckid ?? []) if ((await expected.findKey(kid)) === null) return null;
  return claims;
}

/** The id of the key that signed a token which was found good before. */
export function readKeyId(text: string): string {
  // Stryker disable next-line StringLiteral: there is a part before the first dot, which the compiler cannot know
  const header = readHeader(text.split('.', 1)[0] ?? '');
  if (header === null) throw new Error('Only tokens that were verified are asked for their key.');
  return header.kid;
}
