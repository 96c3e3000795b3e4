import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { AnswerBatch } from './answer-batch.ts';
import { readPlainHead } from './plain-head.ts';
import {
  PLAIN_BODY_BYTES_MAX,
  type PlainLane,
  type PlainRoute,
  STATUS_LINES,
  type TimedAnswer,
} from './plain-lane.ts';

export interface SocketLaneLimits {
  /** Of a connection on which no request has come yet. */
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** For the rest of a request that has begun, before Node with its own deadlines waits for it. */
  readonly restTimeoutMs: number;
}

/** Heads with bodies that are larger are read by Node. */
const REQUEST_BYTES_MAX = 8_192;
/** Programs that write head and body one after the other send two pieces; whoever sends more is slow anyway. */
const PIECES_MAX = 3;
/** As Node does, so that a client which keeps to what it was told never meets a connection that is just closed. */
const KEEP_ALIVE_GRACE_MS = 1_000;
/** Unread answers of one connection; after them nothing is read from it either. */
const UNREAD_BYTES_MAX = 65_536;

/** What is the same for all connections of a server. */
interface Surroundings {
  readonly lane: PlainLane;
  readonly batch: AnswerBatch<TimedAnswer>;
  readonly limits: SocketLaneLimits;
  readonly isOpen: () => boolean;
  readonly tailLines: () => string;
  readonly refuse: (socket: Socket, code: string) => void;
  /** Gives a connection to Node for good, with what was read of its next request. */
  readonly handOver: (connection: PlainConnection, socket: Socket, bytes: Buffer) => void;
  readonly forget: (connection: PlainConnection) => void;
}

/**
 * One connection, for as long as only plain requests come on it, one after the other. The first thing that is
 * anything else is given to Node's own parser together with all that follows.
 */
