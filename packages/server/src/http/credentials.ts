import type { IncomingHttpHeaders } from 'node:http';
import { Secret } from '../lib/secret.ts';
import { authErrors } from './auth-errors.ts';

export const SESSION_COOKIE = 'keyreeve_session';
export const SECURE_SESSION_COOKIE = '__Host-keyreeve_session';

/** What a request presents, before anybody has looked whether it is any good. */
export type PresentedCredential =
  | { readonly kind: 'cookie'; readonly value: Secret }
  /** A full key, a token, or a foreign credential. */
  | { readonly kind: 'bearer'; readonly value: Secret }
  | { readonly kind: 'pair'; readonly apiKey: string; readonly secretKey: Secret };

const SINGLE_HEADERS = ['authorization', 'x-api-key', 'x-nuget-apikey', 'host', 'cookie'];
const SINGLE_HEADER_LENGTHS = new Set(SINGLE_HEADERS.map((name) => name.length));

/** The first credential or host header that was sent twice, or null. */
export function findRepeatedHeader(rawHeaders: readonly string[]): string | null {
  let seen = 0;
  // Stryker disable next-line EqualityOperator: a round more looks at an empty name
  for (let index = 0; index < rawHeaders.length; index += 2) {
    // Stryker disable next-line StringLiteral: there is a name at each place, which the compiler cannot know
    const raw = rawHeaders[index] ?? '';
    // Stryker disable next-line ConditionalExpression: it spares the work of the lines below for most headers
    if (!SINGLE_HEADER_LENGTHS.has(raw.length)) continue;
    const name = raw.toLowerCase();
    const position = SINGLE_HEADERS.indexOf(name);
    if (position < 0) continue;
    const bit = 1 << position;
    if ((seen & bit) !== 0) return name;
    seen |= bit;
  }
  return null;
}

/**
 * Refuses repeated credential and host headers: Node keeps the first of some and joins others, a proxy may
 * do the opposite, and then two parties decide about two different callers.
 *
 * @throws auth.ambiguous_credentials
 */
export function refuseRepeatedHeaders(rawHeaders: readonly string[]): void {
  const name = findRepeatedHeader(rawHeaders);
  if (name !== null)
    throw authErrors.ambiguous_credentials({ detail: `The header ${name} was sent twice. Send it once.` });
}

/** `user:password` of a Basic header, or null when it is not one. */
export function parseBasic(header: string): { user: string; password: Secret } | null {
  // Long enough for a token in the place of the password.
  const match = /^basic +([A-Za-z0-9+/=_-]{1,8192}) *$/i.exec(header);
  if (match?.[1] === undefined) return null;
  const text = Buffer.from(match[1], 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: new Secret(text.slice(colon + 1)) };
}

function fromAuthorization(header: string): PresentedCredential | null {
  const bearer = /^bearer +(\S{1,8192}) *$/i.exec(header);
  if (bearer?.[1] !== undefined) return { kind: 'bearer', value: new Secret(bearer[1]) };
  const basic = parseBasic(header);
  if (basic === null) {
    throw authErrors.invalid_credential({
      detail: 'The Authorization header is neither `Bearer <token>` nor `Basic <base64>`.',
    });
  }
  // What package clients send to whoever asks for Basic when they have nothing to send.
  if (basic.user === '' && basic.password.reveal() === '') return null;
  return fromPair(basic.user, basic.password);
}

/** A key in two halves, or a full key in the place of the password (what package clients can send). */
export function fromPair(user: string, password: Secret): PresentedCredential {
  const isWhole = user === '' || !password.reveal().match(/^[0-9A-Za-z]{49}$/);
  return isWhole ? { kind: 'bearer', value: password } : { kind: 'pair', apiKey: user, secretKey: password };
}

function spell(credential: PresentedCredential): string {
  return credential.kind === 'pair'
    ? `${credential.apiKey}_${credential.secretKey.reveal()}`
    : credential.value.reveal();
}

function readCookie(header: string | undefined, name: string): string | null {
  // Stryker disable next-line StringLiteral: a text without an equals sign has no cookie either
  for (const part of (header ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals !== -1 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return null;
}

/**
 * The one credential of a request, or null. A key in a header wins over the cookie, so that a program that
 * happens to send cookies is never taken for a person.
 *
 * @throws auth.ambiguous_credentials when two headers name different credentials
 * @throws auth.invalid_credential when a header cannot be read
 */
export function readCredential(headers: IncomingHttpHeaders, isSecure = false): PresentedCredential | null {
  const found: PresentedCredential[] = [];
  if (headers.authorization !== undefined && headers.authorization.trim() !== '') {
    const authorization = fromAuthorization(headers.authorization.trim());
    if (authorization !== null) found.push(authorization);
  }
  for (const name of ['x-api-key', 'x-nuget-apikey']) {
    const value = headers[name];
    if (typeof value === 'string' && value.trim() !== '')
      found.push({ kind: 'bearer', value: new Secret(value.trim().slice(0, 8192)) });
  }
  const [first] = found;
  if (first !== undefined) {
    if (found.some((other) => spell(other) !== spell(first))) throw authErrors.ambiguous_credentials();
    // A pair can only be the first: it comes in the Authorization header.
    return first;
  }
  // Over https only the `__Host-` name counts: the plain one can be planted by a sibling host.
  const secure = readCookie(headers.cookie, SECURE_SESSION_COOKIE);
  const cookie = secure ?? (isSecure ? null : readCookie(headers.cookie, SESSION_COOKIE));
  return cookie === null || cookie === '' ? null : { kind: 'cookie', value: new Secret(cookie) };
}
