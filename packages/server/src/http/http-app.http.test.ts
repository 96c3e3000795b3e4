import { once } from 'node:events';
import { connect } from 'node:net';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let harness: Harness;
let port = 0;
/** A key of an administrator that may do everything, and one that may read settings only. */
let fullKey = '';
let apiKey = '';
let secretKey = '';
let narrowKey = '';

beforeAll(async () => {
  harness = await startHarness();
  const admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
  });
  const caller = await harness.callerOf(admin);
  const mint = (actions: string[]) =>
    harness.deps.keys.create(caller, admin.id, {
      comment: 'CI',
      access: 'scoped',
      scopes: [{ actions, resources: ['*'] }],
    });
  const minted = await mint(['iam:*', 'package:*']);
  fullKey = minted.fullKey.reveal();
  apiKey = minted.key.id;
  secretKey = minted.secretKey.reveal();
  narrowKey = (await mint(['iam:settings:read'])).fullKey.reveal();
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  const address = harness.app.server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});
afterAll(() => harness.close());

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD';

async function call(method: Method, url: string, headers: Record<string, string> = {}, payload?: string) {
  return await harness.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
}

const withKey = (more: Record<string, string> = {}) => ({ authorization: `Bearer ${fullKey}`, ...more });
const withJson = (more: Record<string, string> = {}) =>
  withKey({ 'content-type': 'application/json', ...more });

/** Sends the bytes as they are, as no client library would, and returns the whole answer. */
async function sendRaw(text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  socket.on('error', () => {});
  socket.write(text.replaceAll('\n', '\r\n'));
  await once(socket, 'close');
  return answer;
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);

interface ProblemCase {
  readonly status: number;
  readonly code: string;
  readonly method: Method;
  readonly url: string;
  readonly headers?: () => Record<string, string>;
  readonly payload?: string;
}

const PROBLEMS: readonly ProblemCase[] = [
  { status: 400, code: 'request.invalid', method: 'GET', url: '/v1/users?limit=0', headers: withKey },
  {
    status: 400,
    code: 'request.malformed',
    method: 'PATCH',
    url: '/v1/settings',
    headers: withJson,
    payload: '{"a":',
  },
  { status: 400, code: 'request.malformed', method: 'GET', url: '/v1/users/%zz', headers: withKey },
  { status: 401, code: 'auth.required', method: 'GET', url: '/v1/settings' },
  {
    status: 401,
    code: 'auth.invalid_credential',
    method: 'GET',
    url: '/v1/settings',
    headers: () => ({ 'x-api-key': 'wrong' }),
  },
  {
    status: 403,
    code: 'auth.insufficient_scope',
    method: 'GET',
    url: '/v1/users',
    headers: () => ({ 'x-api-key': narrowKey }),
  },
  { status: 404, code: 'request.not_found', method: 'GET', url: '/v1/users/acc_unknown', headers: withKey },
  { status: 404, code: 'request.not_found', method: 'GET', url: '/v1/nowhere', headers: withKey },
  { status: 404, code: 'request.not_found', method: 'POST', url: '/nowhere' },
  {
    status: 405,
    code: 'request.method_not_allowed',
    method: 'DELETE',
    url: '/v1/settings',
    headers: withKey,
  },
  {
    status: 412,
    code: 'request.precondition_failed',
    method: 'PATCH',
    url: '/v1/settings',
    headers: () => withJson({ 'if-match': '"99"' }),
    payload: '{"requireAction":true}',
  },
  {
    status: 413,
    code: 'request.body_too_large',
    method: 'PATCH',
    url: '/v1/settings',
    headers: () => withJson({ 'if-match': '*' }),
    payload: `{"a":"${'x'.repeat(65_536)}"}`,
  },
  {
    status: 415,
    code: 'request.unsupported_media_type',
    method: 'PATCH',
    url: '/v1/settings',
    headers: () => withKey({ 'content-type': 'text/plain' }),
    payload: '{}',
  },
  {
    status: 421,
    code: 'request.unknown_host',
    method: 'GET',
    url: '/v1/settings',
    headers: () => withKey({ host: 'elsewhere.example' }),
  },
  {
    status: 428,
    code: 'request.precondition_required',
    method: 'PATCH',
    url: '/v1/settings',
    headers: withJson,
    payload: '{"requireAction":true}',
  },
];

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as string,
};

