import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { buildApp } from '@keyreeve/server';
import {
  type App,
  type Company,
  call,
  describeOn,
  exchangeForm,
  FORM_TYPE,
  type Harness,
  seedCompany,
  startHarness,
  toBasic,
  toDetailsText,
} from '@keyreeve/testkit';
import fc from 'fast-check';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { publishSuccessor } from '../signing-keys/key-changes.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const GRANT = 'grant_type=client_credentials';
const RESOURCE = 'https://orders.example/api';

interface Asked {
  readonly form: string;
  readonly headers?: readonly string[];
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** What the token says, as far as its signature is right; without its id. */
  readonly token: unknown;
}

let harness: Harness;
let company: Company;
let fast: App;
/** The same server, on the same database, without the lane. */
let slow: App;
const keys: Record<string, { readonly apiKey: string; readonly secretKey: string }> = {};

const client = (name: string) => keys[name] ?? { apiKey: '', secretKey: '' };
const basic = (name: string) => ['Authorization', toBasic(client(name))];
const inBody = (name: string) => `client_id=${client(name).apiKey}&client_secret=${client(name).secretKey}`;
const asAdmin = (method: 'POST' | 'PATCH', url: string, body: object) =>
  call(harness, method, url, { key: company.adminKey, body });
const change = (patch: object) => harness.deps.settings.update(company.adminCaller, patch, null);

async function mint(name: string, body: Record<string, unknown> = {}): Promise<void> {
  const url = `/v1/accounts/${company.member.id}/keys`;
  const answer = await asAdmin('POST', url, { comment: name, access: 'account', ...body });
  expect(answer.statusCode, answer.body).toBe(201);
  keys[name] = answer.json();
}

beforeAll(async () => {
  harness = await startHarness({ environment: { KEYREEVE_TRUST_PROXY: '127.0.0.1' } });
  company = await seedCompany(harness);
  fast = await buildApp(harness.deps, { lane: 'all' });
  slow = await buildApp(harness.deps, { lane: 'none' });
  for (const app of [fast, slow]) await app.listen({ host: '127.0.0.1', port: 0 });
  await change({ tokenResources: [RESOURCE] });
  await mint('all');
  await mint('scoped', {
    access: 'scoped',
    scopes: [
      { actions: ['package:read'], resources: ['*'] },
      { actions: ['package:push', 'package:unlist'], resources: ['Contoso.*', 'Fabrikam.*'] },
    ],
  });
  await mint('wide', {
    access: 'scoped',
    scopes: [
      {
        actions: ['package:push'],
        resources: Array.from({ length: 40 }, (_, n) => `${'x'.repeat(90)}.${n}`),
      },
    ],
  });
  await mint('limited', { limits: { rate: { requests: 1_000, windowSeconds: 60 }, quota: null } });
  await mint('elsewhere', { ipRanges: ['10.0.0.0/8'] });
  await mint('expired', { lifetimeDays: 1 });
  await mint('disabled');
  await mint('renewed');
  harness.clock.advance(DAY_MS);
  await mint('soon', { lifetimeDays: 1 });
  await asAdmin('POST', `/v1/keys/${client('disabled').apiKey}/disable`, {});
  const renewed = await asAdmin('POST', `/v1/keys/${client('renewed').apiKey}/regenerate`, {
    overlapHours: 24,
  });
  keys['new'] = renewed.json();
  keys['wrong'] = { ...client('all'), secretKey: client('scoped').secretKey };
  keys['unknown'] = { ...client('all'), apiKey: 'kr_0123456789ABCDEF' };
});
afterAll(async () => {
  await Promise.all([fast.close(), slow.close()]);
  await harness.close();
});

/** One request on a connection of its own, which is kept alive as long as the request takes. */
async function send(app: App, { form, headers = [] }: Asked): Promise<Answer> {
  const agent = new Agent({ keepAlive: true });
  const { port } = app.server.address() as AddressInfo;
  const lines = [
    'Host',
    'localhost',
    'Content-Length',
    String(Buffer.byteLength(form, 'latin1')),
    ...headers,
  ];
  if (!lines.includes('Content-Type')) lines.push('Content-Type', FORM_TYPE);
  const outgoing = request({
    agent,
    port,
    host: '127.0.0.1',
    path: '/oauth2/token',
    method: 'POST',
    headers: lines,
  });
  outgoing.end(form, 'latin1');
  const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  const body = JSON.parse(await readText(incoming)) as Record<string, unknown>;
  agent.destroy();
  const { date: _date, 'x-request-id': _id, ...lasting } = incoming.headers;
  const { access_token: token, ...others } = body;
  return {
    status: incoming.statusCode ?? 0,
    headers: lasting,
    body: others,
    token: typeof token === 'string' ? await readSigned(token) : null,
  };
}

