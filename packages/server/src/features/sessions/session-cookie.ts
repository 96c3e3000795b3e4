import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCredential, SECURE_SESSION_COOKIE, SESSION_COOKIE } from '../../http/index.ts';
import type { Secret } from '../../lib/secret.ts';
import { SESSION_AGE_MAX_MS } from './sessions.service.ts';

/**
 * Whether the browser reaches us over https, directly or through a proxy that the workspace's address tells of.
 * Browsers take the `__Host-` name only then; it keeps sibling hosts from planting a session.
 */
function isSecure(request: FastifyRequest): boolean {
  return request.protocol === 'https' || request.caller.workspace.url.startsWith('https:');
}

function toHeader(request: FastifyRequest, value: string, maxAgeSeconds: number): string {
  const name = isSecure(request) ? SECURE_SESSION_COOKIE : SESSION_COOKIE;
  const secure = isSecure(request) ? ' Secure;' : '';
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly;${secure} SameSite=Strict`;
}

export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, cookie: Secret): void {
  void reply.header('set-cookie', toHeader(request, cookie.reveal(), SESSION_AGE_MAX_MS / 1_000));
}

/** Has the browser forget the session and what the console has stored. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('set-cookie', toHeader(request, '', 0));
  // Over plain http browsers ignore this header.
  if (isSecure(request)) void reply.header('clear-site-data', '"cookies", "storage"');
}

/** The session cookie of a request to a route on which it does not count as a credential. */
export function readSessionCookie(request: FastifyRequest): Secret | null {
  const { cookie } = request.headers;
  const credential = cookie === undefined ? null : readCredential({ cookie });
  return credential?.kind === 'cookie' ? credential.value : null;
}
