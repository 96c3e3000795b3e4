import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** A way to hold connections of a server for as long as possible at next to no cost. */
export interface SlowClient {
  readonly name: string;
  /** What is sent at once. */
  readonly opening: string;
  /** What follows, a piece every half second, the last one again and again; null when nothing does. */
  readonly drip: readonly string[] | null;
  /** Never takes anything of an answer. */
  readonly isReading: boolean;
}

const DRIP_MS = 500;
const HOST = 'Host: 127.0.0.1';
/** More than the system keeps for a connection that nobody reads. */
const ANSWERS_UNREAD = 40;
const ESTABLISHED_OR_CLOSING = /^(?:01|04|05|08)$/;

/** @param largePath of an answer of some hundred kibibytes */
export function listSlowClients(largePath: string): readonly SlowClient[] {
  const lines = ['X-a: b\r\n'];
  const post = (path: string) =>
    `POST ${path} HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n{`;
  const push = `PUT /api/v2/package HTTP/1.1\r\n${HOST}\r\nContent-Length: 9000000\r\n\r\nPK`;
  return [
    { name: 'silence', opening: '', drip: null, isReading: true },
    { name: 'a head that stops', opening: `GET / HTTP/1.1\r\n${HOST}\r\n`, drip: null, isReading: true },
    {
      name: 'a head in drops (slowloris)',
      opening: `GET / HTTP/1.1\r\n${HOST}\r\n`,
      drip: lines,
      isReading: true,
    },
    {
      name: 'a head in drops to a gateway route',
      opening: 'GET /v1/authorize HTTP/1.1\r\n',
      drip: [`${HOST}\r\n`, ...lines],
      isReading: true,
    },
    { name: 'a body that stops', opening: post('/v1/session'), drip: null, isReading: true },
    { name: 'a body in drops', opening: post('/v1/session'), drip: [' '], isReading: true },
    { name: 'a body in drops to verify', opening: post('/v1/keys/verify'), drip: [' '], isReading: true },
    {
      name: 'a body in drops without an end',
      opening: toChunked(post('/v1/session')),
      drip: ['1\r\n \r\n'],
      isReading: true,
    },
    { name: 'a package of nobody in drops', opening: push, drip: ['x'], isReading: true },
    {
      name: 'answers that are not read',
      opening: `GET ${largePath} HTTP/1.1\r\n${HOST}\r\n\r\n`.repeat(ANSWERS_UNREAD),
      drip: null,
      isReading: false,
    },
  ];
}

function toChunked(request: string): string {
  return request.replace('Content-Length: 4096', 'Transfer-Encoding: chunked').replace(/\{$/, '1\r\n{\r\n');
}

export interface SlowAttack {
  /** How many of the connections the process at that port still holds, by the name of the client. */
  countHeld(): Record<string, number>;
  close(): void;
}

/** Opens so many connections of each client, and keeps them for as long as the server lets it. */
export async function openSlowClients(
  port: number,
  clients: readonly SlowClient[],
  connectionsEach: number,
): Promise<SlowAttack> {
  const sockets: Socket[] = [];
  const names = new Map<number, string>();
  const openings: Promise<void>[] = [];
  for (const client of clients)
    for (let index = 0; index < connectionsEach; index += 1) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      sockets.push(socket);
      openings.push(open(socket, client, names));
    }
  await Promise.all(openings);
  return {
    countHeld: () => {
      const held = listHeldPorts(port)
        .map((remote) => names.get(remote))
        .filter((name) => name !== undefined);
      const counts: Record<string, number> = {};
      for (const name of held) counts[name] = (counts[name] ?? 0) + 1;
      return counts;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function open(socket: Socket, client: SlowClient, names: Map<number, string>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).once('connect', () => {
      socket.off('error', reject);
      resolve();
    });
  });
  // That the server ends it is what is waited for.
  socket.on('error', () => {});
  names.set(socket.localPort ?? 0, client.name);
  if (client.isReading) socket.resume();
  if (client.opening !== '') socket.write(client.opening);
  const { drip } = client;
  if (drip === null) return;
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(drip[Math.min(sent, drip.length - 1)] ?? '');
    sent += 1;
  }, DRIP_MS);
  socket.on('close', () => clearInterval(timer));
}

/** Ports of the peers of a server's connections that still belong to its process (`proc(5)`, `/proc/net/tcp`). */
function listHeldPorts(port: number): number[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return (
    ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1))
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state = '']) => local.endsWith(suffix) && ESTABLISHED_OR_CLOSING.test(state))
      // Without a process, the system alone still tries to deliver what was written before the end.
      .filter((fields) => fields[9] !== '0')
      .map(([, , remote = '']) => Number.parseInt(remote.split(':')[1] ?? '', 16))
  );
}
