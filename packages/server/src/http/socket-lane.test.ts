import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestCertificate } from '../../../testkit/src/smtp-sink.ts';
import { PlainLane, type PlainRequest } from './plain-lane.ts';
import { RequestDurations } from './request-durations.ts';
import { LAST_ANSWERS, takeConnections } from './socket-lane.ts';

const LIMITS = { headersTimeoutMs: 60, keepAliveTimeoutMs: 72_000, restTimeoutMs: 60 };
const get = (query = '', lines = '') => `GET /plain${query} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const post = (body: string, path = '/plain') =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

let server: Server;
let lane: PlainLane;
let faults: string[];
let asked: PlainRequest[];
let isOpen: boolean;
let answerBody: string;

/** Answers `node <method> <url> <body>` itself, and lets the lane answer `lane <body>` to what is at `/plain`. */
beforeEach(async () => {
  faults = [];
  asked = [];
  isOpen = true;
  answerBody = '';
  server = createServer({ headersTimeout: 1_000, connectionsCheckingInterval: 50 }, (request, response) => {
    request.setEncoding('latin1');
    let body = '';
    request.on('data', (piece: string) => (body += piece));
    request.on('end', () => response.end(`node ${request.method} ${request.url} ${body}`));
  });
  const answer = (request: PlainRequest, body: string) => {
    if (request.url?.includes('routes') === true) return null;
    if (request.url?.includes('fault') === true) throw new Error('a fault of the database');
    asked.push(request);
    const said = body === '' ? answerBody || `lane ${request.url}` : `lane ${body}`;
    return { status: 200, headerLines: '', body: said, ip: null, workspaceId: '', actorId: '' } as const;
  };
  const routes = (['GET', 'POST'] as const).map((method) => ({
    method,
    path: '/plain',
    bodyTypes: ['text/plain'],
    answer,
  }));
  const clock = { now: () => Date.UTC(2026, 0, 1) };
  lane = new PlainLane(routes, {
    durations: new RequestDurations(),
    logger: pino({ level: 'silent' }),
    clock,
  });
  takeConnections(server, lane, () => isOpen, LIMITS);
  server.on('clientError', (fault: Error & { code: string }, socket: Socket) => {
    faults.push(fault.code);
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const open = async () => {
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('utf8').on('error', () => {});
  await once(socket, 'connect');
  return socket;
};
/** What comes until a text is there, or until the server ends the connection. */
const readUntil = async (socket: Socket, wanted: string) => {
  let text = '';
  const isThere = new Promise<void>((resolve) => {
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.includes(wanted)) resolve();
    });
    socket.on('close', () => resolve());
  });
  await isThere;
  socket.removeAllListeners('data').removeAllListeners('close');
  return text;
};
const exchange = async (socket: Socket, text: string, wanted: string) => {
  socket.write(text, 'latin1');
  return await readUntil(socket, wanted);
};
/** Each in a packet of its own: the server has taken one before the next is sent. */
const sendPieces = async (socket: Socket, pieces: readonly string[]) => {
  for (const piece of pieces) {
    socket.write(piece, 'latin1');
    for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate);
  }
};

describe('a connection of plain requests', () => {
  it('is served by the lane, request after request, with the lines that Node adds', async () => {
    const socket = await open();
    const first = await exchange(socket, get('?a'), 'lane /plain?a');
    expect(first).toBe(
      'HTTP/1.1 200 OK\r\ncontent-length: 13\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=72\r\n\r\nlane /plain?a',
    );
    expect(await exchange(socket, post('b'), 'lane b')).toContain('lane b');
    expect(asked.map(({ isAlone }) => isAlone)).toEqual([true, true]);
  });

  it('is told the length of a body in bytes, whatever its letters', async () => {
    answerBody = '鍵';
    expect(await exchange(await open(), get(), '鍵')).toContain('content-length: 3\r\n');
  });

  it('may bring a request in two pieces', async () => {
    const socket = await open();
    const text = post('abc');
    const answer = readUntil(socket, 'lane abc');
    await sendPieces(socket, [text.slice(0, -3), text.slice(-3)]);
    expect(await answer).toContain('lane abc');
  });

  it('ends with the answer when the client has ended its side', async () => {
    const socket = await open();
    const answer = readUntil(socket, 'never');
    socket.end(get());
    expect(await answer).toContain('lane /plain');
  });

  it('is not read while its client does not read', async () => {
    answerBody = 'x'.repeat(60_000);
    const serverSide = once(server, 'connection') as Promise<[Socket]>;
    const socket = await open();
    const [peer] = await serverSide;
    socket.pause();
    let unanswered = 0;
    for (let sent = 0; sent < 2_000 && unanswered < 3; sent += 1) {
      const answers = asked.length;
      await sendPieces(socket, [get()]);
      unanswered = asked.length === answers ? unanswered + 1 : 0;
    }
    expect(unanswered).toBe(3);
    expect(peer.writableLength).toBeLessThan(200_000);
    const answers = asked.length;
    socket.resume();
    await readUntil(socket, 'node GET');
    // What was waiting for long may be older or younger than the turn in which it is looked at.
    const late = asked.slice(answers).map(({ isAlone }) => isAlone);
    expect(late).toEqual([false]);
  });
});

describe('a connection over TLS', () => {
  let secure: https.Server;
  const openSecure = async () => {
    const { port } = secure.address() as AddressInfo;
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.setEncoding('utf8').on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  };
  beforeEach(async () => {
    secure = https.createServer(createTestCertificate(), (_, response) => response.end('node'));
    takeConnections(secure, lane, () => true, LIMITS);
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
  });
  afterEach(() => {
    secure.close();
    secure.closeAllConnections();
  });

  it('may have been ready before its request was sent: for the end of the handshake', async () => {
    expect(await exchange(await openSecure(), get(), 'lane')).toContain('lane');
    expect(asked.map(({ isAlone }) => isAlone)).toEqual([false]);
  });

  it('ends with the answers when the client has ended its side', async () => {
    for (const [before, last] of [
      ['', '?a'],
      [get('?1'), '?routes'],
    ] as const) {
      const socket = await openSecure();
      const answers = readUntil(socket, 'never');
      if (before !== '') socket.write(before);
      socket.end(get(last));
      expect(await answers).toMatch(before === '' ? /lane \/plain\?a$/ : /lane \/plain\?1[^]*node$/);
    }
  });
});

describe('a connection on which something else comes', () => {
  it('is given to Node, with all bytes, and stays there', async () => {
    const socket = await open();
    await exchange(socket, get(), 'lane');
    expect(await exchange(socket, post('abc', '/elsewhere'), 'node')).toContain('node POST /elsewhere abc');
    expect(await exchange(socket, get('?routes'), 'node')).toContain('node GET /plain?routes');
    expect(await exchange(socket, get('?again'), '?again')).toContain('node GET /plain?again');
  });

  it.each([
    ['requests that the routes answer', [get('?routes')], 'node GET /plain?routes'],
    ['a fault of the lane', [get('?fault')], 'node GET /plain?fault'],
    ['two requests at once', [get('?1') + get('?2')], 'node GET /plain?2'],
    [
      'a request in many pieces',
      [
        'POST /plain HT',
        ...post('ab')
          .slice(14)
          .split(/(?=\r)/),
      ],
      'node POST /plain ab',
    ],
    ['a body of another type', [post('ab').replace('text/plain', 'text/html')], 'node POST /plain ab'],
    ['a body that is too long', [post('x'.repeat(5_000))], 'node POST /plain xxx'],
    ['a head that is too long', [get('', `X: ${'x'.repeat(9_000)}\r\n`)], 'node GET /plain'],
    ['another spelling', [get('', 'X:  y\r\n')], 'node GET /plain'],
    ['the wish to end it', [get('', 'Connection: close\r\n')], 'node GET /plain'],
  ])('%s', async (_, pieces, wanted) => {
    const socket = await open();
    const answer = readUntil(socket, wanted);
    await sendPieces(socket, pieces);
    expect(await answer).toContain(wanted);
    expect(faults).toEqual([]);
  });

  it('is given to Node when the rest of a request does not come, which then waits as it always does', async () => {
    const socket = await open();
    socket.write(get().slice(0, -2));
    await once(socket, 'close');
    expect(faults).toEqual(['ERR_HTTP_REQUEST_TIMEOUT']);
    expect(asked).toEqual([]);
  });

  it('is refused as Node does when the client leaves in the middle, or says nothing', async () => {
    const socket = await open();
    socket.end(get().slice(0, -2));
    await once(socket.resume(), 'close');
    await once((await open()).resume(), 'close');
    expect(faults).toEqual(['HPE_INVALID_EOF_STATE', 'ERR_HTTP_REQUEST_TIMEOUT']);
  });

  it('is over once it was refused: what its client sent in the meantime is not looked at', async () => {
    server.removeAllListeners('clientError');
    server.on('clientError', (_, socket: Socket) => socket.end('refused'));
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setEncoding('utf8').on('error', () => {});
    await readUntil(socket, 'refused');
    await sendPieces(socket, [get()]);
    expect(asked).toEqual([]);
    socket.destroy();
  });
});

describe('the end of a server', () => {
  it('closes what is idle, and leaves what has not asked yet', async () => {
    const [idle, fresh] = [await open(), await open()];
    await exchange(idle, get(), 'lane');
    server.closeIdleConnections();
    await once(idle.resume(), 'close');
    expect(await exchange(fresh, get(), 'lane')).toContain('lane');
    server.closeAllConnections();
    await once(fresh.resume(), 'close');
  });

  it('cuts no answer that is not read yet', async () => {
    answerBody = 'x'.repeat(20_000_000);
    const serverSide = once(server, 'connection') as Promise<[Socket]>;
    const socket = await open();
    const [peer] = await serverSide;
    socket.pause();
    await sendPieces(socket, [get()]);
    expect(peer.writableLength).toBeGreaterThan(0);
    server.closeIdleConnections();
    let characters = 0;
    socket.on('data', (piece: string) => (characters += piece.length)).resume();
    while (!socket.destroyed) {
      await new Promise(setImmediate);
      server.closeIdleConnections();
    }
    expect(characters).toBeGreaterThan(answerBody.length);
  });

  it('leaves each further request to Node, which can say that it is the last', async () => {
    const [one, other] = [await open(), await open()];
    await exchange(one, get(), 'lane');
    await exchange(other, get(), 'lane');
    server.emit(LAST_ANSWERS);
    expect(await exchange(one, get(), 'node')).toContain('node GET /plain');
    isOpen = false;
    expect(await exchange(other, get(), 'node')).toContain('node GET /plain');
  });
});
