import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
}

export interface WireAnswer {
  readonly status: number;
  readonly phrase: string;
  /** Lower case; of a name that came several times, all. */
  readonly headers: ReadonlyMap<string, string>;
  /** Without its coding. */
  readonly body: Buffer;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const PATIENCE_MS = 20_000;

interface Waiting {
  readonly request: WireRequest;
  readonly resolve: (answer: WireAnswer) => void;
  readonly reject: (fault: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A client of one connection that is kept, for one request at a time. It sends bytes as they are given, which no
 * library does, and reads what a server of HTTP/1.1 may answer.
 */
export class WireClient {
  readonly #port: number;
  #socket: Socket | null = null;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  async send(request: WireRequest): Promise<WireAnswer> {
    const socket = this.#socket ?? this.#open();
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new Error('No answer in 20 seconds.')), PATIENCE_MS);
      this.#waiting = { request, resolve, reject, timer };
      socket.write(toBytes(request));
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #open(): Socket {
    const socket = connect(this.#port, '127.0.0.1').setNoDelay(true);
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      if (this.#socket === socket) this.#read(false);
    });
    socket.on('error', (fault) => this.#socket === socket && this.#fail(fault));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#read(true);
      this.#fail(
        new Error(`The connection was closed without an answer: ${this.#received.toString('latin1')}`),
      );
    });
    return socket;
  }

  #fail(fault: Error): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    this.close();
    if (waiting === null) return;
    clearTimeout(waiting.timer);
    waiting.reject(fault);
  }

  #read(isEnd: boolean): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    const parsed = parseAnswer(this.#received, waiting.request.method, isEnd);
    if (parsed === null) return;
    this.#waiting = null;
    clearTimeout(waiting.timer);
    this.#received = parsed.rest;
    if (parsed.rest.length > 0) {
      this.close();
      waiting.reject(new Error(`Bytes behind the answer: ${parsed.rest.toString('latin1').slice(0, 200)}`));
      return;
    }
    if (parsed.answer.headers.get('connection')?.toLowerCase() === 'close') this.close();
    waiting.resolve(parsed.answer);
  }
}

export function toBytes({ method, target, headers, body }: WireRequest): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const length = body === null ? [] : [`Content-Length: ${body.length}`];
  const head = Buffer.from(`${[...lines, ...length].join('\r\n')}\r\n\r\n`, 'latin1');
  return body === null ? head : Buffer.concat([head, body]);
}

/** The first answer in these bytes, and what comes behind it; null as long as it is not whole. */
export function parseAnswer(
  bytes: Buffer,
  method: string,
  isEnd: boolean,
): { readonly answer: WireAnswer; readonly rest: Buffer } | null {
  const end = bytes.indexOf(END_OF_HEAD);
  if (end < 0) return null;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, status = '', phrase = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  if (status === '') throw new Error(`No status line: ${statusLine}`);
  if (status === '100') return parseAnswer(bytes.subarray(end + 4), method, isEnd);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const before = headers.get(name);
    const value = line.slice(colon + 1).trim();
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const found = readBody(bytes, end + 4, headers, {
    isEmpty: method === 'HEAD' || status === '204' || status === '304',
    isEnd,
  });
  if (found === null) return null;
  const isPacked = headers.get('content-encoding') === 'gzip' && found.body.length > 0;
  const body = isPacked ? gunzipSync(found.body) : found.body;
  const answer = { status: Number(status), phrase, headers, body };
  return { answer, rest: bytes.subarray(found.end) };
}

interface FoundBody {
  readonly body: Buffer;
  readonly end: number;
}

function readBody(
  bytes: Buffer,
  start: number,
  headers: ReadonlyMap<string, string>,
  { isEmpty, isEnd }: { readonly isEmpty: boolean; readonly isEnd: boolean },
): FoundBody | null {
  if (isEmpty) return { body: Buffer.alloc(0), end: start };
  const length = headers.get('content-length');
  if (length !== undefined) {
    const end = start + Number(length);
    return bytes.length < end ? null : { body: bytes.subarray(start, end), end };
  }
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes, start);
  return isEnd ? { body: bytes.subarray(start), end: bytes.length } : null;
}

function readChunks(bytes: Buffer, start: number): FoundBody | null {
  const chunks: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const dataEnd = lineEnd + 2 + size;
    if (bytes.length < dataEnd + 2) return null;
    if (size === 0) return { body: Buffer.concat(chunks), end: dataEnd + 2 };
    chunks.push(bytes.subarray(lineEnd + 2, dataEnd));
    at = dataEnd + 2;
  }
}
