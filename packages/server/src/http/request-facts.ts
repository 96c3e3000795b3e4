import type { IncomingMessage } from 'node:http';
import { all, compile } from '@fastify/proxy-addr';

/**
 * Who asks, and for which host, as the framework finds it (`request.ip`, `.host`, `.protocol`), for the handler that
 * comes before it. What proxies say counts only when the peer itself is one of `trustProxy`.
 */
export interface RequestFacts {
  ip(request: Asking): string | null;
  host(request: Asking): string;
  isHttps(request: Asking): boolean;
}

type Asking = Pick<IncomingMessage, 'headers' | 'socket'>;

export function createRequestFacts(trustProxy: readonly string[]): RequestFacts {
  const isTrusted = trustProxy.length > 0 ? compile([...trustProxy]) : null;
  /** The last of several values, as the framework takes it: the one that the nearest proxy has added. */
  const readForwarded = ({ headers, socket }: Asking, name: string): string | null => {
    if (isTrusted === null) return null;
    const value = headers[name];
    if (typeof value !== 'string' || value === '' || !isTrusted(socket.remoteAddress ?? '', 0)) return null;
    return value.slice(value.lastIndexOf(',') + 1).trim();
  };
  return {
    ip: (request) => {
      if (isTrusted === null || request.headers['x-forwarded-for'] === undefined)
        return request.socket.remoteAddress ?? null;
      return all(request as IncomingMessage, isTrusted).at(-1) ?? null;
    },
    host: (request) => readForwarded(request, 'x-forwarded-host') ?? request.headers.host ?? '',
    isHttps: (request) =>
      (readForwarded(request, 'x-forwarded-proto') ?? ('encrypted' in request.socket ? 'https' : 'http')) ===
      'https',
  };
}
