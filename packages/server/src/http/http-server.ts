import http, { type RequestListener, type Server } from 'node:http';
import https from 'node:https';

export interface ServerLimits {
  readonly headerBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Of a connection on which nothing happens, in the middle of a request. */
  readonly idleTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

const CHECKING_INTERVAL_MS = 500;

/** A server with all limits; the framework sets none on one that it did not make. */
export function createLimitedServer(
  listener: RequestListener,
  limits: ServerLimits,
  tls: { readonly cert: string; readonly key: string } | null,
): Server {
  const options = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    maxHeaderSize: limits.headerBytesMax,
    // Node would answer for itself, without a body; the workspace hook refuses such requests.
    requireHostHeader: false,
  };
  const server =
    tls === null
      ? http.createServer(options, listener)
      : https.createServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, listener);
  server.setTimeout(limits.idleTimeoutMs);
  return server;
}
