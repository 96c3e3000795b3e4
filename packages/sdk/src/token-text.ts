import { base64url } from 'jose';
import type { TokenPermission } from './permissions.ts';
import { TokenRefusedError } from './token-refused.ts';

const TOKEN_TYPE = 'at+jwt';
/** All that the server signs with. A list of those allowed: RFC 8725 3.1. */
export const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Twice what the server issues at most; nothing longer is even looked at. */
const TOKEN_CHARACTERS_MAX = 8_192;
const COMPACT_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** RFC 7638 thumbprints: nothing else is worth asking the issuer about. */
export const KID_FORM = /^[A-Za-z0-9_-]{43}$/;
const HEADER_MEMBERS = 'alg,kid,typ';
/** The longest lifetime that the settings of a workspace allow. */
const LIFETIME_SECONDS_MAX = 86_400;
/** How often the server lets a token be exchanged in a row. */
const ANCESTORS_MAX = 8;

/** What a good token says. */
export interface TokenClaims {
  /** Address of the workspace that issued it. */
  readonly issuer: string;
  readonly audience: string;
  /** Id of the account. */
  readonly sub: string;
  /** The API key for which the token was got. */
  readonly clientId: string;
  /** Id of the workspace. */
  readonly workspace: string;
  /** Id of the token. */
  readonly tokenId: string;
  /** ISO 8601, UTC. */
  readonly issuedAt: string;
  /** ISO 8601, UTC: the first moment at which it is no good. */
  readonly expiresAt: string;
  /** Actions that are held on everything (`*`). */
  readonly scope: readonly string[];
  /** All rights, those of `scope` among them; null when the token was too short to tell: see `introspect`. */
  readonly permissions: readonly TokenPermission[] | null;
  /** The rights did not fit into the token: only the server can tell what it permits. */
  readonly introspect: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** A JSON object, not a list. */
export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/**
 * The JSON of a segment, or null. It has to be spelled as a serializer spells it: read and written again it is
 * the same text. So a member named twice (the first or the last?), a byte order mark, numbers beyond all
 * bounds and what is no UTF-8 are refused, and one token has one spelling.
 */
function readSegment(segment: string): Json | null {
  try {
    const bytes = base64url.decode(segment);
    // The last character carries bits that decoding drops.
    if (base64url.encode(bytes) !== segment) return null;
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text, (name, member: unknown) => {
      if (name === '__proto__') throw new SyntaxError('a member that others take for the prototype');
      if (!name.isWellFormed() || (typeof member === 'string' && !member.isWellFormed()))
        throw new SyntaxError('unpaired surrogate');
      return member;
    });
    return isRecord(value) && JSON.stringify(value) === text ? value : null;
  } catch {
    return null;
  }
}

function isCanonical(segment: string): boolean {
  try {
    return base64url.encode(base64url.decode(segment)) === segment;
  } catch {
    return false;
  }
}

export interface TokenParts {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** Not to be believed before the signature was checked. */
  readonly payload: Json;
}

/**
 * Takes a token apart without believing any of it. The header has exactly the members that the server writes:
 * one that brings its own key (`jwk`, `jku`, `x5u`, `x5c`) or extensions (`crit`, `b64`, `zip`) is none of ours.
 *
 * @throws TokenRefusedError `malformed`
 */
export function splitToken(text: string): TokenParts {
  const isFit = typeof text === 'string' && text.length <= TOKEN_CHARACTERS_MAX && COMPACT_FORM.test(text);
  if (!isFit) throw new TokenRefusedError('malformed');
  const [head = '', body = '', signature = ''] = text.split('.');
  const header = isCanonical(signature) ? readSegment(head) : null;
  const payload = header === null ? null : readSegment(body);
  if (header === null || payload === null) throw new TokenRefusedError('malformed');
  const algorithm = ALGORITHMS.find((name) => name === header['alg']);
  const kid = header['kid'];
  const isOurs =
    Object.keys(header).toSorted().join() === HEADER_MEMBERS &&
    header['typ'] === TOKEN_TYPE &&
    typeof kid === 'string' &&
    KID_FORM.test(kid);
  if (!isOurs || algorithm === undefined) throw new TokenRefusedError('malformed');
  return { kid, algorithm, payload };
}

