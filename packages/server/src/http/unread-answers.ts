import type { Server } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * How long nothing of an answer may be taken before that counts as one look; Node looks at its connections by their
 * timeouts, and counts what the client has taken as activity.
 */
const LOOK_MS = 2_500;
/** Of the time between two looks: after activity Node looks once more before it says anything. */
const AT_ONCE = 1.5;

/**
 * Ends connections of clients that ask for large answers and do not take them: five to eight seconds without a byte,
 * while there are bytes to take. A connection on which no answer waits keeps the timeout of the server, and so does one
 * over which a file goes out: between two bytes that a slow client takes through a proxy on this machine, as much has
 * to leave it as the system keeps for a connection, some megabytes.
 */
export function endUnreadAnswers(app: FastifyInstance, server: Server, lookMs = LOOK_MS): void {
  const looks = new WeakMap<Socket, number>();
  app.addHook('onSend', (_request, reply, payload, done) => {
    const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload);
    // Node gives the connection its own timeouts back when the answer has left, and with the next request.
    const { socket } = reply.raw;
    // Requests that are injected have none.
    if (isWhole && socket instanceof Socket) socket.setTimeout(lookMs);
    done();
  });
  server.on('timeout', (socket: Socket) => {
    if (socket.timeout !== lookMs) {
      socket.destroy();
      return;
    }
    const now = performance.now();
    if (now - (looks.get(socket) ?? Number.NEGATIVE_INFINITY) < lookMs * AT_ONCE) socket.destroy();
    looks.set(socket, now);
    socket.setTimeout(lookMs);
  });
}
