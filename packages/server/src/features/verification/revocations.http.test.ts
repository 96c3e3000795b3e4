import { once } from 'node:events';
import { connect } from 'node:net';
import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDeps } from '../../deps.ts';
import { buildApp, inTransaction, systemRandom } from '../../index.ts';
import { createRevocationHub, type RevocationHubDeps } from './revocation-hub.ts';

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

interface Told {
  readonly name: string;
  readonly data: {
    readonly workspaceId?: string;
    readonly epoch: number;
    readonly readAtMs: number;
    readonly openedAtMs?: number;
  };
}

/** A reader of the stream, as small as it can be. */
interface Listener {
  readonly response: Response;
  readonly told: Told[];
  /** Resolves with the first event that fits, also one that came before; rejects when the stream ends first. */
  until(fits: (told: Told) => boolean): Promise<Told>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

/** One that a failed test has left open would fail those that count them. */
const opened: AbortController[] = [];
afterEach(() => {
  for (const stop of opened.splice(0)) stop.abort();
});

async function listen(baseUrl: string, credential: string): Promise<Listener> {
  const stop = new AbortController();
  opened.push(stop);
  const response = await fetch(`${baseUrl}/v1/revocations`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${credential}` },
    signal: stop.signal,
  });
  const told: Told[] = [];
  let wake = Promise.withResolvers<void>();
  let isOver = false;
  const read = async (): Promise<void> => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      text += decoder.decode(part);
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
        told.push({ name, data: JSON.parse(data) as Told['data'] });
      }
      wake.resolve();
      wake = Promise.withResolvers();
    }
  };
  const ended = read()
    .catch(() => {})
    .finally(() => {
      isOver = true;
      wake.resolve();
    });
  return {
    response,
    told,
    ended,
    until: async (fits) => {
      for (;;) {
        const found = told.find(fits);
        if (found !== undefined) return found;
        if (isOver) throw new Error('The stream has ended.');
        await wake.promise;
      }
    },
    close: () => stop.abort(),
  };
}

let harness: Harness;
let company: Company;
let baseUrl: string;
let verifier: Minted;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  baseUrl = await harness.app.listen({ port: 0, host: '127.0.0.1' });
  verifier = await mint(VERIFIER);
});
afterAll(() => harness.close());

const VERIFIER = { access: 'scoped', scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }] };

async function asAdmin(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown) {
  const answer = await call(harness, method, url, {
    key: company.adminKey,
    headers: { 'if-match': '*' },
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer;
}

async function mint(body: object = { access: 'account' }, accountId = company.admin.id): Promise<Minted> {
  const answer = await asAdmin('POST', `/v1/accounts/${accountId}/keys`, { comment: 'CI', ...body });
  return answer.json<Minted>();
}

async function epochNow(): Promise<number> {
  const answer = await call(harness, 'GET', '/v1/revocations', { key: verifier.fullKey });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<{ epoch: number }>().epoch;
}

const isEpoch =
  (epoch: number) =>
  ({ name, data }: Told): boolean =>
    name === 'epoch' && data.epoch === epoch;

describe('the stream of revocations', () => {
  /** Over the same database, with a hub of its own. */
  const openApp = async (options: Partial<RevocationHubDeps> = {}) => {
    const revocations = createRevocationHub({ ...harness.deps, ...options });
    const app = await buildApp({ ...harness.deps, revocations });
    return { app, url: await app.listen({ port: 0, host: '127.0.0.1' }) };
  };

  it('tells the present epoch, then the next one at once, with when it was read', async () => {
    // No poll comes within the time of the test.
    const { app, url } = await openApp({ pollMs: 600_000 });
    const listener = await listen(url, verifier.fullKey);
    const first = await listener.until(({ name }) => name === 'epoch');
    const before = await epochNow();
    expect(first.data).toMatchObject({ epoch: before, workspaceId: harness.deps.defaultWorkspace.id });
    const key = await mint();
    await asAdmin('POST', `/v1/keys/${key.apiKey}/disable`, {});
    await listener.until(isEpoch(before + 1));
    const { openedAtMs = 0 } = listener.told[0]?.data ?? {};
    const times = listener.told.slice(1).map(({ data }) => data.readAtMs - openedAtMs);
    expect(times.every((time, index) => time >= (times[index - 1] ?? -1))).toBe(true);
    await app.close();
  });

  it('tells the same epoch again within half a second, and lets no proxy gather or compress', async () => {
    const listener = await listen(baseUrl, verifier.fullKey);
    const headers = Object.fromEntries(listener.response.headers);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const first = await listener.until(({ name }) => name === 'epoch');
    const again = await listener.until(({ data }) => data.readAtMs > first.data.readAtMs);
    const next = await listener.until(({ data }) => data.readAtMs > again.data.readAtMs);
    expect(next.data.readAtMs - again.data.readAtMs).toBeLessThan(900);
    listener.close();
  });

  it('tells what another process on the same database has revoked, within the bound', async () => {
    const { config, logger } = harness.deps;
    const other = await createDeps({ config, logger, clock: harness.clock, random: systemRandom });
    const key = await mint();
    const listener = await listen(baseUrl, verifier.fullKey);
    await listener.until(({ name }) => name === 'epoch');
    const before = await epochNow();
    await other.keys.disable(company.adminCaller, key.apiKey, null);
    const startedAt = performance.now();
    await listener.until(isEpoch(before + 1));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    listener.close();
    await other.close();
  });

  it('is for keys and tokens that may verify, and for nobody else', async () => {
    const useless = await mint({ access: 'account' }, company.member.id);
    for (const [credential, status] of [
      ['', 401],
      [useless.fullKey, 403],
    ] as const) {
      const response = await fetch(`${baseUrl}/v1/revocations`, {
        headers: {
          accept: 'text/event-stream',
          ...(credential === '' ? {} : { authorization: `Bearer ${credential}` }),
        },
      });
      expect(response.status).toBe(status);
      await response.body?.cancel();
    }
    const head = await fetch(`${baseUrl}/v1/revocations`, {
      method: 'HEAD',
      headers: { accept: 'text/event-stream', authorization: `Bearer ${verifier.fullKey}` },
    });
    expect(head.status).toBe(200);
  });

  const endings: [string, (own: Minted) => Promise<unknown>][] = [
    ['its own key is disabled', (own) => asAdmin('POST', `/v1/keys/${own.apiKey}/disable`, {})],
    ['its own key is deleted', (own) => asAdmin('DELETE', `/v1/keys/${own.apiKey}`)],
    ['its own key is regenerated', (own) => asAdmin('POST', `/v1/keys/${own.apiKey}/regenerate`, {})],
    [
      'the holder gives the key up',
      (own) => call(harness, 'POST', '/v1/keys/self/revoke', { key: own.fullKey }),
    ],
    [
      'its own key is bound to another address',
      (own) => asAdmin('PATCH', `/v1/keys/${own.apiKey}`, { ipRanges: ['192.0.2.0/24'] }),
    ],
  ];
  it.each(endings)('ends when %s, and no other does', async (_name, revoke) => {
    const own = await mint(VERIFIER);
    const [ending, staying] = await Promise.all([
      listen(baseUrl, own.fullKey),
      listen(baseUrl, verifier.fullKey),
    ]);
    await Promise.all([ending, staying].map((each) => each.until(({ name }) => name === 'epoch')));
    await revoke(own);
    await ending.ended;
    const { apiKey } = await mint();
    await asAdmin('POST', `/v1/keys/${apiKey}/disable`, {});
    await staying.until(isEpoch(await epochNow()));
    staying.close();
  });

  it('ends when its account may not verify any more', async () => {
    const grant = async (actions: string[]): Promise<void> => {
      const grants = [{ actions, resources: ['*'] }];
      await asAdmin('PATCH', `/v1/users/${company.member.id}`, { grants });
    };
    await grant(['package:*', 'iam:keys:verify']);
    const own = await mint(VERIFIER, company.member.id);
    const listener = await listen(baseUrl, own.fullKey);
    await listener.until(({ name }) => name === 'epoch');
    await grant(['package:*']);
    await listener.ended;
  });

  it('ends with the overlap of its secret, though that was good for longer when it began', async () => {
    const own = await mint(VERIFIER);
    const listeners = await Promise.all([listen(baseUrl, own.fullKey), listen(baseUrl, own.fullKey)]);
    await Promise.all(listeners.map((each) => each.until(({ name }) => name === 'epoch')));
    await asAdmin('POST', `/v1/keys/${own.apiKey}/regenerate`, { overlapHours: 1 });
    const raised = await epochNow();
    await Promise.all(listeners.map((each) => each.until(isEpoch(raised))));
    harness.clock.advance(3_600_000);
    await Promise.all(listeners.map((each) => each.ended));
  });

  it('ends for a token when that is logged out, and when it expires', async () => {
    const login = async (own: Minted): Promise<string> => {
      const form = { auth_mode: 'apikey', apikey: own.apiKey, secretkey: own.secretKey };
      const answer = await harness.app.inject({
        method: 'POST',
        url: '/iam/login',
        payload: new URLSearchParams(form).toString(),
      });
      return answer.json<{ token: string }>().token;
    };
    const own = await mint(VERIFIER);
    const tokens = [await login(own), await login(own)] as const;
    const [first, second] = await Promise.all([listen(baseUrl, tokens[0]), listen(baseUrl, tokens[1])]);
    await Promise.all([first, second].map((each) => each.until(({ name }) => name === 'epoch')));
    await harness.app.inject({ method: 'DELETE', url: `/iam/logout?token=${tokens[0]}` });
    await first.ended;
    harness.clock.advance(3_600_000);
    await second.ended;
  });

  it('is refused beyond the limit of an account, in words that help', async () => {
    const { storage, clock, logger } = harness.deps;
    const hub = createRevocationHub({
      storage,
      clock,
      logger,
      streamsMax: { perAccount: 2, perWorkspace: 3 },
    });
    const subscriber = (accountId: string) => ({
      workspaceId: 'wsp_1',
      accountId,
      credentialId: accountId,
      expiresAt: null,
      send: () => true,
      readmit: async () => null,
      end: () => {},
    });
    const leave = hub.subscribe(subscriber('a'));
    hub.subscribe(subscriber('a'));
    expect(() => hub.subscribe(subscriber('a'))).toThrow('At most 2 streams of an account');
    hub.subscribe(subscriber('b'));
    expect(() => hub.subscribe(subscriber('b'))).toThrow('and 3 of a workspace');
    leave();
    hub.subscribe(subscriber('b'));
    hub.close();
    expect(() => hub.subscribe(subscriber('b'))).toThrow('request.unavailable');
  });

  it('cuts a reader that does not read', async () => {
    const { storage, clock, logger } = harness.deps;
    const hub = createRevocationHub({ storage, clock, logger });
    const cut = Promise.withResolvers<boolean>();
    hub.subscribe({
      workspaceId: 'wsp_1',
      accountId: 'a',
      credentialId: 'a',
      expiresAt: null,
      send: () => false,
      readmit: async () => null,
      end: cut.resolve,
    });
    expect(await cut.promise).toBe(true);
    hub.close();
  });

  it('does not keep the server from stopping', async () => {
    const { app, url } = await openApp();
    const listener = await listen(url, verifier.fullKey);
    await listener.until(({ name }) => name === 'epoch');
    const startedAt = performance.now();
    await app.close();
    await listener.ended;
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('is forgotten when its reader goes away', async () => {
    const { hostname, port } = new URL(baseUrl);
    const socket = connect(Number(port), hostname);
    socket.write(
      `GET /v1/revocations HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nauthorization: Bearer ${verifier.fullKey}\r\n\r\n`,
    );
    await once(socket, 'data');
    expect(harness.deps.storage.raiseListeners.size).toBe(1);
    socket.destroy();
    await expect.poll(() => harness.deps.storage.raiseListeners.size).toBe(0);
  });
});

describe('the epoch moves with each change of an answer:', () => {
  const asMember = async (patch: object) => await asAdmin('PATCH', `/v1/users/${company.member.id}`, patch);
  const changes: [string, (key: Minted) => Promise<unknown>][] = [
    ['a key is disabled', ({ apiKey }) => asAdmin('POST', `/v1/keys/${apiKey}/disable`, {})],
    ['a key is enabled', ({ apiKey }) => asAdmin('POST', `/v1/keys/${apiKey}/enable`, {})],
    [
      'its patterns change',
      ({ apiKey }) =>
        asAdmin('PATCH', `/v1/keys/${apiKey}`, {
          scopes: [{ actions: ['package:push'], resources: ['Other'] }],
        }),
    ],
    [
      'its allow list changes',
      ({ apiKey }) => asAdmin('PATCH', `/v1/keys/${apiKey}`, { ipRanges: ['192.0.2.0/24'] }),
    ],
    [
      'it is regenerated',
      ({ apiKey }) => asAdmin('POST', `/v1/keys/${apiKey}/regenerate`, { overlapHours: 1 }),
    ],
    ['its overlap ends', ({ apiKey }) => asAdmin('POST', `/v1/keys/${apiKey}/end-overlap`)],
    [
      'its account gets other grants',
      () => asMember({ grants: [{ actions: ['package:*'], resources: ['A'] }] }),
    ],
    ['its account gets another name', () => asMember({ displayName: 'Mei' })],
    ['its account is disabled', () => asMember({ state: 'disabled' })],
    ['its account is enabled', () => asMember({ state: 'active' })],
    [
      'the password of its account changes',
      async () => {
        const { accounts, storage } = harness.deps;
        await inTransaction(storage, (tx) =>
          accounts.savePasswordHash(tx, company.adminCaller, company.member, 'hash'),
        );
      },
    ],
    ['a setting changes', () => asAdmin('PATCH', '/v1/settings', { requireAction: true })],
    ['it is deleted', ({ apiKey }) => asAdmin('DELETE', `/v1/keys/${apiKey}`)],
    ['its account is deleted', () => asAdmin('DELETE', `/v1/users/${company.member.id}`)],
  ];
  let key: Minted;
  beforeAll(async () => {
    key = await mint(
      { access: 'scoped', scopes: [{ actions: ['package:push'], resources: ['*'] }] },
      company.member.id,
    );
  });

  it.each(changes)('%s', async (_name, change) => {
    const before = await epochNow();
    await change(key);
    expect(await epochNow()).toBeGreaterThan(before);
  });

  it('but not when only a comment changes, or a key is made', async () => {
    const before = await epochNow();
    const { apiKey } = await mint();
    await asAdmin('PATCH', `/v1/keys/${apiKey}`, { comment: 'renamed' });
    expect(await epochNow()).toBe(before);
  });

  it('and not by what was rolled back', async () => {
    const before = await epochNow();
    const { apiKey } = await mint();
    const answer = await call(harness, 'PATCH', `/v1/keys/${apiKey}`, {
      key: company.adminKey,
      headers: { 'if-match': '"99"' },
      body: { ipRanges: ['192.0.2.1'] },
    });
    expect(answer.statusCode).toBe(412);
    expect(await epochNow()).toBe(before);
  });

  it('also when thirty keys are revoked at the same moment, and none of it fails', async () => {
    const keys = await Promise.all(
      Array.from({ length: 30 }, () =>
        harness.deps.keys.create(company.adminCaller, company.admin.id, {
          comment: 'many',
          access: 'account',
        }),
      ),
    );
    const before = await epochNow();
    await Promise.all(
      keys.map(({ key: { id } }) => harness.deps.keys.disable(company.adminCaller, id, null)),
    );
    expect(await epochNow()).toBe(before + keys.length);
  });
});
