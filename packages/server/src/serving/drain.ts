import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server, ServerResponse } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { LAST_ANSWERS } from '../http/index.ts';

/**
 * The end of an HTTP server without a lost request.
 *
 * A connection that is kept may bring a request at the very moment at which the server closes it: that request is
 * lost, and nothing in HTTP/1.1 prevents it (RFC 9112, 9.5). So the server does not close what is open. It takes no
 * new connection, ends each old one with the answer to its next request, which says so, and leaves those on which
 * nothing comes until the time is over that its answers have promised for them (`Keep-Alive: timeout=…`).
 */
export interface Drain {
  /** From now on each answer says `Connection: close`; connections are still taken. */
  endConnectionsWithAnswers(): void;
  /** Takes no connection any more. Resolves once the last one has ended; nothing is cut. */
  stopListening(): Promise<void>;
  /** What is open may end at once: no further request is expected. */
  closeIdle(): void;
  /** Ends what is left, whatever it is doing. */
  cut(): void;
}

/** A connection that never ends must not keep a server that stops: after this time the rest is cut. */
export const CUT_AFTER_MS = 10_000;

// Nothing is asked here for as long as the server goes on.
const REQUEST_STARTED = 'http.server.request.start';

function endConnection(message: unknown): void {
  const { response } = message as { readonly response: ServerResponse };
  // Not by a header: whoever writes the head himself takes the line `Connection` from here as well.
  response.shouldKeepAlive = false;
}

/** @see Drain. @param otherDoors what takes connections for the server at other addresses, see doors.ts */
export function createDrain(server: Server, otherDoors: () => readonly TcpServer[] = () => []): Drain {
  return {
    endConnectionsWithAnswers: () => {
      subscribe(REQUEST_STARTED, endConnection);
      server.emit(LAST_ANSWERS);
    },
    stopListening: async () => {
      // The method of an HTTP server would close the idle connections as well.
      const close = (door: TcpServer) =>
        new Promise<void>((resolve) => {
          TcpServer.prototype.close.call(door, () => resolve());
        });
      await Promise.all([server, ...otherDoors()].map(close));
      unsubscribe(REQUEST_STARTED, endConnection);
    },
    closeIdle: () => server.closeIdleConnections(),
    cut: () => server.closeAllConnections(),
  };
}
