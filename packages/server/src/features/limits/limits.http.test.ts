import type { AddressInfo } from 'node:net';
import {
  buildNupkg,
  call,
  exchangeForm,
  getToken,
  type Harness,
  postForm,
  startHarness,
} from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gallery, seedGallery } from '../../../../testkit/src/gallery.ts';
import { Secret } from '../../lib/secret.ts';
import type { KeyLimitsInput } from './limits.rules.ts';

let harness: Harness;
let company: Gallery;
let accounts = 0;

beforeAll(async () => {
  harness = await startHarness();
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  company = await seedGallery(harness);
  // All windows and periods begin here.
  harness.clock.set(Date.parse('2027-03-02T10:00:00Z'));
});
afterAll(() => harness.close());

interface Minted {
  readonly key: { readonly id: string; readonly limits: unknown; readonly allowance: unknown };
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

const asAdmin = (method: 'GET' | 'POST' | 'PATCH', url: string, body?: unknown) =>
  call(harness, method, url, { key: company.adminKey, ...(body === undefined ? {} : { body }) });

async function mint(
  limits: KeyLimitsInput | null,
  body: Record<string, unknown> = {},
  accountId = company.member.id,
): Promise<Minted> {
  const answer = await asAdmin('POST', `/v1/accounts/${accountId}/keys`, {
    comment: 'limited',
    access: 'account',
    ...(limits === null ? {} : { limits }),
    ...body,
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<Minted>();
}

async function makeAccount(keyLimits: KeyLimitsInput | null): Promise<string> {
  accounts += 1;
  const answer = await asAdmin('POST', '/v1/service-accounts', {
    technicalName: `limited-${accounts}`,
    displayName: 'Limited',
    keyLimits,
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<{ id: string }>().id;
}

const rate = (requests: number, windowSeconds = 60): KeyLimitsInput => ({
  rate: { requests, windowSeconds },
});
const quota = (uses: number): KeyLimitsInput => ({ quota: { uses } });
const getKey = async ({ key }: Minted) => (await asAdmin('GET', `/v1/keys/${key.id}`)).json<Minted['key']>();
/** Changes what is there now, whoever changed it before. */
async function patch(url: string, body: unknown, key = company.adminKey) {
  const { version } = (await asAdmin('GET', url)).json<{ version: number }>();
  return await call(harness, 'PATCH', url, { key, body, headers: { 'if-match': `"${version}"` } });
}
const patchKey = ({ key }: Minted, body: unknown) => patch(`/v1/keys/${key.id}`, body);
const authorize = ({ fullKey }: { fullKey: string }, query = '') =>
  call(harness, 'GET', `/v1/authorize${query}`, { key: fullKey });
const verify = ({ fullKey }: { fullKey: string }, body: Record<string, unknown> = {}) =>
  asAdmin('POST', '/v1/keys/verify', { key: fullKey, ...body });
const statusesOf = async (times: number, ask: () => Promise<{ statusCode: number }>) => {
  const statuses: number[] = [];
  for (let time = 0; time < times; time += 1) statuses.push((await ask()).statusCode);
  return statuses;
};

describe('the limits of a key', () => {
  it('are told as they were set, with what is left', async () => {
    const minted = await mint({
      rate: { requests: 10, windowSeconds: 60 },
      quota: { uses: 5, refill: { every: 'day' } },
    });
    const refill = { every: 'day', uses: null };
    expect(minted.key.limits).toEqual({
      rate: { requests: 10, windowSeconds: 60 },
      quota: { uses: 5, refill },
    });
    expect((await authorize(minted)).statusCode).toBe(204);
    expect((await getKey(minted)).allowance).toEqual({
      rates: [{ source: 'key', requests: 10, windowSeconds: 60 }],
      quotas: [{ source: 'key', uses: 5, refill, remaining: 4, refillsAt: '2027-03-03T00:00:00.000Z' }],
    });
    expect((await mint(null)).key).toMatchObject({ limits: null, allowance: null });
  });

  it.each<[KeyLimitsInput, string, string]>([
    [rate(0), 'limits.rate.requests', 'from 1 to 1000000'],
    [rate(1, 86_401), 'limits.rate.windowSeconds', 'from 1 to 86400. For longer windows set a quota.'],
    [quota(1_000_000_001), 'limits.quota.uses', 'from 1 to 1000000000'],
    [{ quota: { uses: 5, refill: { every: 'day', uses: 6 } } }, 'limits.quota.refill.uses', 'from 1 to 5'],
  ])('out of bounds are refused by name: %j', async (limits, field, message) => {
    const answer = await asAdmin('POST', `/v1/accounts/${company.member.id}/keys`, {
      comment: 'x',
      access: 'account',
      limits,
    });
    expect(answer.statusCode).toBe(400);
    const [fault] = answer.json<{ errors: { field: string; message: string }[] }>().errors;
    expect(fault?.field).toBe(field);
    expect(fault?.message).toContain(message);
  });

  it('fill no audit log, however often they are met', async () => {
    const minted = await mint(rate(2));
    const ask = () => call(harness, 'GET', '/v1/keys/self', { key: minted.fullKey });
    expect(await statusesOf(4, ask)).toEqual([200, 200, 429, 429]);
    await harness.deps.audit.flush();
    const rows = await harness.deps.storage.read
      .selectFrom('audit')
      .select('action')
      .where('actor_key_id', '=', minted.key.id)
      .execute();
    expect(rows).toEqual([]);
  });

  it('are changed with If-Match, written down, and lifted by null', async () => {
    const minted = await mint(rate(2));
    const stale = await call(harness, 'PATCH', `/v1/keys/${minted.key.id}`, {
      key: company.adminKey,
      body: { limits: null },
      headers: { 'if-match': '"7"' },
    });
    expect(stale.statusCode).toBe(412);
    expect((await patchKey(minted, { limits: quota(3) })).json<Minted['key']>().limits).toEqual({
      rate: null,
      quota: { uses: 3, refill: null },
    });
    const audit = await asAdmin('GET', `/v1/audit?key=${minted.key.id}`);
    expect(audit.json<{ items: { action: string; detail: unknown }[] }>().items[0]).toMatchObject({
      action: 'key.changed',
      detail: { limits: { from: { rate: { requests: 2 } }, to: { quota: { uses: 3 } } } },
    });
    expect((await patchKey(minted, { limits: null })).json<Minted['key']>()).toMatchObject({
      limits: null,
      allowance: null,
    });
  });

  it('end the tokens of the key when they get narrower, and not when they get wider', async () => {
    const minted = await mint(rate(100));
    const login = async () =>
      (
        await call(harness, 'POST', '/iam/login', {
          body: { auth_mode: 'apikey', apikey: minted.apiKey, secretkey: minted.secretKey },
        })
      ).json<{ token: string }>().token;
    const token = { fullKey: await login() };
    await patchKey(minted, { limits: rate(200) });
    expect((await authorize(token)).statusCode).toBe(204);
    await patchKey(minted, { limits: rate(50) });
    expect((await authorize(token)).statusCode).toBe(401);
  });

  it('cannot be taken away by somebody who writes to the table of keys', async () => {
    const minted = await mint(rate(5));
    await sql`update api_keys set limits = null where id = ${minted.key.id}`.execute(
      harness.deps.storage.write,
    );
    expect((await authorize(minted)).statusCode).toBe(401);
    expect((await asAdmin('GET', `/v1/keys/${minted.key.id}`)).json()).toMatchObject({ code: 'key.altered' });
  });

  it('of a row that was made unreadable leave the other keys listed, and count as altered', async () => {
    const minted = await mint(rate(5), { comment: 'unreadable' });
    const write = harness.deps.storage.write;
    await sql`update api_keys set limits = '{' where id = ${minted.key.id}`.execute(write);
    expect((await authorize(minted)).statusCode).toBe(401);
    expect((await asAdmin('GET', `/v1/keys/${minted.key.id}`)).json()).toMatchObject({ code: 'key.altered' });
    expect((await asAdmin('GET', `/v1/accounts/${company.member.id}/keys`)).statusCode).toBe(200);
  });

  it('leave nothing of what was counted behind, once the key was deleted', async () => {
    const [kept, deleted] = [await mint(quota(5)), await mint(quota(5))];
    for (const minted of [kept, deleted]) expect((await authorize(minted)).statusCode).toBe(204);
    const remove = await call(harness, 'DELETE', `/v1/keys/${deleted.key.id}`, { key: company.adminKey });
    expect(remove.statusCode).toBe(204);
    expect(await harness.deps.quotaSweep.run()).toBe(1);
    const rows = await harness.deps.storage.usage
      .selectFrom('key_quotas')
      .select(['key_id', 'used'])
      .where('key_id', 'in', [kept.key.id, deleted.key.id])
      .execute();
    expect(rows).toEqual([{ key_id: kept.key.id, used: 1 }]);
    expect(await harness.deps.quotaSweep.run()).toBe(0);
  });

  it('bind whoever manages keys with the key: it makes no others and loosens no limits', async () => {
    const scopes = [{ actions: ['iam:keys:write'], resources: [company.admin.id] }];
    const limited = await mint(rate(50), { access: 'scoped', scopes }, company.admin.id);
    const create = await call(harness, 'POST', `/v1/accounts/${company.admin.id}/keys`, {
      key: limited.fullKey,
      body: { comment: 'x', access: 'scoped', scopes },
    });
    expect(create.json()).toMatchObject({ status: 403, code: 'key.limits_exceed_caller' });
    const own = `/v1/keys/${limited.key.id}`;
    expect((await patch(own, { limits: null }, limited.fullKey)).json()).toMatchObject({
      code: 'key.limits_exceed_caller',
    });
    expect((await patch(own, { limits: rate(40) }, limited.fullKey)).statusCode).toBe(200);
    // Another window is another count, which begins at zero, however much longer it is.
    const slower = await patch(own, { limits: rate(40, 61) }, limited.fullKey);
    expect(slower.json()).toMatchObject({ code: 'key.limits_exceed_caller' });
  });

  it('are not left behind by taking the secret of another key', async () => {
    const scopes = [{ actions: ['iam:keys:write'], resources: [company.admin.id] }];
    const limited = await mint(rate(50), { access: 'scoped', scopes }, company.admin.id);
    const free = await mint(null, { access: 'scoped', scopes }, company.admin.id);
    const regenerate = (id: string) =>
      call(harness, 'POST', `/v1/keys/${id}/regenerate`, { key: limited.fullKey, body: {} });
    expect((await regenerate(free.key.id)).json()).toMatchObject({ code: 'key.limits_exceed_caller' });
    expect((await authorize(free)).statusCode).toBe(204);
    // Its own secret stays under the same limits, and under what was counted.
    const renewed = await regenerate(limited.key.id);
    expect(renewed.statusCode, renewed.body).toBe(200);
    expect((await authorize(renewed.json<Minted>())).headers['ratelimit']).toBe('"key-rate";r=47;t=60');
  });
});

describe('the limits of an account', () => {
  it('hold each of its keys, also those with limits of their own, and count from the change on', async () => {
    const accountId = await makeAccount(rate(2));
    const [bare, own] = [await mint(null, {}, accountId), await mint(rate(9), {}, accountId)];
    for (const minted of [bare, own])
      expect(await statusesOf(3, () => authorize(minted))).toEqual([204, 204, 403]);
    await patch(`/v1/service-accounts/${accountId}`, { keyLimits: null });
    expect((await authorize(bare)).statusCode).toBe(204);
    // Four of its own nine requests are counted by now, this one among them.
    expect((await authorize(own)).headers['ratelimit']).toBe('"key-rate";r=5;t=60');
    await patch(`/v1/service-accounts/${accountId}`, { keyLimits: quota(1) });
    expect(await statusesOf(2, () => authorize(bare))).toEqual([204, 403]);
  });

  it('and those of the key itself hold requests in the fast lane, that of whoever verifies others among them', async () => {
    const { port } = harness.app.server.address() as AddressInfo;
    const ask = async (path: string, { fullKey }: Minted, body?: unknown): Promise<number> => {
      const answer = await fetch(`http://localhost:${port}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${fullKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    const accountId = await makeAccount(rate(2));
    const grants = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
    await patch(`/v1/service-accounts/${accountId}`, { grants });
    for (const limits of [null, rate(2)]) {
      const account = limits === null ? accountId : company.member.id;
      const minted = await mint(limits, {}, account);
      for (const status of [204, 204, 403]) expect(await ask('/v1/authorize', minted)).toBe(status);
    }
    const verifier = await mint(null, { access: 'scoped', scopes: grants }, accountId);
    const free = await mint(null);
    for (const status of [200, 200, 429])
      expect(await ask('/v1/keys/verify', verifier, { key: free.fullKey })).toBe(status);
  });

  it('are for administrators to set', async () => {
    const key = await company.makeKey(company.memberCaller, company.member);
    const url = `/v1/users/${company.member.id}`;
    expect((await patch(url, { keyLimits: null }, key)).statusCode).toBe(403);
    await expect(
      harness.deps.accounts.update(
        company.memberCaller,
        'user',
        company.member.id,
        { keyLimits: null },
        null,
      ),
    ).rejects.toMatchObject({ code: 'auth.forbidden' });
  });
});

describe('a key that may change accounts', () => {
  it('cannot loosen what holds itself, only others', async () => {
    const limited = await makeAccount(rate(50));
    const other = await makeAccount(rate(50));
    const url = (id: string) => `/v1/service-accounts/${id}`;
    const grants = [{ actions: ['iam:*'], resources: ['*'] }];
    await patch(url(limited), { grants });
    const scopes = [{ actions: ['iam:accounts:write'], resources: ['*'] }];
    const { fullKey } = await mint(null, { access: 'scoped', scopes }, limited);
    const refused = await patch(url(limited), { keyLimits: null }, fullKey);
    expect(refused.json()).toMatchObject({ status: 403, code: 'auth.forbidden' });
    expect((await patch(url(other), { keyLimits: null }, fullKey)).statusCode).toBe(200);
    expect((await patch(url(limited), { keyLimits: rate(40) }, fullKey)).statusCode).toBe(200);
  });
});

describe('/v1/authorize', () => {
  it('answers 403 with the reason, and with when to try again, until the window ends', async () => {
    const minted = await mint(rate(2, 30));
    expect((await authorize(minted)).headers).toMatchObject({
      'ratelimit-policy': '"key-rate";q=2;w=30',
      ratelimit: '"key-rate";r=1;t=30',
      'keyreeve-cache': 'none',
    });
    harness.clock.advance(10_000);
    expect((await authorize(minted)).statusCode).toBe(204);
    const over = await authorize(minted);
    expect(over.statusCode).toBe(403);
    expect(over.headers).toMatchObject({
      'x-keyreeve-reason': 'rate_limited',
      'x-keyreeve-key-id': minted.key.id,
      'retry-after': '20',
      ratelimit: '"key-rate";r=0;t=20',
    });
    harness.clock.advance(20_000);
    expect((await authorize(minted)).statusCode).toBe(204);
  });

  it('counts requests that are refused for another reason as requests, and not as uses', async () => {
    const minted = await mint({ ...rate(3), ...quota(1) });
    const wrong = () => authorize(minted, '?action=orders:read');
    expect((await wrong()).headers['x-keyreeve-reason']).toBe('insufficient_scope');
    expect((await authorize(minted)).statusCode).toBe(204);
    expect((await authorize(minted)).headers).toMatchObject({ 'x-keyreeve-reason': 'quota_exceeded' });
    // Whoever is over the rate is told nothing else.
    expect((await wrong()).headers['x-keyreeve-reason']).toBe('rate_limited');
  });

  it('says nothing of limits for a key without any', async () => {
    const { headers } = await authorize(await mint(null));
    for (const name of ['ratelimit', 'ratelimit-policy', 'keyreeve-cache'])
      expect(headers[name]).toBeUndefined();
  });
});

describe('/v1/keys/verify', () => {
  it('tells rate_limited and quota_exceeded apart, with what is left, and lets nobody keep the answer', async () => {
    const minted = await mint({ ...rate(4), quota: { uses: 1, refill: { every: 'month' } } });
    const first = await verify(minted);
    expect(first.headers['keyreeve-cache']).toBe('none');
    const month = { name: 'key-quota', limit: 1, windowSeconds: null, remaining: 0 };
    expect(first.json()).toMatchObject({
      valid: true,
      limits: { retryAfterSeconds: null, states: [{ name: 'key-rate', remaining: 3 }, month] },
    });
    // A program that waits for weeks looks like one that hangs: what is hours away is told as a number only.
    const overQuota = await authorize(minted);
    expect(overQuota.headers['x-keyreeve-reason']).toBe('quota_exceeded');
    expect(overQuota.headers['retry-after']).toBeUndefined();
    expect(overQuota.headers['ratelimit']).toMatch(/"key-quota";r=0;t=\d{7}$/);
    const second = (await verify(minted)).json<{ limits: { retryAfterSeconds: number } }>();
    expect(second).toMatchObject({ valid: false, code: 'quota_exceeded', keyId: minted.key.id });
    // To the first of April.
    expect(second.limits.retryAfterSeconds).toBeGreaterThan(29 * 86_400);
    await verify(minted);
    const last = await verify(minted);
    expect(last.json()).toMatchObject({
      valid: false,
      code: 'rate_limited',
      limits: { retryAfterSeconds: 60 },
    });
    expect(last.headers['keyreeve-cache']).toBe('none');
    expect((await verify(await mint(null))).headers['keyreeve-cache']).toBeUndefined();
  });

  it('counts no use for a key that may not do what was asked', async () => {
    const minted = await mint(quota(1));
    expect((await verify(minted, { action: 'orders:read' })).json()).toMatchObject({
      code: 'insufficient_scope',
    });
    expect((await verify(minted)).json()).toMatchObject({ valid: true });
  });

  it('only looks when a person asks', async () => {
    const minted = await mint(quota(1));
    const look = () =>
      harness.deps.verification.verify(company.adminCaller, {
        presented: { apiKey: minted.apiKey, secretKey: new Secret(minted.secretKey) },
        question: { action: null, resource: null },
        clientIp: null,
      });
    expect(await look()).toMatchObject({ code: 'valid' });
    expect((await authorize(minted)).statusCode).toBe(204);
    expect(await look()).toMatchObject({ code: 'quota_exceeded' });
  });
});

describe('other uses of a limited key', () => {
  it('at our own API are counted and refused with 429', async () => {
    const minted = await mint(rate(1));
    const self = () => call(harness, 'GET', '/v1/keys/self', { key: minted.fullKey });
    expect((await self()).headers['ratelimit']).toBe('"key-rate";r=0;t=60');
    const over = await self();
    expect(over.statusCode).toBe(429);
    expect(over.headers).toMatchObject({ 'retry-after': '60', ratelimit: '"key-rate";r=0;t=60' });
    expect(over.json()).toMatchObject({ code: 'limit.rate_limited' });
    expect(over.json<{ detail: string }>().detail).toContain('1 requests in 60 s');
    // Whoever finds a leaked key ends it, however often it is used.
    const revoke = await call(harness, 'POST', '/v1/keys/self/revoke', { key: minted.fullKey });
    expect(revoke.statusCode).toBe(204);
  });

  it('for tokens are counted: at the login, at OAuth, and with each use of the token here', async () => {
    const minted = await mint(quota(3));
    const pair = { auth_mode: 'apikey', apikey: minted.apiKey, secretkey: minted.secretKey };
    const login = () => call(harness, 'POST', '/iam/login', { body: pair });
    const basic = Buffer.from(`${minted.apiKey}:${minted.secretKey}`).toString('base64');
    const oauth = () =>
      harness.app.inject({
        method: 'POST',
        url: '/oauth2/token',
        headers: {
          host: 'localhost:8080',
          authorization: `Basic ${basic}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        payload: 'grant_type=client_credentials',
      });
    const { token } = (await login()).json<{ token: string }>();
    expect((await oauth()).statusCode).toBe(200);
    expect((await authorize({ fullKey: token })).statusCode).toBe(204);
    expect((await authorize({ fullKey: token })).headers['x-keyreeve-reason']).toBe('quota_exceeded');
    expect((await login()).json()).toMatchObject({ success: false, status: 429 });
    const refused = await oauth();
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
  });

  it('of its tokens are counted also where others use them: introspection, and an exchange', async () => {
    const [owner, service] = [await mint(quota(4)), await mint(null, {}, company.admin.id)];
    const { access_token: token } = await getToken(harness, owner);
    const asked = await postForm(harness, '/oauth2/introspect', { token }, { basic: owner });
    expect(asked.json()).toMatchObject({ active: true });
    // One for the token, one for the client that asks, one for the token that is asked about.
    expect((await getKey(owner)).allowance).toMatchObject({ quotas: [{ remaining: 1 }] });
    const exchange = () => postForm(harness, '/oauth2/token', exchangeForm(token), { basic: service });
    expect((await exchange()).statusCode).toBe(200);
    expect((await exchange()).statusCode).toBe(429);
    const after = await postForm(harness, '/oauth2/introspect', { token }, { basic: service });
    expect(after.json()).toEqual({ active: false });
  });

  it('in the gallery are held to its rate, also those that are refused for another reason', async () => {
    const scopes = [{ actions: ['package:push'], resources: ['Limited.*'] }];
    const { fullKey } = await mint(rate(1), { access: 'scoped', scopes });
    const push = () => company.push(fullKey, buildNupkg({ id: 'Elsewhere.Tool', version: '1.0.0' }));
    expect((await push()).statusCode).toBe(403);
    const over = await push();
    expect([over.statusCode, over.headers['retry-after']]).toEqual([429, '60']);
  });

  it('in the gallery are counted once the push is permitted, and refused in words that clients show', async () => {
    const scopes = [{ actions: ['package:push'], resources: ['Limited.*'] }];
    const { fullKey } = await mint(quota(1), { access: 'scoped', scopes });
    const push = (id: string, version: string) => company.push(fullKey, buildNupkg({ id, version }));
    expect((await push('Elsewhere.Tool', '1.0.0')).statusCode).toBe(403);
    expect((await push('Limited.Tool', '1.0.0')).statusCode).toBe(201);
    const over = await push('Limited.Tool', '1.1.0');
    expect(over.statusCode).toBe(429);
    expect(over.statusMessage).toContain('The quota of 1 uses is used up.');
    expect(over.body).toBe(over.statusMessage);
  });
});
