import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Company, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../errors/index.ts';
import { authErrors, type Caller, type Principal } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY } from '../../http/samples.ts';
import { createRevocationHub, type RevocationHub, type Subscriber } from './revocation-hub.ts';
import { registerRevocationRoutes } from './revocations.routes.ts';

const STREAM = 'text/event-stream';
const KEY = { kind: 'key', account: SAMPLE_ACCOUNT, key: SAMPLE_KEY } as const;
const TOKEN = { ...KEY, kind: 'token', token: { jti: 'jti', issuedAt: 0, expiresAt: 2_000 } } as const;
const SESSION = { kind: 'session', account: SAMPLE_ACCOUNT, sessionId: 'ses_1', managedIds: [] } as const;

let harness: Harness;
let company: Company;
let hub: RevocationHub;
/** The routes alone: what the auth hook has found out is what a test says. */
let bare: FastifyInstance;
let port: number;
let principal: Principal = KEY;
let readmit: (request: FastifyRequest) => void = () => undefined;
const raws: ServerResponse[] = [];
beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  // The present epoch is told when somebody comes; no poll after it falls into the time of a test.
  hub = createRevocationHub({ ...harness.deps, pollMs: 600_000 });
  bare = Fastify();
  bare.decorateRequest('caller');
  bare.decorateRequest('readmit', async function readmitAsTold(this: FastifyRequest) {
    readmit(this);
  });
  bare.addHook('onRequest', async (request, reply) => {
    request.caller = callerOf(principal);
    raws.push(reply.raw);
    reply.header('x-of-all-answers', 'there');
  });
  bare.setErrorHandler((error: AppError, _request, reply) => reply.code(error.status).send(error.code));
  bare.addSchema({ $id: 'Problem', type: 'object' });
  registerRevocationRoutes(bare, hub);
  await bare.listen({ host: '127.0.0.1', port: 0 });
  ({ port } = bare.server.address() as AddressInfo);
});
afterAll(async () => {
  await bare.close();
  await harness.close();
});
afterEach(() => {
  hub.endAll();
  principal = KEY;
  readmit = () => undefined;
  vi.restoreAllMocks();
});

const here = () => harness.deps.defaultWorkspace;

function callerOf(of: Principal): Caller {
  return { ...company.adminCaller, principal: of, ip: '192.0.2.1' };
}

interface Stream {
  readonly response: IncomingMessage;
  readonly subscriber: Subscriber;
  readonly raw: ServerResponse;
  /** The text up to and with the first that fits. */
  readonly until: (part: string) => Promise<string>;
  /** How it ended: whole, or broken off. */
  readonly ended: Promise<'whole' | 'broken off'>;
}

async function listen(accept = STREAM): Promise<Stream> {
  const subscribe = vi.spyOn(hub, 'subscribe');
  const [response] = (await once(
    get({ host: '127.0.0.1', port, path: '/v1/revocations', headers: { accept } }),
    'response',
  )) as [IncomingMessage];
  const subscriber = subscribe.mock.lastCall?.[0];
  const raw = raws.at(-1);
  if (subscriber === undefined || raw === undefined) throw new Error('Nobody has subscribed.');
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = Promise.withResolvers<'whole' | 'broken off'>();
  response.on('end', () => ended.resolve('whole')).on('error', () => ended.resolve('broken off'));
  const tooEarly = ended.promise.then((how) => {
    throw new Error(`The stream has ended ${how}, after: ${text}`);
  });
  tooEarly.catch(() => undefined);
  return {
    response,
    subscriber,
    raw,
    until: async (part) => {
      while (!text.includes(part)) await Promise.race([once(response, 'data'), tooEarly]);
      return text;
    },
    ended: ended.promise,
  };
}

const ask = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
  bare.inject({ method, url: '/v1/revocations', headers });

