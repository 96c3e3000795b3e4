import type { FastifyRequest } from 'fastify';

/**
 * Whether the browser reaches us over https, directly or through a proxy that the workspace's address tells of.
 * Browsers take the `__Host-` cookie only then; it keeps sibling hosts from planting a session.
 */
export function isSecureRequest(request: FastifyRequest): boolean {
  return request.protocol === 'https' || request.caller.workspace.url.startsWith('https:');
}
