import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requestErrors } from '../errors/index.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How long the body of a request may take to arrive, in milliseconds; the default of the server otherwise. */
    bodyDeadlineMs?: number;
  }
}

/**
 * Gives each route a deadline of its own for the arrival of the request body. Node has one `requestTimeout` for
 * all requests, so it must be at least the longest of these; this hook then holds all other routes to the short
 * one. A body that is late is answered with 408, and its connection is closed.
 */
export function registerBodyDeadline(app: FastifyInstance, options: { readonly defaultMs: number }): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    const hasBody =
      raw.headers['transfer-encoding'] !== undefined || (raw.headers['content-length'] ?? '0') !== '0';
    if (hasBody) {
      const deadlineMs = request.routeOptions.config.bodyDeadlineMs ?? options.defaultMs;
      const timer = setTimeout(() => endLateBody(request, reply), deadlineMs);
      timer.unref();
      // Emitted once the body was read, and also when the connection breaks.
      raw.once('close', () => clearTimeout(timer));
    }
    done();
  });
}

function endLateBody(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request;
  if (raw.complete) return;
  if (reply.sent) {
    raw.destroy();
    return;
  }
  // Whoever waits for the body must neither answer a second time nor wait for ever.
  raw.removeAllListeners('data').removeAllListeners('error');
  raw.on('error', () => {});
  reply.raw.once('finish', () => raw.destroy());
  void reply.header('connection', 'close').send(requestErrors.timeout());
}

export interface DrainLimits {
  readonly bytesMax: number;
  readonly deadlineMs: number;
  /** What has to come in each stretch of time, so that drops do not hold a connection until the deadline. */
  readonly pace?: { readonly bytesMin: number; readonly everyMs: number };
}

/** Four kibibytes a second: less than any line over which somebody would send a package. */
const DRAIN_PACE = { bytesMin: 16 * 1024, everyMs: 4_000 };

/**
 * Reads the rest of a request body and throws it away, within limits. A client that is still sending when the
 * answer comes reports a broken connection, never shows the answer, and some send everything again.
 *
 * @returns false when the limits came first; the connection cannot be used again then
 */
export async function drainBody(raw: IncomingMessage, limits: DrainLimits): Promise<boolean> {
  if (raw.readableEnded || raw.destroyed) return raw.readableEnded;
  const { bytesMin, everyMs } = limits.pace ?? DRAIN_PACE;
  return await new Promise((resolve) => {
    let drainedBytes = 0;
    let knownBytes = 0;
    const stop = (isDrained: boolean) => {
      clearTimeout(timer);
      clearInterval(looks);
      raw.off('data', onData).off('end', onEnd).off('close', onEnd);
      if (!isDrained) raw.pause();
      resolve(isDrained);
    };
    const timer = setTimeout(() => stop(false), limits.deadlineMs);
    const looks = setInterval(() => {
      if (drainedBytes < knownBytes + bytesMin) stop(false);
      knownBytes = drainedBytes;
    }, everyMs);
    const onData = (chunk: Uint8Array) => {
      drainedBytes += chunk.length;
      if (drainedBytes > limits.bytesMax) stop(false);
    };
    const onEnd = () => stop(raw.readableEnded);
    // A client that gives up is no fault of ours; without a listener its error would end the process.
    raw.on('error', () => {});
    raw.on('data', onData).on('end', onEnd).on('close', onEnd);
    raw.resume();
  });
}
