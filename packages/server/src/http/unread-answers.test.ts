import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endUnreadAnswers } from './unread-answers.ts';

const LOOK_MS = 100;
const IDLE_MS = 5_000;
/** Far more than the system keeps for a connection. */
const LARGE = 'x'.repeat(40_000_000);

let app: FastifyInstance;
let port: number;

beforeAll(async () => {
  app = Fastify({ forceCloseConnections: true });
  app.server.setTimeout(IDLE_MS);
  endUnreadAnswers(app, app.server, LOOK_MS);
  app.get('/large', async () => LARGE);
  app.get('/file', async () => Readable.from([LARGE]));
  app.get('/small', async () => 'small');
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  port = Number(new URL(address).port);
});
afterAll(() => app.close());

function ask(path: string): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

/** How many connections the server has. */
async function countConnections(): Promise<number> {
  return await new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)));
}

it('a connection whose client takes nothing of an answer is ended', async () => {
  const socket = ask('/large').pause();
  await expect.poll(countConnections).toBe(1);
  const startedAt = performance.now();
  await expect.poll(countConnections, { timeout: 3_000, interval: 10 }).toBe(0);
  expect(performance.now() - startedAt).toBeGreaterThan(2 * LOOK_MS - 50);
  socket.destroy();
});

it('a file is waited for as long as anything else', async () => {
  const socket = ask('/file').pause();
  await wait(10 * LOOK_MS);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.resume();
  await expect.poll(() => bytes, { timeout: 10_000 }).toBeGreaterThan(LARGE.length);
  socket.destroy();
});

it('a connection whose answer was taken is kept', async () => {
  const socket = ask('/small');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await expect.poll(() => text).toContain('small');
  await wait(5 * LOOK_MS);
  expect(await countConnections()).toBe(1);
  socket.destroy();
});