describe('every problem', () => {
  it.each(PROBLEMS)(
    'has the same shape and safe headers: $status $code ($method $url)',
    async ({ status, code, method, url, headers, payload }) => {
      const answer = await call(method, url, headers?.() ?? {}, payload);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.json()).toEqual(
        expect.objectContaining({
          type: `${harness.deps.defaultWorkspace.url}/docs/errors/${code}`,
          title: expect.stringMatching(/\w/) as string,
          status,
          detail: expect.stringMatching(/\w/) as string,
          code,
          instance: answer.headers['x-request-id'],
        }),
      );
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/);
      expect(answer.headers).toMatchObject(SECURITY_HEADERS);
      expect(answer.headers['www-authenticate'] === undefined).toBe(status !== 401);
    },
  );

  it('names the limit when a body is too large', async () => {
    const answer = await call('PATCH', '/v1/settings', withJson(), `"${'x'.repeat(70_000)}"`);
    expect(answer.json<{ detail: string }>().detail).toContain('65536 bytes');
  });
});

describe('an answer', () => {
  it('carries the safe headers when all is well, too', async () => {
    expect((await call('GET', '/v1/settings', withKey())).headers).toMatchObject(SECURITY_HEADERS);
    expect((await call('GET', '/healthz')).headers).toMatchObject(SECURITY_HEADERS);
  });

  it('says which methods an address has, in Allow', async () => {
    const answer = await call('DELETE', '/v1/settings');
    expect(answer.headers['allow']).toBe('GET, HEAD, PATCH');
    expect((await call('OPTIONS', '/v1/users/acc_1')).headers['allow']).toBe('DELETE, GET, HEAD, PATCH');
    expect((await call('PUT', '/v1/users/?q=x')).headers['allow']).toBe('GET, HEAD, POST');
  });

  it('to HEAD has the headers of GET and no body', async () => {
    const answer = await call('HEAD', '/v1/settings', withKey());
    expect([answer.statusCode, answer.headers['etag'], answer.payload]).toEqual([200, '"0"', '']);
  });

  it('is the same with a trailing slash', async () => {
    expect((await call('GET', '/v1/settings/', withKey())).statusCode).toBe(200);
  });
});