async function readSigned(token: string): Promise<unknown> {
  const jwks = await slow.inject({ url: '/.well-known/jwks.json', headers: { host: 'localhost' } });
  const keySet = createLocalJWKSet(jwks.json<JSONWebKeySet>());
  const currentDate = new Date(harness.clock.now());
  const { payload, protectedHeader } = await jwtVerify(token, keySet, { typ: 'at+jwt', currentDate });
  const { jti, ...claims } = payload;
  expect(jti).toMatch(/^[0-9A-Za-z]{22}$/);
  // In their order, which a reader of the text would see.
  return [Object.entries(protectedHeader), Object.keys(decodeJwt(token)), Object.entries(claims)];
}

/** How many of these requests the lane answered itself. */
async function countLane(work: () => Promise<unknown>): Promise<number> {
  const before = harness.logLines.length;
  await work();
  return harness.logLines
    .slice(before)
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level, msg }) => level === 20 && msg === 'request').length;
}

async function expectSame(asked: Asked): Promise<Answer> {
  const [answer, other] = [await send(fast, asked), await send(slow, asked)];
  expect(answer, JSON.stringify(asked)).toEqual(other);
  return answer;
}

/** The lane learns of hosts, settings and signing keys from requests that it leaves to the routes. */
async function warm(asked: Asked = { form: GRANT, headers: basic('all') }): Promise<void> {
  for (let requests = 0; requests < 2; requests += 1) await send(fast, asked);
}

describeOn('postgres', 'the lane for tokens', () => {
  it('leaves all to the routes where signing keys have to be waited for', async () => {
    await warm();
    const asked = { form: GRANT, headers: basic('all') };
    expect(await countLane(async () => expect((await expectSame(asked)).status).toBe(200))).toBe(0);
  });
});

