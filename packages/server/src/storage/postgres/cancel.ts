import { connect } from 'node:net';
import type pg from 'pg';

const CANCEL_MS = 2_000;
// 1234 in the upper half and 5678 in the lower.
const CANCEL_REQUEST_CODE = 80_877_102;

/**
 * Asks the server to give up what it does for this client (PostgreSQL manual 55.2.8), by a connection of its own and
 * without waiting. Unlike `statement_timeout` as a parameter of the connection, poolers hand it on.
 */
export function cancelStatement(client: pg.ClientBase): void {
  const read = (name: string): unknown => Reflect.get(client, name);
  const [host, port, processId, secretKey] = ['host', 'port', 'processID', 'secretKey'].map(read);
  if (typeof host !== 'string' || typeof processId !== 'number' || typeof secretKey !== 'number') return;
  const message = Buffer.alloc(16);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(CANCEL_REQUEST_CODE, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secretKey, 12);
  const socket = host.startsWith('/')
    ? connect(`${host}/.s.PGSQL.${String(port)}`)
    : connect(Number(port), host);
  socket.setTimeout(CANCEL_MS, () => socket.destroy());
  // It is a courtesy: when it cannot be said, the statement ends by itself.
  socket.on('error', () => {});
  socket.end(message);
}