describe('who asks for the epoch of a workspace', () => {
  it('is told it once, as it was read', async () => {
    const { epoch } = await hub.read(here().id);
    const at = new Date(harness.clock.now()).toISOString();
    for (const headers of [{}, { accept: 'application/json' }]) {
      const told = (await ask(headers)).json<{ readAtMs: number }>();
      expect(told).toEqual({ workspaceId: here().id, epoch, at, readAtMs: expect.any(Number) });
      expect(Number.isInteger(told.readAtMs)).toBe(true);
    }
  });

  it('is told no stream where only the head of an answer is asked for', async () => {
    const subscribe = vi.spyOn(hub, 'subscribe');
    const request = send({
      host: '127.0.0.1',
      port,
      path: '/v1/revocations',
      method: 'HEAD',
      headers: { accept: STREAM },
    });
    const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
    expect([response.statusCode, response.headers['content-type']]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
    expect(subscribe).not.toHaveBeenCalled();
  });

  it('is a key or a token, and nobody else listens', async () => {
    for (const other of [SESSION, { kind: 'anonymous' }] as const) {
      principal = other;
      const answer = await ask({ accept: STREAM });
      expect([answer.statusCode, answer.body]).toEqual([403, 'auth.kind_not_accepted']);
    }
  });
});

describe('a stream of revocations', () => {
  it('tells when it was opened, then each epoch, and is kept by nobody', async () => {
    const before = performance.now();
    const { response, until, subscriber } = await listen(`text/html, ${STREAM};q=0.9`);
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      connection: 'close',
      'x-of-all-answers': 'there',
    });
    const text = await until('event: epoch');
    const [opened = '', epoch = ''] = text.split('\n\n');
    const { openedAtMs } = JSON.parse(opened.replace('event: opened\ndata: ', '')) as { openedAtMs: number };
    expect([Number.isInteger(openedAtMs), openedAtMs >= before, openedAtMs <= performance.now() + 1]).toEqual(
      [true, true, true],
    );
    expect(JSON.parse(epoch.replace('event: epoch\ndata: ', ''))).toMatchObject({ workspaceId: here().id });
    const state = { workspaceId: 'wsp_told', epoch: 77, readAtMs: 12.9, at: 0 };
    for (let time = 0; time < 2; time += 1) expect(subscriber.send(state)).toBe(true);
    const told = '{"workspaceId":"wsp_told","epoch":77,"at":"1970-01-01T00:00:00.000Z","readAtMs":12}';
    const event = `event: epoch\ndata: ${told}\n\n`;
    expect(await until(event + event)).toContain(event + event);
  });

  it('is for whoever the hook has accepted, in his workspace', async () => {
    for (const [reader, tokenId] of [
      [KEY, null],
      [TOKEN, 'jti'],
    ] as const) {
      principal = reader;
      const { subscriber } = await listen();
      expect(subscriber).toMatchObject({
        workspaceId: here().id,
        accountId: SAMPLE_ACCOUNT.id,
        credentialId: JSON.stringify([SAMPLE_KEY.id, 1, tokenId, '192.0.2.1']),
      });
    }
  });

  it('ends with the key or the token, whichever ends first', async () => {
    const endOf = async (reader: Principal) => {
      principal = reader;
      return (await listen()).subscriber.expiresAt;
    };
    const keyUntil = (expiresAt: number | null) => ({ ...SAMPLE_KEY, expiresAt });
    expect(await endOf({ ...KEY, key: keyUntil(null) })).toBeNull();
    expect(await endOf({ ...KEY, key: keyUntil(1_000) })).toBe(1_000);
    expect(await endOf({ ...TOKEN, key: keyUntil(null) })).toBe(2_000);
    expect(await endOf({ ...TOKEN, key: keyUntil(1_000) })).toBe(1_000);
    expect(await endOf({ ...TOKEN, key: keyUntil(3_000) })).toBe(2_000);
  });

  it('looks at its credential once more when it is told to, and is for no other kind then either', async () => {
    const { subscriber } = await listen();
    const become = (of: Principal) => {
      readmit = (request) => {
        request.caller = callerOf(of);
      };
    };
    become({ ...KEY, key: { ...SAMPLE_KEY, expiresAt: 9_000 } });
    expect(await subscriber.readmit()).toBe(9_000);
    become(SESSION);
    await expect(subscriber.readmit()).rejects.toMatchObject({ code: 'auth.kind_not_accepted' });
    readmit = () => {
      throw authErrors.invalid_credential();
    };
    await expect(subscriber.readmit()).rejects.toMatchObject({ code: 'auth.invalid_credential' });
  });

  it('goes on as long as at most 16 KiB of it have not been taken', async () => {
    const { subscriber, raw } = await listen();
    const state = { workspaceId: here().id, epoch: 1, readAtMs: 1, at: 1 };
    const sendWith = (bytes: number) => {
      Object.defineProperty(raw, 'writableLength', { value: bytes, configurable: true });
      return subscriber.send(state);
    };
    expect([sendWith(16_384), sendWith(16_385)]).toEqual([true, false]);
  });

  it('is delivered to its end, or broken off at once, and nothing is told afterwards', async () => {
    for (const [isCut, end] of [
      [false, 'whole'],
      [true, 'broken off'],
    ] as const) {
      const { subscriber, ended, until, raw } = await listen();
      await until('event: epoch');
      subscriber.end(isCut);
      expect(await ended).toBe(end);
      if (!raw.closed) await once(raw, 'close');
      const write = vi.spyOn(raw, 'write');
      expect(subscriber.send({ workspaceId: here().id, epoch: 1, readAtMs: 1, at: 1 })).toBe(false);
      expect(write).not.toHaveBeenCalled();
    }
  });

  it('is forgotten when its reader goes', async () => {
    const { raiseListeners } = harness.deps.storage;
    const before = raiseListeners.size;
    const { response, until } = await listen();
    await until('event: epoch');
    expect(raiseListeners.size).toBe(before + 1);
    response.destroy();
    await expect.poll(() => raiseListeners.size).toBe(before);
  });

  it('ends when the server stops, and there are no others then', async () => {
    const { ended, subscriber } = await listen();
    await bare.close();
    expect(await ended).toBe('whole');
    expect(() => hub.subscribe(subscriber)).toThrow(expect.objectContaining({ code: 'request.unavailable' }));
  });
});
