import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of what the server sends on its stream of revocations; all other connections are let through. */
export type StreamMode =
  | { readonly kind: 'pass' }
  /** Nothing comes any more, and nobody says so. */
  | { readonly kind: 'freeze' }
  /** Each piece comes later. */
  | { readonly kind: 'delay'; readonly ms: number };

export interface StallingProxy {
  readonly url: string;
  setMode(mode: StreamMode): void;
  /** Breaks the streams; new ones get through. */
  cutStreams(): void;
  close(): Promise<void>;
}

/** A proxy between a client and a server that does to the stream of revocations what networks do. */
export async function openStallingProxy(serverUrl: string): Promise<StallingProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const streams = new Set<Socket>();
  let mode: StreamMode = { kind: 'pass' };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (part) => {
      if (part.toString('latin1').startsWith('GET /v1/revocations')) streams.add(client);
      upstream.write(part);
    });
    upstream.on('data', (part) => {
      if (!streams.has(client) || mode.kind === 'pass') client.write(part);
      else if (mode.kind === 'delay')
        setTimeout(() => {
          if (!client.destroyed) client.write(part);
        }, mode.ms);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setMode: (next) => {
      mode = next;
    },
    cutStreams: () => {
      for (const socket of streams) socket.destroy();
    },
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
