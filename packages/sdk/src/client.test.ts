import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Credential,
  createClient,
  ifMatch,
  KeyreeveError,
  KeyreeveTransportError,
  paginate,
  UNEXPECTED_ANSWER,
} from './index.ts';

const FULL_KEY = 'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
const SETTINGS = { defaultLifetimeDays: 365 };

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
let baseUrl: string;
let stop: () => Promise<void>;

beforeEach(async () => {
  seen = [];
  answer = (_request, response) => sendJson(response, 200, SETTINGS);
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      answer(request, response);
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
afterEach(() => stop());

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

async function errorOf(call: () => Promise<unknown>): Promise<unknown> {
  return await call().then(
    () => expect.unreachable('the call was expected to fail'),
    (error: unknown) => error,
  );
}

describe('the credential', () => {
  it.each<[Credential, string, string]>([
    [{ fullKey: FULL_KEY }, 'authorization', `Bearer ${FULL_KEY}`],
    [{ token: 'a.b.c' }, 'authorization', 'Bearer a.b.c'],
    [
      { apiKey: 'kr_1', secretKey: 's' },
      'authorization',
      `Basic ${Buffer.from('kr_1:s').toString('base64')}`,
    ],
    [{ cookie: 'keyreeve_session=abc' }, 'cookie', 'keyreeve_session=abc'],
  ])('%o is sent as one header', async (credential, name, value) => {
    await createClient({ baseUrl, credential }).GET('/v1/settings');
    expect(seen[0]?.headers[name]).toBe(value);
    expect(
      [seen[0]?.headers.authorization, seen[0]?.headers.cookie].filter((header) => header !== undefined),
    ).toHaveLength(1);
  });

  it('is absent from anonymous requests', async () => {
    await createClient({ baseUrl }).GET('/v1/settings');
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('shows in no inspection of the client and in no error', async () => {
    const client = createClient({ baseUrl, credential: { fullKey: FULL_KEY } });
    answer = (_request, response) => response.destroy();
    const broken = await errorOf(() => client.GET('/v1/settings'));
    answer = (_request, response) => sendJson(response, 500, {});
    const refused = await errorOf(() => client.GET('/v1/settings'));
    for (const value of [client, broken, refused]) {
      expect(inspect(value, { depth: 10, showHidden: true })).not.toContain('abcdefghij');
      expect(JSON.stringify(value)).not.toContain('abcdefghij');
    }
  });

  it.each(['kr_secret\n', 'kr secret', 'kr_secreté', ''])(
    '%j is refused without being repeated',
    (fullKey) => {
      expect(() => createClient({ baseUrl, credential: { fullKey } })).toThrow(
        /^credential\.fullKey must be (?!.*secret)/,
      );
    },
  );

  it('does not travel along a redirect', async () => {
    answer = (_request, response) => response.writeHead(302, { location: `${baseUrl}/elsewhere` }).end();
    const error = await errorOf(() =>
      createClient({ baseUrl, credential: { fullKey: FULL_KEY } }).GET('/v1/settings'),
    );
    expect(error).toMatchObject({ code: UNEXPECTED_ANSWER, status: 302 });
    expect((error as Error).message).toContain('redirects');
    expect(seen).toHaveLength(1);
  });
});

describe('an answer', () => {
  it('is data, with the response for its headers', async () => {
    answer = (_request, response) => sendJson(response, 200, SETTINGS, { etag: '"3"' });
    const { data, response } = await createClient({ baseUrl: `${baseUrl}/` }).GET('/v1/settings');
    expect(data).toEqual(SETTINGS);
    expect(response.headers.get('etag')).toBe('"3"');
  });

  it('without content is undefined', async () => {
    answer = (_request, response) => response.writeHead(204).end();
    const { data } = await createClient({ baseUrl }).DELETE('/v1/keys/{keyId}', {
      params: { path: { keyId: 'kr_x' } },
    });
    expect(data).toBeUndefined();
  });

  it('follows a request with path, body and version in their places', async () => {
    const client = createClient({ baseUrl: `${baseUrl}/prefix/` });
    await client.PATCH('/v1/users/{id}', {
      params: { path: { id: 'a/b' } },
      body: { displayName: '花子' },
      headers: ifMatch(7),
    });
    expect(seen[0]).toMatchObject({
      method: 'PATCH',
      url: '/prefix/v1/users/a%2Fb',
      body: '{"displayName":"花子"}',
    });
    expect(seen[0]?.headers).toMatchObject({ 'if-match': '"7"', 'content-type': 'application/json' });
  });
});

describe('a refusal', () => {
  const problem = {
    type: 'https://keys.example.com/docs/errors/key.not_found',
    title: 'No such key',
    status: 404,
    detail: 'There is no such key.',
    code: 'key.not_found',
    instance: 'req_1',
    errors: [{ field: 'keyId', message: 'is unknown' }],
  };

  it('throws what the server said', async () => {
    answer = (_request, response) => sendJson(response, 404, problem, { 'retry-after': '7' });
    const error = await errorOf(() =>
      createClient({ baseUrl }).GET('/v1/keys/{keyId}', { params: { path: { keyId: 'kr_x' } } }),
    );
    expect(error).toBeInstanceOf(KeyreeveError);
    expect(error).toMatchObject({
      message: 'key.not_found: There is no such key.',
      code: 'key.not_found',
      status: 404,
      title: 'No such key',
      errors: problem.errors,
      requestId: 'req_1',
      docsUrl: problem.type,
      retryAfterSeconds: 7,
      problem,
    });
  });

  it.each([
    ['HTML of a proxy', '<html>Bad gateway</html>'],
    ['other JSON', '{"message":"no"}'],
    ['JSON that is no object', 'null'],
    ['nothing', ''],
  ])('with %s is an unexpected answer, its body not repeated', async (_name, body) => {
    answer = (_request, response) => response.writeHead(502).end(body);
    const error = await errorOf(() => createClient({ baseUrl }).GET('/v1/settings'));
    expect(error).toMatchObject({
      name: 'KeyreeveError',
      code: UNEXPECTED_ANSWER,
      status: 502,
      problem: null,
      requestId: null,
    });
    expect((error as Error).message).not.toContain('gateway');
  });
});

describe('no usable answer', () => {
  it('in time is client.timeout, also when only the body is late', async () => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    const error = await errorOf(() => createClient({ baseUrl, timeoutMs: 100 }).GET('/v1/settings'));
    expect(error).toBeInstanceOf(KeyreeveTransportError);
    expect(error).toMatchObject({ code: 'client.timeout' });
  });

  it('from a closed port is client.unreachable', async () => {
    await stop();
    expect(await errorOf(() => createClient({ baseUrl }).GET('/v1/settings'))).toMatchObject({
      code: 'client.unreachable',
    });
  });

  it('from another kind of server is client.malformed_answer', async () => {
    answer = (_request, response) => response.writeHead(200).end('<html>Welcome</html>');
    const error = await errorOf(() => createClient({ baseUrl }).GET('/v1/settings'));
    expect(error).toMatchObject({ code: 'client.malformed_answer' });
    expect((error as Error).message).not.toContain('Welcome');
  });

  it('because the caller aborted throws the reason of the caller', async () => {
    const reason = new Error('changed my mind');
    answer = () => undefined;
    const call = () => createClient({ baseUrl }).GET('/v1/settings', { signal: AbortSignal.abort(reason) });
    expect(await errorOf(call)).toBe(reason);
  });
});

describe('options', () => {
  it.each(['ftp://x', 'x', 'http://user:hunter2@x', 'http://x?q=hunter2', 'http://x#hunter2'])(
    '%s is no base address',
    (text) => {
      expect(() => createClient({ baseUrl: text })).toThrow(/^baseUrl must be (?!.*hunter2)/);
    },
  );

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31])('%d is no timeout', (timeoutMs) => {
    expect(() => createClient({ baseUrl, timeoutMs })).toThrow(/^timeoutMs must be/);
  });
});

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('paginate', () => {
  const page = (items: number[], nextCursor: string | null) => ({
    data: { items, nextCursor },
    response: new Response(),
  });

  it('yields every item, and fetches a page only when it is needed', async () => {
    const asked: unknown[] = [];
    const pages = [page([1, 2], 'a'), page([], 'b'), page([3], null)];
    const items = paginate(async (query) => {
      asked.push(query);
      return await Promise.resolve(pages[asked.length - 1] ?? page([], null));
    });
    expect((await items.next()).value).toBe(1);
    expect(asked).toEqual([{}]);
    const rest = await collect(items);
    expect(rest).toEqual([2, 3]);
    expect(asked).toEqual([{}, { cursor: 'a' }, { cursor: 'b' }]);
  });

  it('ends with an error when the server repeats a cursor', async () => {
    const items = paginate(() => Promise.resolve(page([1], 'a')));
    await expect(collect(items)).rejects.toThrow('repeats a cursor');
  });
});
