import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';

/** A request as the service behind a gateway got it. */
export interface Seen {
  readonly method: string;
  readonly target: string;
  /** Lower case; repeated ones joined. */
  readonly headers: IncomingMessage['headers'];
  readonly bodyBytes: number;
}

export interface EchoService {
  readonly port: number;
  /** What it has got since the last `take`. */
  readonly take: () => readonly Seen[];
  readonly close: () => void;
}

/** The service behind a gateway: remembers what it gets. It answers `/broken` with 500, everything else with 200. */
export async function startEchoService(): Promise<EchoService> {
  let seen: Seen[] = [];
  const server = createServer((request, response) => {
    let bodyBytes = 0;
    request.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length;
    });
    request.on('end', () => {
      const { method = '', url: target = '', headers } = request;
      seen.push({ method, target, headers, bodyBytes });
      response.writeHead(target === '/orders/broken' ? 500 : 200, { 'x-service': 'echo' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface WireRequest {
  readonly method?: string;
  /** As it goes into the request line: no library folds or encodes it. */
  readonly target?: string;
  readonly host?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Buffer;
  /** Without its length in the head. */
  readonly isChunked?: boolean;
}

export interface WireAnswer {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly header: (name: string) => string | null;
}

const TIMEOUT_MS = 20_000;

/** Sends a request byte by byte as it is given, and reads the answer. */
export async function sendOverWire(port: number, request: WireRequest): Promise<WireAnswer> {
  const {
    method = 'GET',
    target = '/orders/1',
    host = 'api.example.com',
    headers = [],
    body,
    isChunked = false,
  } = request;
  const connection = headers.some(([name]) => name.toLowerCase() === 'connection')
    ? []
    : ['Connection: close'];
  const length =
    body === undefined ? [] : [isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`];
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...connection,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...length,
  ];
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`No answer to ${method} ${target}.`)));
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (isChunked) socket.write(`${(body?.length ?? 0).toString(16)}\r\n`);
  if (body !== undefined) socket.write(body);
  if (isChunked) socket.write('\r\n0\r\n\r\n');
  // A gateway that refuses a body may reset the connection behind its answer.
  const fault = await new Promise<Error | null>((resolve) => {
    socket.on('close', () => resolve(null)).on('error', resolve);
  });
  const [head = ''] = text.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN);
  if (Number.isNaN(status))
    throw new Error(`No answer to ${method} ${target.slice(0, 80)}: "${text}"`, { cause: fault });
  const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim() ?? null;
  return { status, head, header };
}

/** The status of the answer to a request over HTTP/2, without TLS; null when the gateway resets the stream instead. */
export async function askOverHttp2(
  port: number,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number | null> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.setTimeout(TIMEOUT_MS, () => session.destroy(new Error(`No answer to ${target}.`)));
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':path': target, ':authority': 'api.example.com', ...headers });
      stream.on('response', (head) => resolve(head[':status'] ?? null));
      stream
        .on('error', () => resolve(null))
        .on('close', () => resolve(null))
        .resume();
    });
  } finally {
    session.destroy();
  }
}
