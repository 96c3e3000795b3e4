import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a process and PostgreSQL, and does to their connections what networks do. */
export interface DatabaseProxy {
  /** The address of the database through the proxy. */
  readonly url: string;
  /** Nothing goes through any more, in either direction, and nobody says so; new connections are taken. */
  freeze(): void;
  /** What was held back goes through. */
  thaw(): void;
  /** What is asked still arrives; with the first answer the connection breaks. */
  cutAtNextAnswer(): void;
  /** Breaks every connection, and takes new ones. */
  cut(): void;
  /** Breaks every connection, and refuses new ones until it is opened again. */
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

export async function openDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let isCutting = false;
  const join = (from: Socket, to: Socket, isAnswer: boolean): void => {
    sockets.add(from);
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.on('data', (part) => {
      if (isAnswer && isCutting) from.destroy();
      else to.write(part);
    });
    if (isFrozen) from.pause();
  };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    join(client, upstream, false);
    join(upstream, client, true);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const shut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    cut();
    await closed;
  };
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    freeze: () => {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    cutAtNextAnswer: () => {
      isCutting = true;
    },
    cut: () => {
      isCutting = false;
      cut();
    },
    shut,
    open: () => listen(port),
    close: shut,
  };
}
