import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** A head that is ready, line by line; the content length, date and connection lines are added. */
export interface ReadyAnswer {
  readonly status: 200 | 204 | 403;
  /** `name: value\r\n` again and again; printable ASCII. */
  readonly headerLines: string;
  /** Null where the status has none. */
  readonly body: string | null;
}

interface Pending extends ReadyAnswer {
  readonly response: ServerResponse;
  readonly onSent: (() => void) | null;
}

/**
 * What of Node's own parts is used below, by names that it does not document. `writeHead` checks name and value of
 * each header anew, which for sixteen of them takes longer than to decide about a key.
 */
const STORE_HEADER = '_storeHeader';
const HAS_BODY = '_hasBody';
const CLOSE_READABLE = '_dumpAndCloseReadable';
const READ = '_read';

const HEADER = '_header';

interface Internals {
  [STORE_HEADER](head: string, headers?: readonly string[]): void;
  [HAS_BODY]: boolean;
  readonly [HEADER]: unknown;
}
interface ReadableInternals {
  [CLOSE_READABLE](): void;
  [READ](): void;
}

const STATUS_LINES = {
  200: 'HTTP/1.1 200 OK\r\n',
  204: 'HTTP/1.1 204 No Content\r\n',
  403: 'HTTP/1.1 403 Forbidden\r\n',
} as const;

/**
 * False when this Node has not got what the batch is made of, or when it does something else by the same names:
 * requests then take the way that needs none of it. Tried once, on an answer that nobody gets.
 */
export function canAnswerInBatches(): boolean {
  isSupported ??= tryHead();
  return isSupported;
}

let isSupported: boolean | null = null;

function tryHead(): boolean {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1 }));
  try {
    const own = { status: 200, headerLines: 'x-own: 1\r\n', body: '{}' } as const;
    storeHead(response, own);
    closeReadable(request);
    const head = (response as unknown as Internals)[HEADER];
    return (
      typeof head === 'string' &&
      /^HTTP\/1\.1 200 OK\r\nx-own: 1\r\ncontent-length: 2\r\n(?:[\w-]+: [^\r]+\r\n)*\r\n$/i.test(head) &&
      request.closed
    );
  } catch {
    return false;
  }
}

/** As the option `optimizeEmptyRequests` of Node's server does, but only for requests that nobody will read. */
export function closeReadable(request: IncomingMessage): void {
  const internals = request as unknown as ReadableInternals;
  internals[CLOSE_READABLE]();
  internals[READ]();
}

/**
 * Answers, written together at the end of the turn: one write after the other is twice as quick as each for itself,
 * between which the clients are woken.
 */
export class AnswerBatch {
  #pending: Pending[] = [];

  add(response: ServerResponse, answer: ReadyAnswer, onSent: (() => void) | null): void {
    const { status, headerLines, body } = answer;
    if (this.#pending.push({ response, status, headerLines, body, onSent }) === 1)
      setImmediate(() => this.#flush());
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const answer of pending) {
      write(answer);
      answer.onSent?.();
    }
  }
}

function storeHead(response: ServerResponse, { status, headerLines, body }: ReadyAnswer): void {
  const internals = response as unknown as Internals;
  response.statusCode = status;
  const head = STATUS_LINES[status] + headerLines;
  if (status !== 204) {
    internals[STORE_HEADER](head, ['content-length', String(Buffer.byteLength(body ?? ''))]);
    return;
  }
  internals[HAS_BODY] = false;
  internals[STORE_HEADER](head);
}

function write(answer: Pending): void {
  const { response, body } = answer;
  storeHead(response, answer);
  if (body === null) {
    response.end();
    return;
  }
  // Of pure ASCII both are the same bytes; written as Latin-1, they need not be looked at.
  response.end(body, Buffer.byteLength(body) === body.length ? 'latin1' : 'utf8');
}
