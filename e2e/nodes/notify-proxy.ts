import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface NotifyProxy {
  readonly port: number;
  /** How many connections have asked for notifications. */
  listenerCount(): number;
  /** From now on nothing that the database tells listeners gets through, and nobody says so; everything else does. */
  holdBack(): void;
  letThrough(): void;
  close(): Promise<void>;
}

/** A proxy in front of PostgreSQL that can cut `NOTIFY`, as a pooler or a firewall that forgets connections does. */
export async function openNotifyProxy(databasePort: number): Promise<NotifyProxy> {
  const sockets = new Set<Socket>();
  const listeners = new Set<Socket>();
  let isHeldBack = false;
  const server = createServer((client) => {
    const upstream = connect(databasePort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => {}); // `close` follows.
      socket.on('close', () => {
        sockets.delete(socket);
        listeners.delete(client);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (part) => {
      if (/\blisten\s+"?\w/i.test(part.toString('latin1'))) listeners.add(client);
      upstream.write(part);
    });
    upstream.on('data', (part) => {
      if (!isHeldBack || !listeners.has(client)) client.write(part);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    listenerCount: () => listeners.size,
    holdBack: () => {
      isHeldBack = true;
    },
    letThrough: () => {
      isHeldBack = false;
      // What was swallowed is missing in the middle of the protocol: such a connection is of no use any more.
      for (const socket of listeners) socket.destroy();
    },
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