class PlainConnection {
  readonly #socket: Socket;
  readonly #common: Surroundings;
  #held: Buffer | null = null;
  #pieces = 0;
  /** Found, and to be written at the end of this turn. */
  #pending: TimedAnswer | null = null;
  #hasAnswered = false;
  /** What was read after a pause may come at any time, not only in the turn in which it arrived. */
  #wasPaused = false;
  readonly #listeners = {
    data: (piece: Buffer) => this.#take(piece),
    end: () => this.#end(),
    timeout: () => this.#expire(),
    drain: () => void this.#socket.resume(),
    error: () => void this.#socket.destroy(),
    close: () => this.#common.forget(this),
  };

  constructor(socket: Socket, common: Surroundings) {
    this.#socket = socket;
    this.#common = common;
    // As of connections without TLS: it would end with its client's side otherwise, before the answer is written.
    socket.allowHalfOpen = true;
    socket.setTimeout(common.limits.headersTimeoutMs);
    for (const [name, listener] of Object.entries(this.#listeners)) socket.on(name, listener);
  }

  /** Nobody waits for anything on it, nor for the rest of an answer. */
  get isIdle(): boolean {
    const isAtRest = this.#pending === null && this.#held === null && this.#socket.writableLength === 0;
    return this.#hasAnswered && isAtRest;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Part of `AnswerBatch`: called at the end of the turn in which the answer was found, if not before. */
  write(timed: TimedAnswer): void {
    if (this.#pending !== timed) return;
    const { lane, limits, tailLines } = this.#common;
    this.#pending = null;
    this.#hasAnswered = true;
    const { status, headerLines, body } = timed.answer;
    const bytes = body === null ? 0 : Buffer.byteLength(body);
    const length = status === 204 ? '' : `content-length: ${bytes}\r\n`;
    const text = `${STATUS_LINES[status]}${headerLines}${length}${tailLines()}${body ?? ''}`;
    const socket = this.#socket;
    // Of pure ASCII both are the same bytes; written as Latin-1, they need not be looked at.
    const isRoom =
      socket.write(text, bytes === (body?.length ?? 0) ? 'latin1' : 'utf8') ||
      socket.writableLength < UNREAD_BYTES_MAX;
    lane.observe(timed);
    const idleMs = limits.keepAliveTimeoutMs + KEEP_ALIVE_GRACE_MS;
    if (socket.timeout !== idleMs) socket.setTimeout(idleMs);
    if (this.#held !== null) this.#handOver();
    else if (!isRoom) this.#pause();
  }

  #take(piece: Buffer): void {
    const { lane, batch, isOpen, limits } = this.#common;
    this.#pieces += 1;
    const bytes = this.#held === null ? piece : Buffer.concat([this.#held, piece]);
    this.#held = bytes;
    // Whoever does not wait for answers is served by Node, after the answer that is on its way. At once: behind the
    // end of what the client sends nothing can be put back.
    if (this.#pending !== null) {
      this.write(this.#pending);
      return;
    }
    const asked = isOpen() && bytes.length <= REQUEST_BYTES_MAX ? readRequest(lane, bytes) : null;
    if (asked === 'incomplete' && this.#pieces < PIECES_MAX) {
      if (this.#pieces === 1) this.#socket.setTimeout(limits.restTimeoutMs);
      return;
    }
    const found = asked === null || asked === 'incomplete' ? null : this.#answer(asked);
    if (found === null) {
      this.#handOver();
      return;
    }
    this.#held = null;
    this.#pieces = 0;
    this.#pending = found;
    batch.add(this, found);
  }

  #answer({ route, url, headers, body }: Asked): TimedAnswer | null {
    const socket = this.#socket;
    // Over TLS there are bytes that belong to no request: those of the handshake, or of a change of keys. They may have
    // made the connection readable long before the request was sent that is read together with them.
    const isAlone = !this.#wasPaused && !('encrypted' in socket);
    return this.#common.lane.answer(route, { method: route.method, url, headers, socket, isAlone }, body);
  }

  /** A client that does not read its answers is not read either. */
  #pause(): void {
    this.#wasPaused = true;
    this.#socket.pause();
  }

  #end(): void {
    if (this.#pending !== null) this.write(this.#pending);
    if (this.#held === null) this.#socket.end();
    else this.#refuse('HPE_INVALID_EOF_STATE');
  }

  #expire(): void {
    if (this.#held !== null) this.#handOver();
    else if (this.#hasAnswered) this.#socket.destroy();
    else this.#refuse('ERR_HTTP_REQUEST_TIMEOUT');
  }

  /** An answer to what still comes could not be sent any more, but would be counted. */
  #refuse(code: string): void {
    this.#held = null;
    this.#socket.removeListener('data', this.#listeners.data).once('data', () => this.destroy());
    this.#common.refuse(this.#socket, code);
  }

  #handOver(): void {
    const bytes = this.#held;
    if (bytes === null) return;
    this.#held = null;
    for (const [name, listener] of Object.entries(this.#listeners))
      this.#socket.removeListener(name, listener);
    this.#socket.setTimeout(0);
    this.#common.handOver(this, this.#socket, bytes);
  }
}

interface Asked {
  readonly route: PlainRoute;
  readonly url: string;
  readonly headers: NonNullable<ReturnType<typeof readPlainHead>>['headers'];
  readonly body: string;
}

/** Null when the bytes are no plain request of the lane; `incomplete` when they may be the beginning of one. */
function readRequest(lane: PlainLane, bytes: Buffer): Asked | 'incomplete' | null {
  const text = bytes.toString('latin1');
  if (!lane.mayBegin(text)) return null;
  const head = readPlainHead(text);
  if (head === null) return text.includes('\r\n\r\n') ? null : 'incomplete';
  const { method, url, headers, bodyBytes, endsAt } = head;
  const missing = endsAt + bodyBytes - text.length;
  if (bodyBytes > PLAIN_BODY_BYTES_MAX || missing < 0) return null;
  const route = lane.find(method, url);
  if (route === null || (bodyBytes > 0 && !route.bodyTypes.includes(headers['content-type'] ?? '')))
    return null;
  return missing > 0 ? 'incomplete' : { route, url, headers, body: text.slice(endsAt) };
}

/**
 * Takes the connections of a server before Node's parser does, and serves the plain requests of the lane on them:
 * reading a head that is known, and writing one, costs a third of what the objects of `node:http` cost. Everything is
 * done by documented means: a connection that is no longer plain is given to the server as any other program gives
 * one (`connection` may be emitted by users), its first bytes put back by `unshift`.
 */
export function takeConnections(
  server: Server,
  lane: PlainLane,
  isOpen: () => boolean,
  limits: SocketLaneLimits,
): void {
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  const ofNode = server.listeners(event) as ((this: Server, socket: Socket) => void)[];
  const connections = new Set<PlainConnection>();
  let isDraining = false;
  const common: Surroundings = {
    lane,
    limits,
    batch: new AnswerBatch(),
    isOpen: () => !isDraining && isOpen(),
    tailLines: createTailLines(lane.clock, limits.keepAliveTimeoutMs),
    refuse: (socket, code) => {
      server.emit('clientError', Object.assign(new Error(code), { code }), socket);
    },
    handOver: (connection, socket, bytes) => {
      connections.delete(connection);
      for (const listener of ofNode) listener.call(server, socket);
      socket.unshift(bytes);
    },
    forget: (connection) => {
      connections.delete(connection);
    },
  };
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    connections.add(new PlainConnection(socket, common));
  });
  // Each further request is Node's, which ends the connection with its answer when it is told so.
  server.on(LAST_ANSWERS, () => {
    isDraining = true;
  });
  closeWithServer(server, connections);
}

/** The methods of the server that end connections know only those that were given to Node. */
function closeWithServer(server: Server, connections: ReadonlySet<PlainConnection>): void {
  const closeIdle = server.closeIdleConnections.bind(server);
  const closeAll = server.closeAllConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdle();
    for (const connection of connections) if (connection.isIdle) connection.destroy();
  };
  server.closeAllConnections = () => {
    closeAll();
    for (const connection of connections) connection.destroy();
  };
}

/** Emitted on a server of which each connection is to end with the answer to its next request. */
export const LAST_ANSWERS = 'lastAnswers';

const SECOND_MS = 1_000;

/** The lines that Node adds to each head, and the end of it. */
function createTailLines(clock: Clock, keepAliveTimeoutMs: number): () => string {
  const rest = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveTimeoutMs / SECOND_MS)}\r\n\r\n`;
  let second = -1;
  let lines = '';
  return () => {
    const now = clock.now();
    if (Math.floor(now / SECOND_MS) !== second) {
      second = Math.floor(now / SECOND_MS);
      lines = `Date: ${new Date(now).toUTCString()}\r\n${rest}`;
    }
    return lines;
  };
}
