import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One connection that is kept for as long as the server keeps it, on which one request after the other is sent; several
 * times as quick as an agent of Node.
 */
export class RawCaller {
  readonly #port: number;
  #socket: Socket | null = null;
  #text = '';
  #waiting: PromiseWithResolvers<RawAnswer> | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** @param request its bytes, made by `toRequest`; there is an answer before the next one */
  async ask(request: Buffer): Promise<RawAnswer> {
    this.#socket ??= await this.#connect();
    const waiting = Promise.withResolvers<RawAnswer>();
    this.#waiting = waiting;
    this.#socket.write(request);
    return await waiting.promise;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setEncoding('latin1').setNoDelay(true);
    socket.on('data', (text: string) => this.#take(text));
    const fail = () => {
      if (this.#socket === socket)
        this.#waiting?.reject(new Error('The connection ended without an answer.'));
    };
    socket.on('error', fail).on('close', fail);
    return socket;
  }

  #take(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#text.slice(0, end);
    const length = Number(/\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const whole = end + 4 + length;
    if (this.#text.length < whole) return;
    const answer = { status: Number(head.slice(9, 12)), body: this.#text.slice(end + 4, whole) };
    this.#text = this.#text.slice(whole);
    if (/\nconnection: close/i.test(head)) this.close();
    this.#waiting?.resolve(answer);
  }
}

export interface RawCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Sent in one chunk without a length, which the plain lane leaves to the routes. */
  readonly isChunked?: boolean;
}

export function toRequest({ method, path, headers, body = '', isChunked = false }: RawCall): Buffer {
  const bytes = Buffer.from(body);
  const size: Record<string, string> = isChunked
    ? { 'Transfer-Encoding': 'chunked' }
    : bytes.length > 0
      ? { 'Content-Length': String(bytes.length) }
      : {};
  const lines = Object.entries({ Host: 'localhost', ...headers, ...size }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const head = Buffer.from(`${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`);
  if (!isChunked) return Buffer.concat([head, bytes]);
  return Buffer.concat([
    head,
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
}