describeOn('sqlite', 'the lane for tokens', () => {
  it('answers the plain case itself, as the routes do', async () => {
    const details = encodeURIComponent(toDetailsText(['package:push'], ['Contoso.Tools', 'Fabrikam.1']));
    const plain: readonly Asked[] = [
      { form: GRANT, headers: basic('all') },
      { form: GRANT, headers: basic('scoped') },
      { form: GRANT, headers: basic('renewed') },
      { form: GRANT, headers: basic('new') },
      { form: GRANT, headers: basic('soon') },
      { form: `${GRANT}&${inBody('all')}` },
      { form: `${inBody('scoped')}&${GRANT}&scope=package%3Aread` },
      { form: `${GRANT}&scope=package:read+package:push`, headers: basic('scoped') },
      { form: `${GRANT}&authorization_details=${details}`, headers: basic('scoped') },
      { form: `${GRANT}&resource=${encodeURIComponent(RESOURCE)}`, headers: basic('all') },
      { form: `audience=${RESOURCE}&${GRANT}`, headers: basic('all') },
      { form: `grant%5Ftype=client%5Fcredentials&scope=&more=x`, headers: basic('all') },
      { form: GRANT, headers: [...basic('all'), 'Content-Type', `${FORM_TYPE}; charset=utf-8`] },
      {
        form: GRANT,
        headers: [
          ...basic('all'),
          'X-API-Key',
          'x',
          'Cookie',
          'keyreeve_session=x',
          'Origin',
          'https://a.example',
        ],
      },
      { form: GRANT, headers: [...basic('elsewhere'), 'X-Forwarded-For', '10.0.0.9'] },
      { form: GRANT, headers: [...basic('all'), 'X-Forwarded-Proto', 'https'] },
    ];
    for (const asked of plain) {
      await warm(asked);
      expect(
        await countLane(async () => expect((await expectSame(asked)).status).toBe(200)),
        asked.form,
      ).toBe(1);
    }
  });

  it('leaves what is not plain to the routes', async () => {
    await warm();
    const odd: readonly Asked[] = [
      ...['wrong', 'unknown', 'expired', 'disabled', 'elsewhere', 'limited', 'wide'].flatMap((name) => [
        { form: GRANT, headers: basic(name) },
        { form: `${GRANT}&${inBody(name)}` },
      ]),
      { form: GRANT },
      { form: '', headers: basic('all') },
      { form: 'grant_type=password', headers: basic('all') },
      { form: `${GRANT}&${GRANT}`, headers: basic('all') },
      { form: `${GRANT}&scope=a:b&scope=a:b`, headers: basic('all') },
      { form: `${GRANT}&scope=package:%ff`, headers: basic('all') },
      { form: `${GRANT}&scope=iam:keys:verify`, headers: basic('all') },
      { form: `${GRANT}&scope=a:b%20%20c:d`, headers: basic('all') },
      { form: `${GRANT}&resource=https://elsewhere.example`, headers: basic('all') },
      { form: `${GRANT}&resource=${RESOURCE}&audience=http://localhost:8080`, headers: basic('all') },
      { form: `${GRANT}&authorization_details=%5B%5D`, headers: basic('all') },
      { form: `${GRANT}&client_id=${client('all').apiKey}`, headers: basic('all') },
      { form: `${GRANT}&client_id=x`, headers: basic('all') },
      { form: `${GRANT}&${inBody('all')}`, headers: basic('all') },
      { form: `${GRANT}&${inBody('all')}&client%5Fsecret=x` },
      { form: `${GRANT}&${inBody('all')}&client_id=${client('all').apiKey}` },
      { form: `${GRANT}&client_secret=${client('all').apiKey}_${client('all').secretKey}` },
      { form: `client_secret&${GRANT}&${inBody('all')}` },
      { form: `${GRANT}&client_assertion=x`, headers: basic('all') },
      {
        form: GRANT,
        headers: ['Authorization', `Bearer ${client('all').apiKey}_${client('all').secretKey}`],
      },
      {
        form: GRANT,
        headers: ['Authorization', toBasic({ apiKey: '', secretKey: client('all').secretKey })],
      },
      {
        form: GRANT,
        headers: ['Authorization', toBasic({ ...client('all'), secretKey: `${client('all').secretKey} ` })],
      },
      { form: GRANT, headers: ['Authorization', 'Basic !'] },
      { form: GRANT, headers: [...basic('all'), ...basic('all')] },
      { form: GRANT, headers: [...basic('all'), 'Content-Type', 'application/json'] },
      { form: GRANT, headers: [...basic('all'), 'Content-Type', 'text/plain'] },
      { form: `${GRANT}&more=${'x'.repeat(600)}`, headers: basic('all') },
      { form: new URLSearchParams(exchangeForm('x')).toString(), headers: basic('all') },
    ];
    const count = await countLane(async () => {
      for (const asked of odd) await expectSame(asked);
    });
    expect(count).toBe(0);
  });

  it('says the same as the routes, whatever is asked', async () => {
    await warm();
    const names = fc.constantFrom(...Object.keys(keys));
    const parameter = fc.oneof(
      { weight: 4, arbitrary: fc.constant(GRANT) },
      names.map(inBody),
      fc.constantFrom(
        'scope=package:read',
        'scope=package:*',
        'client_id=',
        'client_secret',
        'resource=',
        '',
        '=',
      ),
      fc.stringMatching(/^(scope|resource|audience|client_id)=[!-~]{0,6}$/),
      fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
    );
    const authorization = fc.oneof(
      names.map(basic),
      fc.constant([]),
      fc
        .stringMatching(/^[ -~]{0,8}$/)
        .map((text) => ['Authorization', `Basic ${Buffer.from(text).toString('base64')}`]),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { maxLength: 4 }), authorization, async (parameters, headers) => {
        await expectSame({ form: parameters.join('&'), headers });
      }),
      { numRuns: 100 },
    );
  }, 30_000);

  it('counts a use as the routes do', async () => {
    await warm();
    const { usage, defaultWorkspace } = harness.deps;
    const listUses = async () => {
      await usage.flush();
      return await usage.listHours(defaultWorkspace.id, client('scoped').apiKey, harness.clock.now());
    };
    const uses: unknown[] = [];
    for (const app of [fast, slow]) {
      await mint('scoped');
      for (let times = 0; times < 3; times += 1) await send(app, { form: GRANT, headers: basic('scoped') });
      uses.push(await listUses());
    }
    expect(uses[0]).toEqual(uses[1]);
    expect(uses[0]).toHaveLength(1);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['was disabled', () => asAdmin('POST', `/v1/keys/${client('doomed').apiKey}/disable`, {})],
    ['was regenerated', () => asAdmin('POST', `/v1/keys/${client('doomed').apiKey}/regenerate`, {})],
    ['has expired', async () => harness.clock.advance(2 * DAY_MS)],
  ])('gives no token for a key that %s a moment ago', async (_what, end) => {
    await mint('doomed', { lifetimeDays: 1 });
    const asked = { form: GRANT, headers: basic('doomed') };
    await warm(asked);
    expect(await countLane(() => send(fast, asked))).toBe(1);
    await end();
    expect((await expectSame(asked)).status).toBe(401);
  });

  it('follows a changed setting, narrowed scopes and other grants at once', async () => {
    await mint('narrowed', {
      access: 'scoped',
      scopes: [{ actions: ['package:read', 'package:push'], resources: ['*'] }],
    });
    const asked = { form: `${GRANT}&resource=${RESOURCE}`, headers: basic('narrowed') };
    const expectChange = async (patch: () => Promise<unknown>, body: object) => {
      await warm(asked);
      expect(await countLane(() => send(fast, asked))).toBe(1);
      await patch();
      // The first answer comes from the routes, which the lane then follows.
      for (let times = 0; times < 4; times += 1) expect((await expectSame(asked)).body).toMatchObject(body);
    };
    await expectChange(() => change({ tokenLifetimeSeconds: 120 }), { expires_in: 120 });
    const scopes = [{ actions: ['package:read', 'package:push'], resources: ['Contoso.*'] }];
    const { keys: service, accounts } = harness.deps;
    const { apiKey } = client('narrowed');
    const narrowed = { authorization_details: [{ identifiers: ['Contoso.*'] }] };
    await expectChange(() => service.update(company.adminCaller, apiKey, { scopes }, null), narrowed);
    const setState = (state: 'active' | 'disabled') =>
      accounts.update(company.adminCaller, 'user', company.member.id, { state }, null);
    await expectChange(() => setState('disabled'), { error: 'invalid_client' });
    await setState('active');
    await expectChange(() => change({ tokenResources: [] }), { error: 'invalid_target' });
    await change({ tokenResources: [RESOURCE] });
  });

  it.each([
    ['EdDSA', 1],
    ['RS256', 0],
    ['ES256', 1],
  ] as const)('signs with %s from when such a key begins to', async (signingAlgorithm, count) => {
    const asked = { form: GRANT, headers: basic('all') };
    await change({ signingAlgorithm });
    await warm(asked);
    harness.clock.advance(20 * MINUTE_MS);
    let answer: Answer | null = null;
    expect(
      await countLane(async () => {
        answer = await expectSame(asked);
      }),
    ).toBe(count);
    expect(answer).toMatchObject({ token: [expect.arrayContaining([['alg', signingAlgorithm]]), {}, {}] });
  });

  it('leaves the request after which a signing key has signed for its days to the routes, which replace it', async () => {
    await mint('lasting', { lifetimeDays: 365 });
    const asked = { form: GRANT, headers: basic('lasting') };
    await warm(asked);
    harness.clock.advance(90 * DAY_MS);
    expect(await countLane(() => send(fast, asked))).toBe(0);
    const { items } = await harness.deps.signingKeys.list(company.adminCaller, { limit: 10 });
    expect(items.map(({ state }) => state)).toContain('waiting');
  });

  it('signs with a key that another process has published, from when it begins to', async () => {
    const asked = { form: GRANT, headers: basic('lasting') };
    harness.clock.advance(20 * MINUTE_MS);
    await warm(asked);
    // What another process writes, nobody tells to those that keep the keys here.
    const kid = await publishSuccessor(harness.deps, company.adminCaller, 'ES256');
    harness.clock.advance(20 * MINUTE_MS);
    expect((await expectSame(asked)).token).toMatchObject([expect.arrayContaining([['kid', kid]]), {}, {}]);
  });

  it('signs with no key that was retired a moment ago', async () => {
    const asked = { form: GRANT, headers: basic('lasting') };
    await warm(asked);
    const { signingKeys } = harness.deps;
    const before = await send(fast, asked);
    const signing = (await signingKeys.list(company.adminCaller, { limit: 10 })).items.find(
      ({ state }) => state === 'signing',
    );
    await signingKeys.retire(company.adminCaller, signing?.kid ?? '');
    const after = await expectSame(asked);
    expect(after.status).toBe(200);
    expect(after.token).not.toEqual(before.token);
  });
});
