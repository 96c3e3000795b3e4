import type { FastifyRequest } from 'fastify';

/**
 * Whether the browser reaches us over https, directly or through a proxy that the workspace's address tells of.
 * Browsers take the `__Host-` cookie only then; it keeps sibling hosts from planting a session.
 */
export function isSecureRequest(request: FastifyRequest): boolean {
  return request.protocol === 'https' || request.caller.workspace.url.startsWith('https:');
}

const LOOPBACK_HOST = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** Whether a `Host`, with or without port, names this machine itself. */
export function isLoopbackHost(host: string): boolean {
  const port = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  const name = port === -1 ? host : host.slice(0, port);
  return LOOPBACK_HOST.test(name);
}

/** Whether browsers may take the origin for trustworthy: over https, or without leaving the machine. */
export function isTrustworthyOrigin(request: FastifyRequest): boolean {
  return isSecureRequest(request) || isLoopbackHost(request.host);
}
