import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction, systemCaller } from '../../index.ts';
import { Secret } from '../../lib/secret.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

describe('a token', () => {
  let harness: Harness;
  let company: Company;

  beforeAll(async () => {
    harness = await startHarness();
    company = await seedCompany(harness);
  });
  afterAll(() => harness.close());

  const asAdmin = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown) =>
    call(harness, method, url, { key: company.adminKey, ...(body === undefined ? {} : { body }) });

  const mint = async (body: Record<string, unknown> = {}, accountId = company.member.id): Promise<Minted> => {
    const answer = await asAdmin('POST', `/v1/accounts/${accountId}/keys`, {
      comment: 'CI',
      access: 'account',
      ...body,
    });
    expect(answer.statusCode, answer.body).toBe(201);
    return answer.json<Minted>();
  };
  const login = async ({ apiKey, secretKey }: Minted): Promise<string | null> => {
    const payload = new URLSearchParams({
      auth_mode: 'apikey',
      apikey: apiKey,
      secretkey: secretKey,
    }).toString();
    const answer = await harness.app.inject({
      method: 'POST',
      url: '/iam/login',
      payload,
      headers: { host: 'localhost' },
    });
    return answer.statusCode === 200 ? answer.json<{ token: string }>().token : null;
  };
  const tokenOf = async (minted: Minted): Promise<string> => {
    const token = await login(minted);
    if (token === null) throw new Error('The login was refused.');
    return token;
  };
  const check = (token: string, url = '/iam/v4/checkSession') =>
    harness.app.inject({ url, headers: { host: 'localhost', authorization: `Bearer ${token}` } });
  const statusesOf = async (token: string): Promise<number[]> => [
    (await check(token)).statusCode,
    (await check(token, '/v1/keys/self')).statusCode,
    (await check(token, '/v1/authorize')).statusCode,
  ];
  const WORKS = [200, 200, 204];
  const IS_DEAD = [401, 401, 401];

  describe('that is checked', () => {
    it.each(['/iam/checkSession', '/iam/v4/checkSession', '/cam/v4/checkSession', '/iam/v4/checkSession/'])(
      'has its session told at %s, by header or by query',
      async (path) => {
        const token = await tokenOf(await mint());
        const issuedAt = harness.clock.now();
        harness.clock.advance(600_000);
        const expected = {
          uid: company.member.id,
          login: 'mei@example.com',
          token,
          expires_in: 3000,
          token_duration: 3600,
          token_expire: new Date(issuedAt + HOUR_MS).toISOString(),
          token_refreshed_at: new Date(issuedAt).toISOString(),
        };
        expect((await check(token, path)).json()).toMatchObject(expected);
        const byQuery = await harness.app.inject({
          url: `${path}?app_id=forepaas&token=${token}`,
          headers: { host: 'localhost' },
        });
        expect(byQuery.json()).toMatchObject(expected);
        expect(byQuery.headers['cache-control']).toBe('no-store');
      },
    );

    it.each([
      ['nothing', {}],
      ['an empty token', { authorization: 'Bearer ' }],
      ['no token', { authorization: 'Bearer abc' }],
      ['Basic', { authorization: 'Basic YTpi' }],
    ])('is answered with 401 in the shape of the contract for %s', async (_name, headers) => {
      const answer = await harness.app.inject({
        url: '/iam/v4/checkSession',
        headers: { host: 'localhost', ...headers },
      });
      expect(answer.statusCode).toBe(401);
      expect(answer.json()).toMatchObject({ error: 'Unauthorized', success: false, status: 401 });
    });

    it('is not a full key: that one has no session', async () => {
      expect((await check((await mint()).fullKey)).statusCode).toBe(401);
    });

    it('is refused when header and query name two different ones', async () => {
      const minted = await mint();
      const [one, two] = [await tokenOf(minted), await tokenOf(minted)];
      const answer = await check(one, `/iam/v4/checkSession?token=${two}`);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ success: false, status: 400 });
    });

    it('never lands in the log, also not from the query string', async () => {
      const token = await tokenOf(await mint());
      await harness.app.inject({
        url: `/iam/v4/checkSession?token=${token}`,
        headers: { host: 'localhost' },
      });
      expect(harness.logLines.join('\n')).not.toContain(token.slice(0, 40));
    });
  });

  describe('that is logged out', () => {
    it.each(['/iam/logout', '/iam/v4/logout', '/cam/logout', '/iam/logout/'])(
      'is ended at %s, once',
      async (path) => {
        const minted = await mint();
        const [token, other] = [await tokenOf(minted), await tokenOf(minted)];
        const logout = () =>
          harness.app.inject({
            method: 'DELETE',
            url: `${path}?app_id=x&token=${token}`,
            headers: { host: 'localhost' },
          });
        const answer = await logout();
        expect(answer.statusCode).toBe(200);
        expect(answer.json()).toEqual({
          success: true,
          status: 200,
          duration: expect.any(Number) as unknown,
        });
        expect(await statusesOf(token)).toEqual(IS_DEAD);
        expect((await logout()).statusCode).toBe(401);
        expect(await statusesOf(other)).toEqual(WORKS);
      },
    );

    it('stays ended after a restart', async () => {
      const token = await tokenOf(await mint());
      await harness.app.inject({
        method: 'DELETE',
        url: '/iam/logout',
        headers: { host: 'localhost', authorization: `Bearer ${token}` },
      });
      harness = await harness.restart();
      expect(await statusesOf(token)).toEqual(IS_DEAD);
    });

    it('is ended once, however many ask at the same time', async () => {
      const token = new Secret(await tokenOf(await mint()));
      const caller = systemCaller(harness.deps.defaultWorkspace, 'test');
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => harness.deps.tokens.end(caller, token)),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('is told in the audit log, with its key', async () => {
      const minted = await mint();
      const token = await tokenOf(minted);
      await harness.app.inject({
        method: 'DELETE',
        url: '/iam/logout',
        headers: { host: 'localhost', authorization: `Bearer ${token}` },
      });
      const audit = await asAdmin('GET', `/v1/audit?key=${minted.apiKey}&action=token.ended`);
      expect(audit.json()).toMatchObject({
        items: [{ target: { kind: 'token', id: decodeJwt(token).jti } }],
      });
    });
  });

  describe('ends at the very next request, like the login, when', () => {
    const asMember = { accountId: '' };
    beforeAll(async () => {
      const account = await harness.createAccount({
        kind: 'user',
        email: 'eve@example.com',
        displayName: 'Eve',
        role: 'member',
      });
      asMember.accountId = account.id;
    });

    it.each([
      ['the key is deleted', async (id: string) => (await asAdmin('DELETE', `/v1/keys/${id}`)).statusCode],
      [
        'the key is disabled',
        async (id: string) => (await asAdmin('POST', `/v1/keys/${id}/disable`, {})).statusCode,
      ],
      [
        'the key is regenerated',
        async (id: string) => (await asAdmin('POST', `/v1/keys/${id}/regenerate`, {})).statusCode,
      ],
    ])('%s', async (_name, revoke) => {
      const minted = await mint();
      const token = await tokenOf(minted);
      expect(await statusesOf(token)).toEqual(WORKS);
      expect(await revoke(minted.apiKey)).toBeLessThan(300);
      expect(await statusesOf(token)).toEqual(IS_DEAD);
      expect(await login(minted)).toBeNull();
    });

    it('its holder kills the key', async () => {
      const minted = await mint();
      const token = await tokenOf(minted);
      await call(harness, 'POST', '/v1/keys/self/revoke', { key: minted.fullKey });
      expect(await statusesOf(token)).toEqual(IS_DEAD);
      expect(await login(minted)).toBeNull();
    });

    it.each([
      ['the grants change', { grants: [{ actions: ['package:push'], resources: ['*'] }] }],
      ['the role changes', { role: 'admin' as const }],
    ])('%s; the key gets a new one', async (_name, patch) => {
      const minted = await mint({}, asMember.accountId);
      const token = await tokenOf(minted);
      await harness.deps.accounts.update(company.adminCaller, 'user', asMember.accountId, patch, null);
      expect(await statusesOf(token)).toEqual(IS_DEAD);
      expect(await statusesOf(await tokenOf(minted))).toEqual(WORKS);
    });

    it('the password changes', async () => {
      const minted = await mint({}, asMember.accountId);
      const token = await tokenOf(minted);
      const { accounts, storage, defaultWorkspace } = harness.deps;
      await inTransaction(storage, async (tx) => {
        const account = await accounts.find(tx, defaultWorkspace.id, asMember.accountId);
        if (account !== null)
          await accounts.savePasswordHash(tx, systemCaller(defaultWorkspace, 'test'), account, 'hash');
      });
      expect(await statusesOf(token)).toEqual(IS_DEAD);
    });

    it('the account is disabled, and stays dead when it is enabled again, while the key works again', async () => {
      const minted = await mint({}, asMember.accountId);
      const token = await tokenOf(minted);
      const setState = (state: 'active' | 'disabled') =>
        harness.deps.accounts.update(company.adminCaller, 'user', asMember.accountId, { state }, null);
      await setState('disabled');
      expect(await statusesOf(token)).toEqual(IS_DEAD);
      expect(await login(minted)).toBeNull();
      await setState('active');
      expect(await statusesOf(token)).toEqual(IS_DEAD);
      expect(await statusesOf(await tokenOf(minted))).toEqual(WORKS);
    });

    it('the key is disabled and enabled in the same millisecond', async () => {
      const minted = await mint();
      const token = await tokenOf(minted);
      await asAdmin('POST', `/v1/keys/${minted.apiKey}/disable`, {});
      await asAdmin('POST', `/v1/keys/${minted.apiKey}/enable`, {});
      expect(await statusesOf(token)).toEqual(IS_DEAD);
      expect(await statusesOf(await tokenOf(minted))).toEqual(WORKS);
    });

    it('the key is narrowed', async () => {
      const scopes = [{ actions: ['package:push'], resources: ['Contoso.*'] }];
      const minted = await mint({ access: 'scoped', scopes });
      const token = await tokenOf(minted);
      await harness.deps.keys.update(
        company.adminCaller,
        minted.apiKey,
        { scopes: [{ actions: ['package:push'], resources: ['Contoso.A'] }] },
        null,
      );
      expect(await statusesOf(token)).toEqual(IS_DEAD);
    });

    it('the account is deleted', async () => {
      const account = await harness.createAccount({
        kind: 'user',
        email: 'gone@example.com',
        displayName: 'Gone',
        role: 'member',
      });
      const minted = await mint({}, account.id);
      const token = await tokenOf(minted);
      await harness.deps.accounts.remove(company.adminCaller, 'user', account.id);
      expect(await statusesOf(token)).toEqual(IS_DEAD);
      expect(await login(minted)).toBeNull();
    });

    it('its time is over', async () => {
      const token = await tokenOf(await mint());
      harness.clock.advance(HOUR_MS - 1);
      expect(await statusesOf(token)).toEqual(WORKS);
      harness.clock.advance(1);
      expect(await statusesOf(token)).toEqual(IS_DEAD);
    });
  });

  it('of an old secret lives as long as the overlap, and ends with it', async () => {
    const minted = await mint();
    const token = await tokenOf(minted);
    const fresh = (
      await asAdmin('POST', `/v1/keys/${minted.apiKey}/regenerate`, { overlapHours: 1 })
    ).json<Minted>();
    expect(await statusesOf(token)).toEqual(WORKS);
    const late = await tokenOf(minted);
    expect(decodeJwt(late)).toMatchObject({ kgen: 1 });
    expect((decodeJwt(late).exp ?? 0) * 1000).toBeLessThanOrEqual(harness.clock.now() + HOUR_MS);
    const freshToken = await tokenOf(fresh);
    expect(decodeJwt(freshToken)).toMatchObject({ kgen: 2 });
    await asAdmin('POST', `/v1/keys/${minted.apiKey}/end-overlap`);
    expect(await statusesOf(token)).toEqual(IS_DEAD);
    expect(await statusesOf(late)).toEqual(IS_DEAD);
    expect(await login(minted)).toBeNull();
    expect(await statusesOf(freshToken)).toEqual(WORKS);
  });

  it('never gains what its key gained after it', async () => {
    const minted = await mint({
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources: ['Contoso.A'] }],
    });
    const token = await tokenOf(minted);
    await harness.deps.keys.update(
      company.adminCaller,
      minted.apiKey,
      { scopes: [{ actions: ['package:push'], resources: ['Contoso.*'] }] },
      null,
    );
    const mayPush = async (credential: string, id: string) =>
      (await check(credential, `/v1/authorize?action=package:push&resource=${id}`)).statusCode;
    expect(await mayPush(minted.fullKey, 'Contoso.B')).toBe(204);
    expect(await mayPush(token, 'Contoso.A')).toBe(204);
    expect(await mayPush(token, 'Contoso.B')).toBe(403);
  });

  it('works only from where its key works', async () => {
    const minted = await mint({ ipRanges: ['127.0.0.0/8'] });
    const token = await tokenOf(minted);
    const from = (remoteAddress: string) =>
      harness.app.inject({
        url: '/v1/keys/self',
        remoteAddress,
        headers: { host: 'localhost', authorization: `Bearer ${token}` },
      });
    expect((await from('127.0.0.1')).statusCode).toBe(200);
    expect((await from('192.0.2.1')).statusCode).toBe(401);
  });

  it('for another resource is no good at this server', async () => {
    await harness.deps.settings.update(
      company.adminCaller,
      { tokenResources: ['https://stock.example'] },
      null,
    );
    const minted = await mint();
    const { keyAuthenticator, tokens, defaultWorkspace } = harness.deps;
    const outcome = await keyAuthenticator.authenticate(
      defaultWorkspace.id,
      { fullKey: new Secret(minted.fullKey) },
      null,
    );
    if (!('key' in outcome)) throw new Error(outcome.code);
    const { token, claims } = await tokens.issue(defaultWorkspace, outcome, {
      resource: 'https://stock.example',
    });
    expect(claims.aud).toBe('https://stock.example');
    expect(await statusesOf(token.reveal())).toEqual(IS_DEAD);
    await expect(
      tokens.issue(defaultWorkspace, outcome, { resource: 'https://evil.example' }),
    ).rejects.toThrow(/token.resource_not_allowed/);
  });

  it('that ended is forgotten only after its time is over', async () => {
    const token = await tokenOf(await mint());
    await harness.app.inject({
      method: 'DELETE',
      url: '/iam/logout',
      headers: { host: 'localhost', authorization: `Bearer ${token}` },
    });
    const { storage, tokens } = harness.deps;
    const isKnown = async () =>
      (
        await storage.read
          .selectFrom('ended_tokens')
          .select('jti')
          .where('jti', '=', String(decodeJwt(token).jti))
          .execute()
      ).length === 1;
    harness.clock.advance(7 * DAY_MS);
    await tokens.sweep();
    expect(await isKnown()).toBe(true);
    harness.clock.advance(DAY_MS);
    await tokens.sweep();
    expect(await isKnown()).toBe(false);
  });
});
