import type { FastifyReply, FastifyRequest } from 'fastify';
import { isSecureRequest, readCredential, SECURE_SESSION_COOKIE, SESSION_COOKIE } from '../../http/index.ts';
import type { Secret } from '../../lib/secret.ts';
import { SESSION_AGE_MAX_MS } from './sessions.service.ts';

function toHeader(request: FastifyRequest, value: string, maxAgeSeconds: number): string {
  const name = isSecureRequest(request) ? SECURE_SESSION_COOKIE : SESSION_COOKIE;
  const secure = isSecureRequest(request) ? ' Secure;' : '';
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly;${secure} SameSite=Strict`;
}

export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, cookie: Secret): void {
  void reply.header('set-cookie', toHeader(request, cookie.reveal(), SESSION_AGE_MAX_MS / 1_000));
}

/** Has the browser forget the session and what the console has stored. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('set-cookie', toHeader(request, '', 0));
  // Not "cookies": browsers would clear those of every sibling host too. Over plain http they ignore the header.
  if (isSecureRequest(request)) void reply.header('clear-site-data', '"storage"');
}

/** The session cookie of a request to a route on which it does not count as a credential. */
export function readSessionCookie(request: FastifyRequest): Secret | null {
  const { cookie } = request.headers;
  const credential = cookie === undefined ? null : readCredential({ cookie }, isSecureRequest(request));
  return credential?.kind === 'cookie' ? credential.value : null;
}
