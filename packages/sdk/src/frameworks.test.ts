import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express, { type ErrorRequestHandler } from 'express';
import fastify, { type FastifyInstance } from 'fastify';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyreeveError } from './errors.ts';
import { createKeyreeve as forExpress } from './express.ts';
import { keyreeve as forFastify } from './fastify.ts';
import type { GuardOptions, Identity } from './guard.ts';
import { createKeyreeve as forHono } from './hono.ts';
import { createKeyreeve as forNext } from './next.ts';
import type { VerifyAnswer, VerifyQuestion } from './verify-key.ts';

/**
 * How the middlewares sit in their frameworks: what these tell them of a request, where they put the caller, and where
 * errors go. Keys are judged here by a stand-in; e2e/sdk-middlewares.e2e.test.ts asks a real server.
 */

const VALID: VerifyAnswer = {
  valid: true,
  code: 'valid',
  keyId: 'kr_0123456789ABCDEF',
  account: { id: 'acc_1', kind: 'user', displayName: 'Ada', login: 'ada@example.com' },
  access: 'scoped',
  scopes: [],
  expiresAt: '2027-03-01T10:00:00.000Z',
  freshness: { source: 'database', ageMs: 0 },
};

let answer: (question: VerifyQuestion) => VerifyAnswer;
let questions: VerifyQuestion[];
/** What the framework handed to its own handler of errors. */
let caught: unknown[];
let handled: string[];

const options: Omit<GuardOptions<never>, 'clientIp'> = {
  baseUrl: 'https://keys.example.com',
  credential: { fullKey: 'kr_service' },
  keyVerifier: {
    verify: (question) => {
      questions.push(question);
      return new Promise((resolve) => resolve(answer(question)));
    },
    close: () => Promise.resolve(),
  },
};

const RULES = {
  report: { action: 'report:read' },
  open: { action: null, allowAnonymous: true },
  broken: { action: () => Promise.reject(new Error('the rule is out of order')) },
} as const;

function describeCaller(caller: Identity | null | undefined): { caller: string | null } {
  return { caller: caller?.accountId ?? null };
}

function startExpress(): Server {
  const app = express();
  const keyreeve = forExpress({ ...options, clientIp: (request) => request.ip });
  app.all(
    '/reports/:id',
    keyreeve({ ...RULES.report, resource: (request) => String(request.params['id']) }),
    (request, response) => {
      handled.push(request.method);
      response.json(describeCaller(request.keyreeve));
    },
  );
  app.get('/open', keyreeve(RULES.open), (request, response) => {
    response.json(describeCaller(request.keyreeve));
  });
  app.get('/broken', keyreeve(RULES.broken), (_request, response) => {
    response.json({});
  });
  const onError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
    caught.push(error);
    response.status(500).end('own page');
  };
  app.use(onError);
  return createServer(app);
}

async function startFastify(): Promise<FastifyInstance> {
  const app = fastify();
  await app.register(forFastify, { ...options, clientIp: (request) => request.ip });
  const rule = {
    ...RULES.report,
    resource: (request: { params: unknown }) => (request.params as { id: string }).id,
  };
  app.route({
    method: ['GET', 'OPTIONS', 'POST'],
    url: '/reports/:id',
    onRequest: app.requireKey(rule),
    handler: (request) => {
      handled.push(request.method);
      return describeCaller(request.keyreeve);
    },
  });
  app.get('/open', { onRequest: app.requireKey(RULES.open) }, (request) => describeCaller(request.keyreeve));
  app.get('/broken', { onRequest: app.requireKey(RULES.broken) }, () => ({}));
  app.get('/unguarded', (request) => describeCaller(request.keyreeve));
  app.setErrorHandler((error, _request, reply) => {
    caught.push(error);
    return reply.code(500).send('own page');
  });
  await app.ready();
  return app;
}

function startHono(): Server {
  const app = new Hono();
  const keyreeve = forHono({ ...options, clientIp: () => '127.0.0.1' });
  app.all('/reports/:id', keyreeve({ ...RULES.report, resource: (c) => c.req.param('id') ?? '' }), (c) => {
    handled.push(c.req.method);
    return c.json(describeCaller(c.get('keyreeve')));
  });
  app.get('/open', keyreeve(RULES.open), (c) => c.json(describeCaller(c.get('keyreeve'))));
  app.get('/broken', keyreeve(RULES.broken), (c) => c.json({}));
  app.onError((error, c) => {
    caught.push(error);
    return c.text('own page', 500);
  });
  const listener = getRequestListener(app.fetch);
  return createServer((request, response) => void listener(request, response));
}

const servers: Server[] = [];
const urls = new Map<string, string>();
let fastifyApp: FastifyInstance;

