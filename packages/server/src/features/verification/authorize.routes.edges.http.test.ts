import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AppError, requestErrors } from '../../errors/index.ts';
import { authErrors, type Caller, type Principal } from '../../http/index.ts';
import { SAMPLE_KEY } from '../../http/samples.ts';
import { registerAuthorizeRoutes } from './authorize.routes.ts';

let harness: Harness;
let company: Company;
/** The routes alone: what the auth hook has found out is what a test says. */
let bare: FastifyInstance;
let found: { caller: Caller; refusal: AppError | null };
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  bare = Fastify();
  bare.decorateRequest('caller');
  bare.decorateRequest('refusal', null);
  bare.addHook('onRequest', async (request) => {
    Object.assign(request, found);
  });
  bare.setErrorHandler((error: AppError, _request, reply) => reply.code(error.status).send(error.code));
  bare.addSchema({ $id: 'Problem', type: 'object' });
  registerAuthorizeRoutes(bare, harness.deps.verification, harness.deps.storage.epochGuard);
  await bare.ready();
});
afterAll(async () => {
  await bare.close();
  await harness.close();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const here = () => harness.deps.defaultWorkspace;
const PUSH = { actions: ['package:push'], resources: ['Contoso.*'] };

async function mint(more: object = {}): Promise<{ apiKey: string; fullKey: string }> {
  const body = { comment: 'x', access: 'scoped', scopes: [PUSH], ...more };
  const url = `/v1/accounts/${company.robot.id}/keys`;
  const answer = await call(harness, 'POST', url, { key: company.adminKey, body });
  return answer.json();
}

const ask = (key: string, query = '') => call(harness, 'GET', `/v1/authorize${query}`, { key });

/** Who the auth hook says it is. */
async function principalOf(kind: 'key' | 'token' | 'session' | 'anonymous'): Promise<Principal> {
  if (kind === 'anonymous') return { kind };
  const account = await harness.deps.accounts.findIdentity(
    harness.deps.storage.read,
    here().id,
    company.admin.id,
  );
  if (account === null) throw new Error('The account is gone.');
  const key = { ...SAMPLE_KEY, id: `kr_${kind}`, scopes: [PUSH], expiresAt: null };
  if (kind === 'session') return { kind, account, sessionId: 'ses_1', managedIds: [] };
  return kind === 'key'
    ? { kind, account, key }
    : { kind, account, key, token: { jti: 'jti', issuedAt: 0, expiresAt: 0 } };
}

async function askAs(
  kind: Parameters<typeof principalOf>[0],
  { query = '', refusal = null as AppError | null, headers = {} } = {},
) {
  found = { caller: { ...company.adminCaller, principal: await principalOf(kind) }, refusal };
  return await bare.inject({ method: 'DELETE', url: `/v1/authorize${query}`, headers });
}

describe('a gateway', () => {
  it('lets a request pass whose key may do it, and learns whose it is', async () => {
    const { apiKey, fullKey } = await mint();
    const subject = {
      'x-keyreeve-account': company.robot.id,
      'x-keyreeve-account-kind': 'service',
      'x-keyreeve-account-login': 'build-robot',
      'x-keyreeve-key-id': apiKey,
      'x-keyreeve-workspace': here().id,
    };
    const passed = await ask(fullKey, '?action=package:push&resource=Contoso.A');
    expect([passed.statusCode, passed.body]).toEqual([204, '']);
    expect(passed.headers).toMatchObject(subject);
    for (const header of ['x-keyreeve-reason', 'ratelimit', 'keyreeve-cache'])
      expect(passed.headers).not.toHaveProperty(header);
    const refused = await ask(fullKey, '?action=package:push&resource=Fabrikam');
    expect([refused.statusCode, refused.body]).toEqual([403, '']);
    expect(refused.headers).toMatchObject({ ...subject, 'x-keyreeve-reason': 'insufficient_scope' });
    expect(refused.headers).not.toHaveProperty('www-authenticate');
  });

  it('learns what is left of the limits of a key, and that such an answer may not be kept', async () => {
    const { fullKey } = await mint({ limits: { quota: { uses: 1 } } });
    for (const [status, reason] of [
      [204, undefined],
      [403, 'quota_exceeded'],
    ] as const) {
      const { statusCode, headers } = await ask(fullKey);
      expect([statusCode, headers['x-keyreeve-reason']]).toEqual([status, reason]);
      expect(headers).toMatchObject({
        ratelimit: '"key-quota";r=0',
        'ratelimit-policy': '"key-quota";q=1',
        'keyreeve-cache': 'none',
      });
    }
  });

  it('asks about whoever the hook has accepted, as a key or as a token', async () => {
    const authorize = vi.spyOn(harness.deps.verification, 'authorize');
    for (const kind of ['key', 'token'] as const) {
      const query = '?action=package:push&resource=Contoso.A';
      const answer = await askAs(kind, { query });
      expect([answer.statusCode, answer.headers['x-keyreeve-key-id']]).toEqual([204, `kr_${kind}`]);
      expect(authorize.mock.lastCall).toEqual([
        found.caller,
        found.caller.principal,
        { action: 'package:push', resource: 'Contoso.A' },
      ]);
    }
  });

  it('lets nobody pass who comes with anything else, and no question is asked then', async () => {
    const authorize = vi.spyOn(harness.deps.verification, 'authorize');
    for (const kind of ['session', 'anonymous'] as const) {
      const answer = await askAs(kind);
      expect([answer.statusCode, answer.headers['x-keyreeve-reason'], answer.body]).toEqual([
        401,
        'invalid',
        '',
      ]);
    }
    expect(authorize).not.toHaveBeenCalled();
  });

  it('asks for a credential where one was refused, and says why', async () => {
    const authorize = vi.spyOn(harness.deps.verification, 'authorize');
    const refusals = [
      [authErrors.required(), 'invalid'],
      [authErrors.key_expired(), 'expired'],
      [authErrors.kind_not_accepted(), 'invalid'],
      [authErrors.forbidden(), 'invalid'],
    ] as const;
    for (const [refusal, reason] of refusals) {
      const { statusCode, headers, body } = await askAs('key', { refusal });
      expect([statusCode, headers['x-keyreeve-reason'], body]).toEqual([401, reason, '']);
      expect(headers['www-authenticate']).toBe(
        'Bearer realm="keyreeve", Basic realm="keyreeve", charset="UTF-8"',
      );
      expect(headers).not.toHaveProperty('x-keyreeve-account');
    }
    expect(authorize).not.toHaveBeenCalled();
  });

  it('takes no other fault for a refusal of the credential', async () => {
    for (const fault of [authErrors.ambiguous_credentials(), requestErrors.unavailable()]) {
      const answer = await askAs('key', { refusal: fault });
      expect([answer.statusCode, answer.body]).toEqual([fault.status, fault.code]);
      expect(answer.headers).not.toHaveProperty('x-keyreeve-reason');
    }
  });

  it('that asks in a wrong way is told so, whoever comes', async () => {
    for (const refusal of [null, authErrors.required()]) {
      const answer = await askAs('key', { query: '?action=push', refusal });
      expect([answer.statusCode, answer.body]).toEqual([400, 'request.invalid']);
    }
  });
});

describe('the body of a request that a gateway holds back', () => {
  it('is no matter, nor is its type', async () => {
    const { fullKey } = await mint();
    for (const type of ['no type', 'application/json', '']) {
      const headers = { host: 'localhost', 'x-api-key': fullKey, 'content-type': type };
      const answer = await harness.app.inject({
        method: 'POST',
        url: '/v1/authorize',
        headers,
        payload: '{',
      });
      expect([type, answer.statusCode]).toEqual([type, 204]);
    }
  });

  it('has no end that would have to be waited for where none was announced', async () => {
    for (const headers of [{}, { 'content-length': '0' }]) {
      const answer = await askAs('key', { headers });
      expect(answer.headers['connection']).not.toBe('close');
    }
  });

  it('that was announced and has not come ends the connection, and no other does', async () => {
    const { fullKey } = await mint();
    if (!harness.app.server.listening) await harness.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = harness.app.server.address() as AddressInfo;
    const connectionAfter = async (method: string, rest: string) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`${method} /v1/authorize HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${fullKey}\r\n${rest}`);
      const [head] = (await once(socket.setEncoding('utf8'), 'data')) as [string];
      socket.destroy();
      expect(head).toMatch(/^HTTP\/1\.1 204 /);
      return /^connection: (.*)$/im.exec(head)?.[1] ?? null;
    };
    const answers = [
      await connectionAfter('GET', 'Content-Length: 9\r\n\r\n'),
      await connectionAfter('GET', 'Content-Length: 9\r\n\r\nhalf'),
      await connectionAfter('GET', 'Transfer-Encoding: chunked\r\n\r\n'),
      await connectionAfter('POST', 'Content-Length: 5\r\n\r\nwhole'),
      await connectionAfter('POST', 'Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n'),
      await connectionAfter('DELETE', 'Content-Length: 0\r\n\r\n'),
      await connectionAfter('HEAD', '\r\n'),
    ];
    expect(answers.map((answer) => answer === 'close')).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
