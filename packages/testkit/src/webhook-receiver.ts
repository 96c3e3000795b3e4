import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TestCertificate } from './smtp-sink.ts';

export interface ReceivedMessage {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Answer = (response: ServerResponse, message: ReceivedMessage) => void;

export interface WebhookReceiver {
  readonly port: number;
  /** Of the root, with a slash at the end. */
  readonly url: string;
  /** Every message that arrived whole, whatever was answered. */
  readonly messages: readonly ReceivedMessage[];
  /** Connections that were made, also those on which nothing was sent. */
  readonly connectionCount: number;
  /** What to answer from now on; 204 until then. */
  answerWith(answer: Answer): void;
  /** Forgets what came, and answers 204 again. */
  reset(): void;
  close(): Promise<void>;
}

const ACCEPT: Answer = (response) => response.writeHead(204).end();

/** A real HTTP server on a free loopback port that keeps what it gets and misbehaves on request. */
export async function startWebhookReceiver(
  options: { readonly certificate?: TestCertificate } = {},
): Promise<WebhookReceiver> {
  const { certificate } = options;
  let answer = ACCEPT;
  let connectionCount = 0;
  const messages: ReceivedMessage[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = {
        path: request.url ?? '',
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      messages.push(message);
      answer(response, message);
    });
  };
  const server =
    certificate === undefined ? createPlainServer(onRequest) : createTlsServer(certificate, onRequest);
  server.on('connection', () => {
    connectionCount += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return {
    port: address.port,
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}/`,
    messages,
    get connectionCount() {
      return connectionCount;
    },
    answerWith: (next) => {
      answer = next;
    },
    reset: () => {
      answer = ACCEPT;
      connectionCount = 0;
      messages.length = 0;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