beforeAll(async () => {
  fastifyApp = await startFastify();
  await fastifyApp.listen({ port: 0, host: '127.0.0.1' });
  urls.set('Fastify', `http://127.0.0.1:${(fastifyApp.server.address() as AddressInfo).port}`);
  for (const [name, server] of [
    ['Express', startExpress()],
    ['Hono', startHono()],
  ] as const) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    urls.set(name, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
});
afterAll(async () => {
  for (const server of servers) server.close();
  await fastifyApp.close();
});
beforeEach(() => {
  answer = () => VALID;
  [questions, caught, handled] = [[], [], []];
});

/** Exactly these header lines, also one twice, which `fetch` would not send. */
async function sendRaw(url: string, path: string, lines: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(
    `${[`GET ${path} HTTP/1.1`, 'Host: a.test', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`,
  );
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe.each(['Express', 'Fastify', 'Hono'])('in %s, a guard', (name) => {
  const get = (path: string, init: RequestInit = {}) => fetch(`${urls.get(name)}${path}`, init);
  const key = { 'x-api-key': 'kr_good' };

  it('asks about the resource and the address of the request, and tells the handler who calls', async () => {
    const response = await get('/reports/r7', { headers: key });
    expect([response.status, await response.json()]).toEqual([200, { caller: 'acc_1' }]);
    expect(questions).toEqual([{ key: 'kr_good', action: 'report:read', resource: 'r7', ip: '127.0.0.1' }]);
  });

  it('answers a refusal itself, and no handler runs', async () => {
    answer = () => ({ ...VALID, valid: false, code: 'not_found' });
    const response = await get('/reports/r7', { headers: key });
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(response.headers.get('www-authenticate')).toContain('Bearer realm="keyreeve"');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ code: 'auth.invalid_credential', status: 401 });
    expect([handled, caught]).toEqual([[], []]);
  });

  it.each(['HEAD', 'OPTIONS', 'POST'])('holds for %s as well', async (method) => {
    const refused = await get('/reports/r7', { method });
    expect(refused.status).toBe(401);
    expect((await refused.text()) === '').toBe(method === 'HEAD');
    expect(handled).toEqual([]);
    expect((await get('/reports/r7', { method, headers: key })).status).toBe(200);
  });

  it('refuses a credential header that stands twice, also with the same value', async () => {
    for (const line of ['X-API-Key: kr_good', 'X-NuGet-ApiKey: kr_good', 'Authorization: Bearer kr_good'])
      expect(await sendRaw(urls.get(name) ?? '', '/reports/r7', [line, line])).toMatch(
        /^HTTP\/1.1 400 [\s\S]*auth\.ambiguous_credentials/,
      );
    expect(questions).toEqual([]);
  });

  it('lets anonymous requests pass where its rule says so', async () => {
    expect(await (await get('/open')).json()).toEqual({ caller: null });
    expect(await (await get('/open', { headers: key })).json()).toEqual({ caller: 'acc_1' });
  });

  it('leaves what its rule throws to the error handler of the application', async () => {
    const response = await get('/broken', { headers: key });
    expect([response.status, await response.text()]).toEqual([500, 'own page']);
    expect(caught).toEqual([new Error('the rule is out of order')]);
  });

  it('leaves it to the error handler when the server does not accept the service, with no status of its own', async () => {
    answer = () => {
      throw new KeyreeveError(403, null);
    };
    expect((await get('/reports/r7', { headers: key })).status).toBe(500);
    expect(caught).toEqual([expect.not.objectContaining({ status: 403 })]);
  });

  it('lets a hundred requests at once through, each with its own answer', async () => {
    answer = (question) => ({
      ...VALID,
      account: { ...VALID.account, id: 'key' in question ? question.key : '' } as never,
    });
    const ids = Array.from({ length: 100 }, (_, index) => `kr_${index}`);
    const callers = await Promise.all(
      ids.map(async (id) => (await get('/reports/r', { headers: { 'x-api-key': id } })).json()),
    );
    expect(callers).toEqual(ids.map((caller) => ({ caller })));
  });
});

describe('in Fastify, a route without a guard', () => {
  it('knows of no caller', async () => {
    expect(
      (await fastifyApp.inject({ url: '/unguarded', headers: { 'x-api-key': 'kr_good' } })).json(),
    ).toEqual({ caller: null });
  });
});

describe('in Next, a wrapped handler', () => {
  const context = { params: Promise.resolve({ id: 'r7' }) };
  const withKeyreeve = forNext(() => options);
  const GET = withKeyreeve(
    { action: 'report:read', resource: async (_request, { params }) => (await params)['id'] ?? '' },
    async (request, { keyreeve, params }: typeof context & { keyreeve: Identity | null }) =>
      Response.json({ ...describeCaller(keyreeve), ...(await params), method: request.method }),
  );
  const send = (init: RequestInit) => GET(new Request('https://a.test/reports/r7', init), context);

  it('gets parameters and caller in its second argument', async () => {
    const response = await send({ headers: { authorization: 'Bearer kr_good' } });
    expect(await response.json()).toEqual({ caller: 'acc_1', id: 'r7', method: 'GET' });
    expect(questions).toEqual([{ key: 'kr_good', action: 'report:read', resource: 'r7' }]);
  });

  it('is not run for a refused request; HEAD gets no body', async () => {
    expect([(await send({})).status, await (await send({})).json()]).toMatchObject([
      401,
      { code: 'auth.required' },
    ]);
    const head = await send({ method: 'HEAD' });
    expect([head.status, head.body]).toEqual([401, null]);
  });

  it('throws on what the rule or the handler throws', async () => {
    const wrapped = withKeyreeve({ action: null }, () => Promise.reject(new Error('own fault')));
    const request = new Request('https://a.test/', { headers: { 'x-api-key': 'kr_good' } });
    await expect(wrapped(request, context)).rejects.toThrow('own fault');
    await expect(withKeyreeve(RULES.broken, () => new Response())(request, context)).rejects.toThrow(
      'out of order',
    );
  });
});