/**
 * RFC 9396: the rights of a token (`{ type: 'keyreeve', actions, identifiers }`), or null when one cannot be read;
 * details of other types tell nothing about ours.
 */
export function readDetails(value: unknown): readonly TokenPermission[] | null {
  if (!Array.isArray(value) || !value.every(isRecord)) return null;
  const own = value.filter((detail) => detail['type'] === 'keyreeve');
  const isReadable = own.every((detail) => isTexts(detail['actions']) && isTexts(detail['identifiers']));
  if (!isReadable) return null;
  return own.map((detail) => ({
    actions: detail['actions'] as readonly string[],
    resources: detail['identifiers'] as readonly string[],
  }));
}

/** RFC 6749 3.3: actions by blanks; none when it is absent, null when it is no text. */
export function readScope(value: unknown): readonly string[] | null {
  if (value === undefined) return [];
  return typeof value === 'string' ? value.split(' ').filter((action) => action !== '') : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** ISO 8601 of seconds since 1970, or null when no calendar has that moment. */
function toIso(seconds: unknown): string | null {
  const moment = isSeconds(seconds) ? new Date(seconds * 1000) : null;
  return moment === null || Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

/**
 * The ids of the keys that signed the tokens for which this one was exchanged, where they are others (`anckid`).
 *
 * @throws TokenRefusedError
 */
export function readSignersOfLine(payload: Json): readonly string[] {
  const signers = payload['anckid'] ?? [];
  const areIds =
    isTexts(signers) && signers.length <= ANCESTORS_MAX && signers.every((kid) => KID_FORM.test(kid));
  if (!areIds) throw new TokenRefusedError('wrong_claims');
  return signers;
}

export interface Expected {
  readonly issuer: string;
  readonly audience: string;
  readonly toleranceSeconds: number;
  /** Milliseconds. */
  readonly now: number;
}

/** `nbf` is not issued, but honoured. */
function checkLife(payload: Json, { now, toleranceSeconds }: Expected): void {
  const seconds = Math.floor(now / 1000);
  const { iat, exp, nbf } = payload;
  const isOfOurLife = isSeconds(iat) && isSeconds(exp) && exp > iat && exp - iat <= LIFETIME_SECONDS_MAX;
  if (!isOfOurLife || (nbf !== undefined && !isSeconds(nbf))) throw new TokenRefusedError('wrong_claims');
  const start = Math.max(iat, nbf ?? 0);
  if (start > seconds + toleranceSeconds) throw new TokenRefusedError('not_yet_valid');
  if (exp <= seconds - toleranceSeconds) throw new TokenRefusedError('expired');
}

/**
 * The payload as claims (RFC 9068 2.2); its signature was checked before. JSON has texts, fractions, lists and
 * 1e400 where one text or a number of seconds is due.
 *
 * @throws TokenRefusedError
 */
export function readClaims(payload: Json, expected: Expected): TokenClaims {
  const { iss, aud, sub, client_id: clientId, workspace, jti } = payload;
  const [scope, issuedAt, expiresAt] = [
    readScope(payload['scope']),
    toIso(payload['iat']),
    toIso(payload['exp']),
  ];
  const details = payload['authorization_details'];
  const permissions = details === undefined ? null : readDetails(details);
  const introspect = payload['introspect'] === true;
  if (!isText(iss) || !isText(aud)) throw new TokenRefusedError('wrong_claims');
  if (iss !== expected.issuer) throw new TokenRefusedError('wrong_issuer');
  if (aud !== expected.audience) throw new TokenRefusedError('wrong_audience');
  checkLife(payload, expected);
  const areTexts = isText(sub) && isText(clientId) && isText(workspace) && isText(jti);
  // Exactly one of the two: a token that tells nothing must not be taken for one that permits everything.
  const isTold = introspect ? details === undefined && scope?.length === 0 : permissions !== null;
  if (!areTexts || !isTold || scope === null || issuedAt === null || expiresAt === null)
    throw new TokenRefusedError('wrong_claims');
  return {
    issuer: iss,
    audience: aud,
    sub,
    clientId,
    workspace,
    tokenId: jti,
    issuedAt,
    expiresAt,
    scope,
    permissions,
    introspect,
  };
}
