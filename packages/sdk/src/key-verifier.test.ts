import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient, createKeyVerifier, type KeyVerifier, verifyKey } from './index.ts';

const FULL_KEY = 'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
const VALID = {
  valid: true,
  code: 'valid',
  keyId: 'kr_0123456789ABCDEF',
  account: { id: 'acc_1', kind: 'service', displayName: 'CI', login: 'ci' },
  access: 'account',
  scopes: [],
  expiresAt: null,
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let onVerify: Handler;
let onStream: Handler;
let asked: number;
let streams: ServerResponse[];
let baseUrl: string;
let stop: () => Promise<void>;
let verifier: KeyVerifier | null;

beforeEach(async () => {
  asked = 0;
  streams = [];
  verifier = null;
  onVerify = (_request, response) => sendJson(response, 200, VALID);
  onStream = (_request, response) => sendStream(response, opened(), epoch(1));
  const server = createServer((request, response) => {
    if (request.url === '/v1/revocations') {
      streams.push(response);
      onStream(request, response);
      return;
    }
    request.resume().on('end', () => {
      asked += 1;
      onVerify(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});
afterEach(async () => {
  await verifier?.close();
  await stop();
});

function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function sendStream(response: ServerResponse, ...texts: string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const text of texts) response.write(text);
}

const START = performance.now();
/** A server whose monotonic clock starts anew with this file. */
const serverMs = (): number => Math.floor(performance.now() - START);
const toEvent = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const opened = (): string => toEvent('opened', { openedAtMs: serverMs() });
function epoch(number: number, rest: object = {}): string {
  const at = new Date().toISOString();
  return toEvent('epoch', { workspaceId: 'wsp_1', epoch: number, readAtMs: serverMs(), at, ...rest });
}

function openVerifier(rest: object = {}): KeyVerifier {
  verifier = createKeyVerifier({ baseUrl, credential: { fullKey: FULL_KEY }, cache: {}, ...rest });
  return verifier;
}

const ask = (of: KeyVerifier) => of.verify({ key: FULL_KEY });

/** Asks until an answer came from memory. */
async function warmUp(of: KeyVerifier): Promise<void> {
  await vi.waitFor(async () => {
    const before = asked;
    await ask(of);
    expect(asked).toBe(before);
  });
}

/** How often the server was asked by five calls, after the stream has had its time. */
async function countAsked(of: KeyVerifier): Promise<number> {
  await ask(of);
  await vi.waitFor(() => expect(streams.length).toBeGreaterThan(0));
  await new Promise((resolve) => setTimeout(resolve, 60));
  const before = asked;
  for (let times = 0; times < 5; times += 1) await ask(of);
  return asked - before;
}

describe('a verifier without a cache', () => {
  it('asks each time, and opens no stream', async () => {
    const plain = createKeyVerifier({ client: createClient({ baseUrl }) });
    for (let times = 0; times < 3; times += 1) expect(await ask(plain)).toEqual(VALID);
    await plain.close();
    expect([asked, streams.length]).toEqual([3, 0]);
  });
});

describe('a verifier with a cache', () => {
  it('asks once while its stream tells that nothing is revoked', async () => {
    await warmUp(openVerifier());
    expect(streams).toHaveLength(1);
  });

  it('asks anew as soon as the stream tells of a revocation', async () => {
    const own = openVerifier();
    await warmUp(own);
    onVerify = (_request, response) => sendJson(response, 200, { ...VALID, valid: false, code: 'disabled' });
    streams[0]?.write(epoch(2));
    await vi.waitFor(async () => expect(await ask(own)).toMatchObject({ code: 'disabled' }));
  });

  it('asks each time from the end of its stream until there is another', async () => {
    const own = openVerifier();
    await warmUp(own);
    streams[0]?.end();
    await vi.waitFor(async () => {
      const before = asked;
      await ask(own);
      expect(asked).toBe(before + 1);
    });
    await vi.waitFor(() => expect(streams).toHaveLength(2), { timeout: 3_000 });
    await warmUp(own);
  });

  it('asks each time after it was closed, and ends its stream', async () => {
    const own = openVerifier();
    await warmUp(own);
    const ended = new Promise((resolve) => streams[0]?.on('close', resolve));
    await own.close();
    await ended;
    const before = asked;
    await ask(own);
    await ask(own);
    expect([asked - before, streams.length]).toEqual([2, 1]);
  });

  it('refuses limits that nobody can want', () => {
    for (const cache of [{ entriesMax: 0 }, { maxAgeSeconds: 301 }, { entriesMax: 1.5 }])
      expect(() => openVerifier({ cache })).toThrow(/cache\.\w+ must be a whole number/);
  });

  const lies: [string, Handler][] = [
    ['refuses the stream', (_request, response) => sendJson(response, 403, {})],
    ['does not know it', (_request, response) => sendJson(response, 404, {})],
    ['answers once instead', (_request, response) => sendJson(response, 200, { epoch: 1 })],
    [
      'sends a page',
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    ['redirects it', (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['says nothing', () => {}],
    ['opens the stream and says nothing', (_request, response) => sendStream(response, ': hello\n\n')],
    ['tells an epoch without a time to count from', (_request, response) => sendStream(response, epoch(1))],
    ['tells no JSON', (_request, response) => sendStream(response, opened(), 'event: epoch\ndata: {1}\n\n')],
    ['tells null', (_request, response) => sendStream(response, opened(), 'event: epoch\ndata: null\n\n')],
    [
      'tells a text for a number',
      (_request, response) => sendStream(response, opened(), epoch(1, { epoch: '1' })),
    ],
    [
      'tells what is to come',
      (_request, response) => sendStream(response, opened(), epoch(1, { readAtMs: 1e12 })),
    ],
    ['goes backwards', (_request, response) => sendStream(response, opened(), epoch(2), epoch(1))],
    [
      'changes the workspace',
      (_request, response) => sendStream(response, opened(), epoch(1), epoch(1, { workspaceId: 'wsp_2' })),
    ],
    [
      'sends bytes that are no text',
      (_request, response) => {
        sendStream(response, opened());
        response.write(Buffer.from([0xff, 0xfe, 0x0a]));
      },
    ],
    [
      'sends one event without end',
      (_request, response) => sendStream(response, opened(), `data: ${'x'.repeat(200_000)}`),
    ],
    ['breaks off', (_request, response) => response.destroy()],
  ];
  it.each(lies)('asks each time when the server %s', async (_name, lie) => {
    onStream = lie;
    expect(await countAsked(openVerifier())).toBe(5);
  });

  it('is not led elsewhere with its credential', async () => {
    const asksElsewhere = vi.fn();
    onStream = (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end();
    onVerify = (request, response) => {
      if (request.url === '/elsewhere') asksElsewhere(request.headers);
      sendJson(response, 200, VALID);
    };
    await countAsked(openVerifier());
    expect(asksElsewhere).not.toHaveBeenCalled();
  });

  it('waits twice as long after each stream that a server refuses', async () => {
    onStream = (_request, response) => sendJson(response, 503, {});
    const own = openVerifier();
    const startedAt = performance.now();
    for (let times = 0; times < 100; times += 1) await ask(own);
    // The shortest pauses are 125, 250, 500 ms, and so on: the times at which a second, a third, a fourth may come.
    const tookMs = performance.now() - startedAt;
    expect(streams.length).toBeLessThanOrEqual(1 + Math.floor(Math.log2(tookMs / 125 + 1)));
  });
});

describe('a server that is', () => {
  const open = (rest: object = {}) => createClient({ baseUrl, timeoutMs: 300, ...rest });
  const question = { key: FULL_KEY };

  it('dead is told as such', async () => {
    await stop();
    await expect(verifyKey(open(), question)).rejects.toMatchObject({ code: 'client.unreachable' });
  });

  it('dead makes a verifier refuse also what it knows', async () => {
    const own = openVerifier();
    await warmUp(own);
    await stop();
    await vi.waitFor(() => expect(ask(own)).rejects.toMatchObject({ code: 'client.unreachable' }));
  });

  it.each<[string, Handler]>([
    ['silent', () => {}],
    ['slow with its headers', (_request, response) => response.flushHeaders()],
    [
      'dripping',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('%s is given up after the time', async (_name, handler) => {
    onVerify = handler;
    const startedAt = performance.now();
    await expect(verifyKey(open(), question)).rejects.toMatchObject({ code: 'client.timeout' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(asked).toBe(1);
  });

  it('refusing without end is not listened to', async () => {
    onVerify = (_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write('x'.repeat(20_000)), 5);
      response.on('close', () => clearInterval(timer));
    };
    const startedAt = performance.now();
    const refused = verifyKey(open({ timeoutMs: 4_000 }), question);
    await expect(refused).rejects.toMatchObject({ status: 401, code: 'client.unexpected_answer' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  const { keyId: _keyId, ...withoutKeyId } = VALID;
  it.each<[string, string, string]>([
    ['a page', 'text/html', '<html><body>Sign in</body></html>'],
    ['half of the JSON', 'application/json', '{"valid":tr'],
    ['nothing', 'application/json', ''],
    ['null', 'application/json', 'null'],
    ['a list', 'application/json', '[true]'],
    ['true', 'application/json', 'true'],
    ['only that it is valid', 'application/json', '{"valid":true}'],
    ['valid as a text', 'application/json', JSON.stringify({ ...VALID, valid: 'true' })],
    ['valid for a disabled key', 'application/json', JSON.stringify({ ...VALID, code: 'disabled' })],
    ['invalid with the code of a valid one', 'application/json', JSON.stringify({ ...VALID, valid: false })],
    ['a valid key without a name', 'application/json', JSON.stringify(withoutKeyId)],
    ['a valid key of nobody', 'application/json', JSON.stringify({ ...VALID, account: null })],
    ['an expiry that is no date', 'application/json', JSON.stringify({ ...VALID, expiresAt: 'soon' })],
    [
      'more than a megabyte',
      'application/json',
      JSON.stringify({ ...VALID, padding: 'x'.repeat(2_000_000) }),
    ],
  ])('lying with %s lets nobody in', async (_name, type, body) => {
    onVerify = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body);
    await expect(verifyKey(open(), question)).rejects.toMatchObject({ code: 'client.malformed_answer' });
  });
});

describe('a question is sent', () => {
  const answerOnce = (status: number, headers: object = {}): void => {
    onVerify = (_request, response) => {
      if (asked === 1) sendJson(response, status, {}, headers);
      else sendJson(response, 200, VALID);
    };
  };

  it('once more when the connection broke', async () => {
    onVerify = (_request, response) => {
      if (asked === 1) response.destroy();
      else sendJson(response, 200, VALID);
    };
    expect(await verifyKey(createClient({ baseUrl }), { key: FULL_KEY })).toEqual(VALID);
    expect(asked).toBe(2);
  });

  it('once more when the server is busy, after the time that it names', async () => {
    answerOnce(503, { 'retry-after': '1' });
    const startedAt = performance.now();
    expect(await verifyKey(createClient({ baseUrl }), { key: FULL_KEY })).toEqual(VALID);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    expect(asked).toBe(2);
  });

  it('once more and no oftener', async () => {
    onVerify = (_request, response) => sendJson(response, 503, {});
    await expect(verifyKey(createClient({ baseUrl }), { key: FULL_KEY })).rejects.toMatchObject({
      status: 503,
    });
    expect(asked).toBe(2);
  });

  it.each<[string, number, object, object]>([
    ['asks for more patience than callers have', 503, { 'retry-after': '3' }, {}],
    ['asks for patience in words', 503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, {}],
    ['throttles', 429, { 'retry-after': '1' }, {}],
    ['fails', 500, {}, {}],
    ['is busy, when nothing is to be retried', 503, {}, { retry: 'none' }],
  ])('once when the server %s', async (_name, status, headers, options) => {
    answerOnce(status, headers);
    const client = createClient({ baseUrl, ...options });
    await expect(verifyKey(client, { key: FULL_KEY })).rejects.toMatchObject({ status });
    expect(asked).toBe(1);
  });

  it('once when the caller gives up during the pause', async () => {
    answerOnce(503, { 'retry-after': '2' });
    const giveUp = new AbortController();
    const given = verifyKey(createClient({ baseUrl }), { key: FULL_KEY }, { signal: giveUp.signal });
    await vi.waitFor(() => expect(asked).toBe(1));
    giveUp.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect(asked).toBe(1);
  });

  it('never twice when it changes something, and a GET only on request', async () => {
    onVerify = (_request, response) => sendJson(response, 503, {});
    const [plain, eager] = [createClient({ baseUrl }), createClient({ baseUrl, retry: 'reads' })];
    const change = (client: typeof plain) => client.POST('/v1/keys/self/revoke');
    await expect(change(plain)).rejects.toMatchObject({ status: 503 });
    await expect(change(eager)).rejects.toMatchObject({ status: 503 });
    await expect(plain.GET('/v1/settings')).rejects.toMatchObject({ status: 503 });
    expect(asked).toBe(3);
    await expect(eager.GET('/v1/settings')).rejects.toMatchObject({ status: 503 });
    expect(asked).toBe(5);
  });
});
