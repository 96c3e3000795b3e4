import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { type AppError, requestErrors } from '../errors/index.ts';
import { systemClock } from '../lib/clock.ts';

/** What Node tells of bytes on a connection that never became a request. */
interface UnreadableRequest extends Error {
  readonly code?: string;
  /** What came last, where the parser stopped in it: a buffer, of which the types of the framework do not know. */
  readonly rawPacket?: unknown;
}

const REASON_PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function toClientError(code: string | undefined, headerBytesMax: number): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = `The headers may have at most ${headerBytesMax} bytes. Send fewer or shorter ones.`;
    return requestErrors.headers_too_large({ detail });
  }
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? requestErrors.timeout() : requestErrors.malformed();
}

const ID_BYTES = 16;
// Asking the system for each one alone would take longer than all the rest of a quick answer's head.
const idBytes = Buffer.alloc(256 * ID_BYTES);
let usedBytes = idBytes.length;

export function newRequestId(): string {
  if (usedBytes === idBytes.length) {
    randomFillSync(idBytes);
    usedBytes = 0;
  }
  usedBytes += ID_BYTES;
  return `req_${idBytes.toString('hex', usedBytes - ID_BYTES, usedBytes)}`;
}

/**
 * Answers what Node could not read as a request (RFC 9112 2.2, RFC 6585 5) as every other fault is answered, and
 * ends the connection: where the next request would begin on it nobody knows. No hook has seen these bytes, so no
 * host is known either, and the docs link is that of the default workspace.
 */
export function answerUnreadable(
  fault: UnreadableRequest,
  socket: Socket,
  surroundings: {
    readonly baseUrl: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly headerBytesMax: number;
  },
): void {
  if (fault.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const { entry, status, code, detail } = toClientError(fault.code, surroundings.headerBytesMax);
  const instance = newRequestId();
  const type = `${surroundings.baseUrl}/docs/errors/${code}`;
  const body = JSON.stringify({ type, title: entry.title, status, detail, code, instance });
  const headers = {
    ...surroundings.headers,
    'x-request-id': instance,
    date: new Date(systemClock.now()).toUTCString(),
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  // RFC 9110 9.3.2: no content, or a gateway takes it for the answer to the next request.
  const { rawPacket } = fault;
  const isHead = Buffer.isBuffer(rawPacket) && /^(?:\r\n)*HEAD /.test(rawPacket.toString('latin1', 0, 16));
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${REASON_PHRASES[status] ?? ''}\r\n${head.join('')}\r\n${isHead ? '' : body}`,
  );
}
