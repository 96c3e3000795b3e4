import { connect } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../errors/index.ts';
import { drainBody, registerBodyDeadline } from './body-deadline.ts';

const DEADLINE_MS = 100;
let app: FastifyInstance;

afterEach(() => app.close());

async function start(): Promise<number> {
  app = Fastify();
  registerBodyDeadline(app, { defaultMs: DEADLINE_MS });
  app.setErrorHandler((error, _request, reply) => {
    const isKnown = error instanceof AppError;
    return reply.code(isKnown ? error.status : 500).send({ code: isKnown ? error.code : 'unknown' });
  });
  app.post('/short', async () => ({ ok: true }));
  app.post('/long', { config: { bodyDeadlineMs: 5_000 } }, async () => ({ ok: true }));
  app.addHook('onRequest', async (request) => {
    if (request.url === '/refused') throw new Error('refused');
  });
  app.post('/refused', async () => ({ ok: true }));
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return Number(new URL(address).port);
}

/** Sends the head and half of the body, the rest after `pauseMs`; resolves with all that comes until the end. */
async function send(
  port: number,
  path: string,
  pauseMs: number,
): Promise<{ text: string; isEnded: boolean }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let isEnded = false;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('close', () => (isEnded = true));
  socket.on('error', () => {});
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a"`,
  );
  await wait(pauseMs);
  socket.write(': 1}');
  await wait(100);
  socket.destroy();
  return { text, isEnded };
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe('the deadline of a body', () => {
  it('answers a body that is late with 408 and closes the connection', async () => {
    const { text, isEnded } = await send(await start(), '/short', 4 * DEADLINE_MS);
    expect(text).toMatch(/^HTTP\/1.1 408 /);
    expect(text).toContain('connection: close');
    expect(text).toContain('request.timeout');
    expect(isEnded).toBe(true);
  });

  it('lets a body pass that arrives in time, and keeps the connection', async () => {
    const { text, isEnded } = await send(await start(), '/short', DEADLINE_MS / 4);
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    expect(isEnded).toBe(false);
  });

  it('gives a route its own deadline', async () => {
    expect((await send(await start(), '/long', 3 * DEADLINE_MS)).text).toMatch(/^HTTP\/1.1 200 /);
  });

  it('closes the connection of a body that was refused before and still does not end', async () => {
    const { text, isEnded } = await send(await start(), '/refused', 4 * DEADLINE_MS);
    expect(text).toMatch(/^HTTP\/1.1 500 /);
    expect(isEnded).toBe(true);
  });
});

describe('drainBody', () => {
  it('stops at its limits and says so', async () => {
    app = Fastify();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.put('/', async (request) => ({
      isDrained: await drainBody(request.raw, { bytesMax: 1_000, deadlineMs: 100 }),
    }));
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const port = Number(new URL(address).port);
    const put = async (sentBytes: number, declaredBytes: number) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('error', () => {});
      socket.write(
        `PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: ${declaredBytes}\r\n\r\n${'x'.repeat(sentBytes)}`,
      );
      await wait(300);
      socket.destroy();
      return text;
    };
    expect(await put(900, 900)).toContain('{"isDrained":true}');
    expect(await put(2_000, 2_000)).toContain('{"isDrained":false}');
    expect(await put(10, 900)).toContain('{"isDrained":false}');
    expect(await put(0, 0)).toContain('{"isDrained":true}');
  });

  it('stops when no more than drops come, long before the deadline', async () => {
    app = Fastify();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const limits = { bytesMax: 10_000, deadlineMs: 5_000, pace: { bytesMin: 100, everyMs: 50 } };
    app.put('/', async (request) => ({ isDrained: await drainBody(request.raw, limits) }));
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const put = async (pieceBytes: number) => {
      const socket = connect(Number(new URL(address).port), '127.0.0.1');
      const said: string[] = [];
      socket.on('data', (chunk: Buffer) => said.push(chunk.toString())).on('error', () => {});
      socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 2000\r\n\r\n');
      for (let sent = 0; sent < 2_000 && said.length === 0; sent += pieceBytes) {
        socket.write('x'.repeat(pieceBytes));
        await wait(20);
      }
      await wait(100);
      socket.destroy();
      return said.join('');
    };
    expect(await put(1)).toContain('{"isDrained":false}');
    expect(await put(200)).toContain('{"isDrained":true}');
  });
});
