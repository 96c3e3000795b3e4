import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** So long nothing more comes: the other side waits for the next request. */
const SILENCE_MS = 700;
const PATIENCE_MS = 8_000;

/** Sends bytes, and returns the statuses of everything that comes back until the end, or until nothing comes any more. */
export async function sendRaw(port: number, bytes: string): Promise<number[]> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  await new Promise<void>((resolve) => {
    const deadline = setTimeout(resolve, PATIENCE_MS);
    let silence: NodeJS.Timeout | undefined;
    const end = () => {
      clearTimeout(deadline);
      clearTimeout(silence);
      resolve();
    };
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
    });
    socket.on('error', end).on('close', end);
    socket.write(Buffer.from(bytes, 'latin1'));
  });
  socket.destroy();
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)]
    .map(([, status]) => Number(status))
    .filter((one) => one !== 100);
}

/** Stands between a proxy and a server, and knows what the proxy has sent. */
export interface Tap {
  readonly port: number;
  /** The addresses of all requests, read as their sender has framed them. */
  listTargets(): string[];
  close(): void;
}

export async function startTap(serverPort: number): Promise<Tap> {
  const streams: Buffer[][] = [];
  const sockets: Socket[] = [];
  const tap = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    const chunks: Buffer[] = [];
    streams.push(chunks);
    sockets.push(client, server);
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(server).pipe(client);
    for (const socket of [client, server])
      socket.on('error', () => [client, server].forEach((one) => one.destroy()));
  }).listen(0, '127.0.0.1');
  await once(tap, 'listening');
  return {
    port: portOf(tap.address()),
    listTargets: () => streams.flatMap((chunks) => readTargets(Buffer.concat(chunks).toString('latin1'))),
    close: () => {
      for (const socket of sockets) socket.destroy();
      tap.close();
    },
  };
}

export function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('Nothing listens.');
  return address.port;
}

/** Proxies write well-formed messages: a length or chunks, never both. */
function readTargets(text: string): string[] {
  const targets: string[] = [];
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return targets;
    const head = text.slice(at, end);
    targets.push(head.split(' ')[1] ?? '');
    at = end + 4;
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length !== undefined) at += Number(length);
    else if (/^transfer-encoding: *chunked/im.test(head)) at = skipChunks(text, at);
  }
}

function skipChunks(text: string, start: number): number {
  let at = start;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (end < 0 || Number.isNaN(size)) return text.length;
    at = end + 2 + size + 2;
    if (size === 0) return at;
  }
}
