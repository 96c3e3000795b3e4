import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { AnswerBatch } from './answer-batch.ts';
import { findRepeatedHeader } from './credentials.ts';
import {
  PLAIN_BODY_BYTES_MAX,
  type PlainLane,
  type PlainRoute,
  STATUS_LINES,
  type TimedAnswer,
} from './plain-lane.ts';
import { takeWholeBody } from './whole-body.ts';

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

/**
 * A connection that was given to Node stays there, where its requests cost twice as much. After so many plain ones it
 * is ended with the answer, as proxies end theirs, and the client opens another, which is one of the lane.
 */
const ANSWERS_MAX = 100;

interface Traffic {
  answers: number;
  /** To the request that came last, whoever answers it. */
  latest: ServerResponse;
  /** Requests of such a client may be under way already when it is told that the connection ends. */
  isPipelined: boolean;
}

/**
 * The lane for connections that Node reads: those on which something came that was not plain. It answers the plain
 * requests among the others before the framework.
 */
export class RequestLane {
  readonly #lane: PlainLane;
  readonly #batch = new AnswerBatch<TimedAnswer>();
  readonly #traffic = new WeakMap<Socket, Traffic>();

  constructor(lane: PlainLane) {
    this.#lane = lane;
  }

  /**
   * True when the request is taken. A request that is taken and then not answered is handed on by `leave`, with nothing
   * of it read.
   */
  tryAnswer(request: IncomingMessage, response: ServerResponse, leave: () => void): boolean {
    this.#follow(request.socket, response);
    const route = this.#lane.find(request.method, request.url ?? '');
    if (route === null || !isPlain(request)) return false;
    if (route.method === 'GET')
      return request.headers['content-length'] === undefined && this.#answer(route, request, response, '');
    return this.#holdForBody(route, request, response, leave);
  }

  /** Takes the request in any case: once its body is there, it is answered here or left to the routes. */
  #holdForBody(
    route: PlainRoute,
    request: IncomingMessage,
    response: ServerResponse,
    leave: () => void,
  ): boolean {
    const { headers } = request;
    const bytes = Number(headers['content-length'] ?? Number.NaN);
    if (!(bytes > 0 && bytes <= PLAIN_BODY_BYTES_MAX)) return false;
    if (!route.bodyTypes.includes(headers['content-type'] ?? '')) return false;
    const take = (body: Buffer) => this.#answer(route, request, response, body.toString('latin1'));
    takeWholeBody(request, bytes, take, leave);
    return true;
  }

  #answer(route: PlainRoute, request: IncomingMessage, response: ServerResponse, body: string): boolean {
    // Clients may send several requests at once, of which the later ones can be younger than this turn.
    const found = this.#lane.answer(route, Object.assign(request, { isAlone: false }), body);
    if (found === null) return false;
    closeReadable(request);
    const traffic = this.#trafficOf(request.socket, response);
    const write = () => {
      traffic.answers += 1;
      if (traffic.answers >= ANSWERS_MAX && !traffic.isPipelined) response.shouldKeepAlive = false;
      writeAnswer(response, found);
      this.#lane.observe(found);
    };
    this.#batch.add({ write }, found);
    return true;
  }

  /** A request that comes before the one before it was answered shows that the client sends ahead. */
  #follow(socket: Socket, response: ServerResponse): void {
    const traffic = this.#traffic.get(socket);
    if (traffic === undefined) return;
    traffic.isPipelined ||= !traffic.latest.writableEnded;
    traffic.latest = response;
  }

  #trafficOf(socket: Socket, response: ServerResponse): Traffic {
    let traffic = this.#traffic.get(socket);
    if (traffic === undefined) {
      traffic = { answers: 0, latest: response, isPipelined: false };
      this.#traffic.set(socket, traffic);
    }
    return traffic;
  }
}

/** Nothing in the head that another program could read differently, or that Node answers in a way of its own. */
function isPlain(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    request.httpVersionMinor === 1 &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined &&
    findRepeatedHeader(request.rawHeaders) === null &&
    canAnswerReady()
  );
}

/**
 * False when this Node has not got what the answers are made of, or when it does something else by the same names:
 * requests then take the way that needs none of it. Tried once, on an answer that nobody gets.
 */
function canAnswerReady(): boolean {
  isSupported ??= tryHead();
  return isSupported;
}

let isSupported: boolean | null = null;

function tryHead(): boolean {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1 }));
  try {
    storeHead(response, 200, 'x-own: 1\r\n', '{}');
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
function closeReadable(request: IncomingMessage): void {
  const internals = request as unknown as ReadableInternals;
  internals[CLOSE_READABLE]();
  internals[READ]();
}

function storeHead(
  response: ServerResponse,
  status: keyof typeof STATUS_LINES,
  headerLines: string,
  body: string | null,
): void {
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

function writeAnswer(response: ServerResponse, { answer }: TimedAnswer): void {
  const { status, headerLines, body } = answer;
  storeHead(response, status, headerLines, body);
  if (body === null) {
    response.end();
    return;
  }
  // Of pure ASCII both are the same bytes; written as Latin-1, they need not be looked at.
  response.end(body, Buffer.byteLength(body) === body.length ? 'latin1' : 'utf8');
}
