import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, type Server as TcpServer } from 'node:net';

type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>;

/**
 * `localhost` is an IPv4 and an IPv6 address on most machines, and which of them a program tries is its own affair. A
 * server listens at one only, and the framework opens the others only for servers that it has made itself. What comes
 * at these is served as if it had come to the server.
 *
 * @returns what listens there, for whoever ends the server
 */
export async function openOtherDoors(
  server: Server,
  host: string,
  resolve: Resolve = (name) => lookup(name, { all: true }),
): Promise<readonly TcpServer[]> {
  const main = server.address();
  if (host !== 'localhost' || main === null || typeof main === 'string') return [];
  const others = (await resolve(host)).filter(({ address }) => address !== main.address);
  const doors = await Promise.all(others.map(({ address }) => openDoor(server, address, main.port)));
  return doors.filter((door) => door !== null);
}

/** Null where this machine has no such address, or somebody else has the port: one address is enough to serve. */
async function openDoor(server: Server, host: string, port: number): Promise<TcpServer | null> {
  // As servers of `node:http` take their connections.
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit('connection', socket);
  });
  door.listen({ host, port });
  try {
    await once(door, 'listening');
    return door;
  } catch {
    return null;
  }
}