describe('the OpenAPI document', () => {
  it('names the address of the workspace as its server', async () => {
    const document = (await call('GET', '/openapi.json')).json<{ servers: object[] }>();
    expect(document.servers).toEqual([{ url: harness.deps.defaultWorkspace.url }]);
  });

  it('is not to be had, and the reference neither, at a host of no workspace', async () => {
    for (const url of ['/openapi.json', '/docs', '/docs/endpoints'])
      expect((await call('GET', url, { host: 'nobody.example' })).statusCode, url).toBe(421);
  });

  it('is sent again only when it has changed', async () => {
    const { headers } = await call('GET', '/openapi.json');
    const etag = String(headers['etag']);
    expect(headers['cache-control']).toBe('no-cache');
    expect((await call('GET', '/openapi.json', { 'if-none-match': etag })).statusCode).toBe(304);
    expect((await call('GET', '/openapi.json', { 'if-none-match': '"other"' })).statusCode).toBe(200);
  });

  it('states for every operation who may call it', async () => {
    const document = (await call('GET', '/openapi.json')).json<{
      openapi: string;
      paths: Record<
        string,
        Record<string, { security?: object[]; description?: string; operationId?: string }>
      >;
    }>();
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(document.openapi).toBe('3.1.0');
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) {
      expect(operation.security, operation.operationId).not.toEqual([]);
      expect(operation.security, operation.operationId).toBeDefined();
      expect(operation.description).toContain('Who: ');
    }
    const ids = operations.map((operation) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a credential', () => {
  it.each<[string, () => Record<string, string>]>([
    ['Bearer', () => ({ authorization: `Bearer ${fullKey}` })],
    ['Basic with both halves', () => ({ authorization: `Basic ${btoa(`${apiKey}:${secretKey}`)}` })],
    [
      'Basic with the full key as password',
      () => ({ authorization: `Basic ${btoa(`anything:${fullKey}`)}` }),
    ],
    ['X-API-Key', () => ({ 'x-api-key': fullKey })],
    ['X-NuGet-ApiKey', () => ({ 'x-nuget-apikey': fullKey })],
    [
      'the same in three spellings',
      () => ({
        authorization: `Basic ${btoa(`${apiKey}:${secretKey}`)}`,
        'x-api-key': fullKey,
        'x-nuget-apikey': fullKey,
      }),
    ],
  ])('is taken as %s', async (_name, headers) => {
    const answer = await call('GET', '/v1/keys/self', headers());
    expect(answer.json()).toMatchObject({ key: { id: apiKey } });
  });

  it('beside a different one is refused, whichever is good', async () => {
    for (const headers of [
      { authorization: `Bearer ${fullKey}`, 'x-api-key': narrowKey },
      { 'x-nuget-apikey': fullKey, 'x-api-key': 'wrong' },
    ]) {
      const answer = await call('GET', '/v1/keys/self', headers);
      expect(answer.json()).toMatchObject({ status: 400, code: 'auth.ambiguous_credentials' });
    }
  });

  it('is not taken from the query string', async () => {
    const answer = await call('GET', `/v1/keys/self?api_key=${fullKey}&access_token=${fullKey}`);
    expect(answer.statusCode).toBe(401);
  });

  it('gets one and the same answer for a wrong secret, an unknown key and nonsense', async () => {
    const answers = [];
    for (const value of [
      `${apiKey}_${'0'.repeat(49)}`,
      `${fullKey.slice(0, -1)}${fullKey.endsWith('x') ? 'y' : 'x'}`,
      'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD',
      'nonsense',
    ]) {
      const answer = await call('GET', '/v1/keys/self', { 'x-api-key': value });
      answers.push({ ...answer.json<object>(), instance: '' });
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401, code: 'auth.invalid_credential' });
  });
});

describe('raw requests', () => {
  const head = (...lines: string[]) =>
    `GET /v1/keys/self HTTP/1.1\nHost: localhost\nConnection: close\n${lines.map((line) => `${line}\n`).join('')}\n`;

  it('with one credential are answered', async () => {
    expect(statusOf(await sendRaw(head(`Authorization: Bearer ${fullKey}`)))).toBe(200);
  });

  it.each([
    ['Authorization', () => [`Authorization: Bearer ${fullKey}`, `Authorization: Bearer ${fullKey}`]],
    [
      'Authorization of different kinds',
      () => [`Authorization: Bearer ${fullKey}`, `authorization: Basic ${btoa('a:b')}`],
    ],
    ['X-API-Key', () => [`X-API-Key: ${fullKey}`, `x-api-key: ${narrowKey}`]],
    ['X-NuGet-ApiKey', () => [`X-NuGet-ApiKey: ${fullKey}`, `X-NuGet-ApiKey: ${fullKey}`]],
    ['Host', () => ['Host: localhost', `Authorization: Bearer ${fullKey}`]],
    ['Host of another workspace', () => ['host: second.keys.test', `Authorization: Bearer ${fullKey}`]],
    ['Cookie', () => ['Cookie: keyreeve_session=a', 'Cookie: keyreeve_session=b']],
  ])('with a doubled %s header are refused with 400', async (_name, lines) => {
    const answer = await sendRaw(head(...lines()));
    expect(statusOf(answer)).toBe(400);
  });

  it('that say the length of their body twice are refused', async () => {
    const post = (lines: string) =>
      sendRaw(
        `POST /v1/users HTTP/1.1\nHost: localhost\nAuthorization: Bearer ${fullKey}\nContent-Type: application/json\n${lines}\n\n0\n\n`,
      );
    expect(statusOf(await post('Content-Length: 5\nTransfer-Encoding: chunked'))).toBe(400);
    expect(statusOf(await post('Content-Length: 5\nContent-Length: 6'))).toBe(400);
    expect(statusOf(await post('Transfer-Encoding: xchunked'))).toBe(400);
  });

  it('without a host are refused', async () => {
    expect(statusOf(await sendRaw('GET /v1/settings HTTP/1.1\nConnection: close\n\n'))).toBe(400);
    expect(statusOf(await sendRaw('GET /v1/settings HTTP/1.0\n\n'))).toBe(421);
  });

  it.each([
    'GET /v1/users?q=\0 HTTP/1.1',
    'GET /v1/us\u0001ers HTTP/1.1',
    'nonsense',
    'GET /v1/users HTTP/9.9',
  ])('that are no requests at all are refused: %j', async (line) => {
    const answer = await sendRaw(`${line}\nHost: localhost\nConnection: close\n\n`);
    expect([400, 505]).toContain(statusOf(answer));
  });

  it('with headers of more than 16 KiB are refused', async () => {
    expect(statusOf(await sendRaw(head(`X-Filler: ${'x'.repeat(17_000)}`)))).toBe(431);
  });

  it.each([
    ['localhost', 200],
    ['LOCALHOST', 200],
    ['elsewhere.example', 400],
    ['user@localhost', 400],
  ])('with an absolute address name no other host than the Host header: %s', async (host, status) => {
    const line = `GET http://${host}/v1/keys/self HTTP/1.1`;
    const answer = await sendRaw(
      `${line}\nHost: localhost\nConnection: close\nAuthorization: Bearer ${fullKey}\n\n`,
    );
    expect(statusOf(answer)).toBe(status);
  });

  it('of no version are refused', async () => {
    const answer = await sendRaw(`GET /v1/keys/self\nHost: localhost\nAuthorization: Bearer ${fullKey}\n\n`);
    expect(statusOf(answer)).toBe(400);
  });
});

describe('a body', () => {
  const patch = (payload: string, headers: Record<string, string> = {}) =>
    call('PATCH', '/v1/settings', withJson({ 'if-match': '"77"', ...headers }), payload);

  it.each([
    [
      'an unknown field',
      '{"requireAction":true,"requireActions":true}',
      'requireActions',
      'is not a known field',
    ],
    ['a text for a number', '{"maxLifetimeDays":"730"}', 'maxLifetimeDays', 'integer'],
    ['a number for a truth', '{"requireAction":1}', 'requireAction', 'boolean'],
    ['a text for a truth', '{"requireAction":"true"}', 'requireAction', 'boolean'],
    ['a single value for a list', '{"expiryNoticeDays":10}', 'expiryNoticeDays', 'array'],
    ['a list for a single value', '{"maxLifetimeDays":[730]}', 'maxLifetimeDays', 'integer'],
    ['null for a number', '{"maxLifetimeDays":null}', 'maxLifetimeDays', 'integer'],
    ['a fraction', '{"maxLifetimeDays":1.5}', 'maxLifetimeDays', 'integer'],
    ['a number beyond all numbers', '{"maxLifetimeDays":1e400}', 'maxLifetimeDays', ''],
    ['a fault within a list', '{"lifetimeChoicesDays":[1,"90"]}', 'lifetimeChoicesDays[1]', 'integer'],
  ])('is taken as it is, and its fault named: %s', async (_name, payload, field, message) => {
    const answer = await patch(payload);
    expect(answer.json()).toMatchObject({ status: 400, code: 'request.invalid', errors: [{ field }] });
    expect(answer.json<{ errors: { message: string }[] }>().errors[0]?.message).toContain(message);
    expect(answer.json<{ detail: string }>().detail).toContain(field);
  });

  it('with a value outside of a choice is told the whole choice, in one sentence', async () => {
    const faultsOf = async (payload: string) => (await patch(payload)).json<{ errors: object[] }>().errors;
    expect(await faultsOf('{"signingAlgorithm":"none"}')).toEqual([
      { field: 'signingAlgorithm', message: 'must be one of ["ES256","EdDSA","RS256"]' },
    ]);
    expect(await faultsOf('{"supportEmail":7}')).toEqual([
      { field: 'supportEmail', message: 'must be string or must be null' },
    ]);
  });

  it('that lacks a field is told which', async () => {
    const answer = await call('POST', '/v1/users', withJson(), '{"email":"bob@example.com"}');
    expect(answer.json()).toMatchObject({
      code: 'request.invalid',
      errors: [{ field: 'displayName', message: 'is required' }],
    });
  });

  it.each([
    ['a member named twice', '{"requireAction":true,"requireAction":false}', 'named twice'],
    [
      'a member named twice in two spellings',
      String.raw`{"requireAction":true,"require\u0041ction":false}`,
      'named twice',
    ],
    ['a reach into prototypes', '{"__proto__":{"requireAction":true}}', '__proto__'],
    ['a constructor', '{"constructor":{"prototype":{}}}', 'constructor'],
    ['the character U+0000', String.raw`{"supportUrl":"https://a/\u0000"}`, 'U+0000'],
    ['half a character', String.raw`{"supportUrl":"https://a/\ud800"}`, 'surrogate'],
    ['deep nesting', `${'['.repeat(40)}${']'.repeat(40)}`, 'nested'],
    ['no JSON', 'requireAction=true', 'not valid JSON'],
  ])('that parsers may read differently is refused: %s', async (_name, payload, word) => {
    const answer = await patch(payload);
    expect(answer.json()).toMatchObject({ status: 400, code: 'request.malformed' });
    expect(answer.json<{ detail: string }>().detail).toContain(word);
  });

  it('may begin with a byte order mark, and name its character set', async () => {
    const answer = await patch('\uFEFF{"requireAction":true}', {
      'content-type': 'application/json; charset=utf-8',
    });
    expect(answer.json()).toMatchObject({ code: 'request.precondition_failed' });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonp',
    'json',
    '',
  ])('of type %j is refused with 415', async (type) => {
    const answer = await call(
      'PATCH',
      '/v1/settings',
      withKey({ 'content-type': type, 'if-match': '"77"' }),
      '{"requireAction":true}',
    );
    expect(answer.json()).toMatchObject({ status: 415, code: 'request.unsupported_media_type' });
  });

  it('that is missing is an empty one: the answer names what is missing', async () => {
    for (const headers of [withKey(), withJson()]) {
      const answer = await call('POST', '/v1/users', headers);
      expect(answer.json()).toMatchObject({
        status: 400,
        code: 'request.invalid',
        errors: [{ message: 'is required' }],
      });
    }
  });

  it('that is not wanted does no harm when it is empty', async () => {
    const answer = await call('DELETE', '/v1/users/acc_unknown', withJson());
    expect(answer.statusCode).toBe(404);
  });

  it('must be an object', async () => {
    for (const payload of ['[]', '"text"', '1', 'null', 'true']) {
      expect((await patch(payload)).json()).toMatchObject({ status: 400 });
    }
  });
});

describe('an address', () => {
  it.each([
    ['a repeated parameter', '/v1/users?q=a&q=b'],
    ['a repeated number', '/v1/users?limit=1&limit=2'],
    ['an unknown parameter', '/v1/users?limt=1'],
    ['a limit of 0', '/v1/users?limit=0'],
    ['a limit of 201', '/v1/users?limit=201'],
    ['a limit that is no number', '/v1/users?limit=ten'],
    ['a limit that is empty', '/v1/users?limit='],
    ['a cursor that is none', '/v1/users?cursor=nonsense'],
    ['a cursor of another list', `/v1/users?cursor=${btoa('[1]')}`],
    ['the character U+0000', '/v1/users?q=a%00b'],
    ['the character U+0000 in a path', '/v1/users/a%00b'],
    ['the character U+0000 in a filter', '/v1/audit?account=%00'],
    ['a bad escape in the path', '/v1/users/%zz'],
    ['half an escape in the path', '/v1/users/%e3%81'],
    ['a bad escape in the query', '/v1/users?q=%zz'],
    ['half an escape in the query', '/v1/users?q=%e3%81'],
    ['a text that is too long', `/v1/users?q=${'x'.repeat(257)}`],
  ])('with %s is refused with 400', async (_name, url) => {
    const answer = await call('GET', url, withKey());
    expect(answer.json()).toMatchObject({ status: 400 });
  });

  it.each([
    '/v1/users/..%2f..%2fsettings',
    '/v1//settings',
    '/V1/SETTINGS',
    '/v1/settings;x',
    '/v1/settings%00',
    '/v1/settings%2f',
  ])('that only resembles another one is not that one: %s', async (url) => {
    const answer = await call('GET', url, withKey());
    expect([400, 404]).toContain(answer.statusCode);
  });

  it('with a very long id is not found', async () => {
    const answer = await call('GET', `/v1/users/${'x'.repeat(400)}`, withKey());
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([404, 'request.not_found']);
    expect((await call('GET', `/v1/users/${'x'.repeat(65)}`, withKey())).statusCode).toBe(400);
  });
});

describe('the log', () => {
  it('holds a line a request, without query strings, credentials or bodies', async () => {
    await call('GET', `/v1/users?q=findme-hush`, withKey({ cookie: 'keyreeve_session=hush-cookie' }));
    await call('POST', '/v1/users', withJson(), '{"email":"x","displayName":"y","password":"hush-password"}');
    const text = harness.logLines.join('');
    expect(text).toContain('"route":"/v1/users"');
    expect(text).not.toContain('hush');
    for (const secret of [secretKey, fullKey, narrowKey.slice(-49)]) expect(text).not.toContain(secret);
  });
});
