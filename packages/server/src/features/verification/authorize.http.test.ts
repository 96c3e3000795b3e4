import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type Company, call, type Harness, seedCompany, startHarness, testEngine } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

interface Document {
  readonly paths: Record<
    string,
    Record<
      string,
      {
        readonly parameters: readonly {
          readonly name: string;
          readonly schema: { readonly maxLength: number };
        }[];
        readonly responses: Record<string, { readonly headers?: object }>;
      }
    >
  >;
}

interface Ask {
  readonly method?: (typeof METHODS)[number];
  readonly headers?: Readonly<Record<string, string>>;
  readonly remoteAddress?: string;
  readonly payload?: string;
}

describe('/v1/authorize', () => {
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
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const authorize = (query: string, { headers, ...rest }: Ask = {}) =>
    harness.app.inject({
      method: 'GET',
      url: `/v1/authorize${query}`,
      headers: { host: 'localhost', ...headers },
      ...rest,
    });
  const withKey = (minted: Minted, query = '', rest: Ask = {}) =>
    authorize(query, { ...rest, headers: { 'x-api-key': minted.fullKey, ...rest.headers } });
  const reasonOf = async (minted: Minted) => {
    const { statusCode, headers, body } = await withKey(minted);
    return { statusCode, reason: headers['x-keyreeve-reason'], body };
  };

  const countsOf = async (minted: Minted): Promise<Record<string, number>> => {
    const { usage, defaultWorkspace } = harness.deps;
    await usage.flush();
    const hours = await usage.listHours(defaultWorkspace.id, minted.apiKey, harness.clock.now());
    return Object.fromEntries(hours.map(({ outcome, count }) => [outcome, count]));
  };

  it('lets a good key pass, wherever a gateway can put it, and says whose it is', async () => {
    const minted = await mint();
    const { apiKey, secretKey, fullKey } = minted;
    const spellings: Record<string, string>[] = [
      { authorization: `Bearer ${fullKey}` },
      { authorization: `bearer  ${fullKey}` },
      { authorization: basic(apiKey, secretKey) },
      { authorization: basic('anything', fullKey) },
      { 'x-api-key': fullKey },
      { 'x-nuget-apikey': fullKey },
      { 'x-api-key': fullKey, authorization: basic(apiKey, secretKey) },
    ];
    for (const headers of spellings) {
      const answer = await authorize('', { headers });
      expect(answer.statusCode).toBe(204);
      expect(answer.body).toBe('');
      expect(answer.headers).toMatchObject({
        'x-keyreeve-account': company.member.id,
        'x-keyreeve-account-kind': 'user',
        'x-keyreeve-account-login': 'mei@example.com',
        'x-keyreeve-key-id': apiKey,
        'x-keyreeve-workspace': harness.deps.defaultWorkspace.id,
        'cache-control': 'no-store',
      });
      expect(answer.headers).not.toHaveProperty('x-keyreeve-reason');
    }
  });

  it.each(METHODS)('answers %s, whatever body and type come with it', async (method) => {
    const minted = await mint();
    const body =
      method === 'GET' || method === 'HEAD'
        ? {}
        : { payload: '\u0000{"not json', headers: { 'content-type': ';;;' } };
    expect((await withKey(minted, '', { method, ...body })).statusCode).toBe(204);
    expect((await authorize('', { method, ...body })).statusCode).toBe(401);
  });

  // nginx announces the length of the body that it keeps back, unless it is told not to: on a connection that is kept,
  // the next question, another client's, would be read as that body.
  it('takes no later question for a body that was announced and never came', async () => {
    const { fullKey } = await mint();
    await harness.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = harness.app.server.address() as AddressInfo;
    const answerTo = async (credential: string) => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
      socket.write(
        `GET /v1/authorize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n${credential}\r\n\r\n`,
      );
      await once(socket, 'close');
      return answer;
    };
    for (const [credential, status] of [
      [`X-API-Key: ${fullKey}`, 204],
      ['X-API-Key: none', 401],
    ] as const) {
      const answer = await answerTo(credential);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toMatch(/^connection: close\r$/im);
    }
  }, 2_000);

  it('takes tokens too', async () => {
    const { apiKey, secretKey } = await mint();
    const payload = new URLSearchParams({
      auth_mode: 'apikey',
      apikey: apiKey,
      secretkey: secretKey,
    }).toString();
    const login = await harness.app.inject({
      method: 'POST',
      url: '/iam/login',
      payload,
      headers: { host: 'localhost' },
    });
    const { token } = login.json<{ token: string }>();
    const answer = await authorize('?action=package:push&resource=A', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers['x-keyreeve-key-id']).toBe(apiKey);
    const broken = await authorize('', {
      headers: { authorization: `Bearer ${token.slice(0, -8)}AAAAAAAA` },
    });
    expect([broken.statusCode, broken.headers['x-keyreeve-reason']]).toEqual([401, 'invalid']);
  });

  it('decides about an action on a resource', async () => {
    const minted = await mint({
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources: ['Contoso.*'] }],
    });
    const statusOf = async (query: string) => (await withKey(minted, query)).statusCode;
    expect(await statusOf('?action=package:push&resource=Contoso.A')).toBe(204);
    expect(await statusOf('?action=package:push&resource=Fabrikam')).toBe(403);
    expect(await statusOf('?action=package:unlist&resource=Contoso.A')).toBe(403);
    expect(await statusOf('?action=package:push')).toBe(403);
    const refused = await withKey(minted, '?action=package:push&resource=Fabrikam');
    expect(refused.body).toBe('');
    expect(refused.headers).toMatchObject({
      'x-keyreeve-reason': 'insufficient_scope',
      'x-keyreeve-key-id': minted.apiKey,
    });
  });

  it('tells the holder of the right secret precisely why, in a header, and nobody else', async () => {
    const [expired, disabled, elsewhere, blocked] = [
      await mint({ lifetimeDays: 1 }),
      await mint(),
      await mint({ ipRanges: ['10.0.0.0/8'] }),
      await mint({}, company.stranger.id),
    ];
    harness.clock.advance(DAY_MS);
    await asAdmin('POST', `/v1/keys/${disabled.apiKey}/disable`, {});
    await harness.deps.accounts.update(
      company.adminCaller,
      'user',
      company.stranger.id,
      { state: 'disabled' },
      null,
    );
    expect(await reasonOf(expired)).toEqual({ statusCode: 401, reason: 'expired', body: '' });
    expect(await reasonOf(disabled)).toEqual({ statusCode: 401, reason: 'disabled', body: '' });
    expect(await reasonOf(blocked)).toEqual({ statusCode: 401, reason: 'account_disabled', body: '' });
    expect(await reasonOf(elsewhere)).toEqual({ statusCode: 401, reason: 'ip_not_allowed', body: '' });
    const stranger = await mint();
    for (const fullKey of [
      `${disabled.apiKey}_${stranger.secretKey}`,
      'kr_x',
      'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD',
    ]) {
      expect(await reasonOf({ ...disabled, fullKey })).toEqual({
        statusCode: 401,
        reason: 'invalid',
        body: '',
      });
    }
  });

  it('asks for a credential when there is none, or only one that is not accepted here', async () => {
    const cases: Record<string, string>[] = [
      {},
      { authorization: 'Digest x' },
      { authorization: '' },
      { cookie: 'keyreeve_session=abc' },
    ];
    for (const headers of cases) {
      for (const method of ['GET', 'POST'] as const) {
        const answer = await authorize('', { method, headers });
        expect([answer.statusCode, answer.body]).toEqual([401, '']);
        expect(answer.headers['www-authenticate']).toContain('Bearer realm="keyreeve"');
        expect(answer.headers['x-keyreeve-reason']).toBe('invalid');
        expect(answer.headers).not.toHaveProperty('x-keyreeve-account');
      }
    }
  });

  it('refuses two different credentials, as nobody can tell which one counts', async () => {
    const [one, two] = [await mint(), await mint()];
    const answer = await authorize('', {
      headers: { 'x-api-key': one.fullKey, 'x-nuget-apikey': two.fullKey },
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'auth.ambiguous_credentials' });
  });

  it.each([
    ['?action=', 'action'],
    ['?action=push', 'action'],
    ['?action=package:*', 'action'],
    ['?action=a:b&action=c:d', 'action'],
    ['?acton=package:push', 'acton'],
    ['?resource=A', 'action'],
    ['?action=package:push&resource=', 'resource'],
    ['?action=package:push&resource=a%20b', 'resource'],
    ['?action=package:push&resource=a%01', 'resource'],
  ])(
    'refuses the question %s with 400, with a good key or without: a gate never opens by mistake',
    async (query, field) => {
      for (const answer of [await withKey(await mint(), query), await authorize(query)]) {
        expect(answer.statusCode, answer.body).toBe(400);
        expect(answer.json<{ errors: { field: string }[] }>().errors[0]?.field).toBe(field);
      }
    },
  );

  it('needs an action where the workspace demands one', async () => {
    const minted = await mint();
    const set = (requireAction: boolean) =>
      harness.deps.settings.update(company.adminCaller, { requireAction }, null);
    await set(true);
    expect((await withKey(minted)).statusCode).toBe(400);
    expect((await withKey(minted, '?action=package:push')).statusCode).toBe(204);
    await set(false);
    expect((await withKey(minted)).statusCode).toBe(204);
  });

  it('does not believe X-Forwarded-For from just anybody', async () => {
    const minted = await mint({ ipRanges: ['10.0.0.0/8'] });
    const headers = { 'x-forwarded-for': '10.0.0.1' };
    expect((await withKey(minted, '', { headers })).headers['x-keyreeve-reason']).toBe('ip_not_allowed');
    expect((await withKey(minted, '', { remoteAddress: '10.0.0.1' })).statusCode).toBe(204);
  });

  it('believes X-Forwarded-For from a trusted proxy', async () => {
    const trusting = await startHarness({ environment: { KEYREEVE_TRUST_PROXY: '192.0.2.1' } });
    const seeded = await seedCompany(trusting);
    const body = { comment: 'CI', access: 'account', ipRanges: ['10.0.0.0/8'] };
    const { fullKey } = (
      await call(trusting, 'POST', `/v1/accounts/${seeded.member.id}/keys`, { key: seeded.adminKey, body })
    ).json<Minted>();
    const ask = (remoteAddress: string, forwarded: string) =>
      trusting.app.inject({
        url: '/v1/authorize',
        remoteAddress,
        headers: { host: 'localhost', 'x-api-key': fullKey, 'x-forwarded-for': forwarded },
      });
    expect((await ask('192.0.2.1', '10.0.0.1')).statusCode).toBe(204);
    expect((await ask('192.0.2.1', '10.0.0.1, 198.51.100.1')).statusCode).toBe(401);
    expect((await ask('198.51.100.1', '10.0.0.1')).statusCode).toBe(401);
    await trusting.close();
  });

  // Traefik and Caddy tell in X-Forwarded-Host which host the client asked them for: whatever the client likes.
  it('never lets the client of a gateway choose the workspace whose keys pass', async () => {
    const trusting = await startHarness({ environment: { KEYREEVE_TRUST_PROXY: '192.0.2.1' } });
    const seeded = await seedCompany(trusting);
    await trusting.deps.workspaces.create(seeded.adminCaller, {
      name: 'Other',
      subdomain: 'other',
      aliases: [],
    });
    const ask = async (host: string, forwardedHost: string) =>
      (
        await trusting.app.inject({
          url: '/v1/authorize',
          remoteAddress: '192.0.2.1',
          headers: { host, 'x-forwarded-host': forwardedHost, 'x-api-key': seeded.adminKey },
        })
      ).statusCode;
    expect(await ask('localhost', 'api.example.com')).toBe(204);
    expect(await ask('localhost', 'other.keys.test')).toBe(204);
    expect(await ask('other.keys.test', 'localhost')).toBe(401);
    expect(await ask('api.example.com', 'localhost')).toBe(421);
    await trusting.close();
  });

  it.each([
    ['deleted', (id: string) => asAdmin('DELETE', `/v1/keys/${id}`)],
    ['disabled', (id: string) => asAdmin('POST', `/v1/keys/${id}/disable`, {})],
    ['regenerated', (id: string) => asAdmin('POST', `/v1/keys/${id}/regenerate`, {})],
  ])('lets nobody pass by a key that was %s a moment ago', async (_name, revoke) => {
    const minted = await mint();
    expect((await withKey(minted)).statusCode).toBe(204);
    await revoke(minted.apiKey);
    expect((await withKey(minted)).statusCode).toBe(401);
  });

  it('does not know keys of another workspace', async () => {
    await harness.deps.workspaces.create(company.adminCaller, {
      name: 'Other',
      subdomain: 'other',
      aliases: [],
    });
    const answer = await withKey(await mint(), '', { headers: { host: 'other.keys.test' } });
    expect([answer.statusCode, answer.headers['x-keyreeve-reason']]).toEqual([401, 'invalid']);
  });

  it('counts each question once, by what came of it', async () => {
    const minted = await mint();
    expect((await withKey(minted)).statusCode).toBe(204);
    for (const status of [403, 403])
      expect((await withKey(minted, '?action=iam:keys:write&resource=x')).statusCode).toBe(status);
    expect((await withKey(minted, '', { method: 'POST', payload: 'a body' })).statusCode).toBe(204);
    expect(await countsOf(minted)).toEqual({ valid: 2, insufficient_scope: 2 });
    await asAdmin('POST', `/v1/keys/${minted.apiKey}/disable`, { reason: 'test' });
    expect((await withKey(minted, '?action=iam:keys:write&resource=x')).statusCode).toBe(401);
    expect(await countsOf(minted)).toEqual({ valid: 2, insufficient_scope: 2, disabled: 1 });
  });

  it('takes only a question that was answered yes for a use of the key', async () => {
    const minted = await mint();
    const factsOf = async () =>
      (await asAdmin('GET', `/v1/keys/${minted.apiKey}`)).json<{
        lastUsedAt: string | null;
        lastRefusal: { reason: string } | null;
      }>();
    await withKey(minted, '?action=iam:keys:write&resource=x');
    expect(await factsOf()).toMatchObject({
      lastUsedAt: null,
      lastRefusal: { reason: 'insufficient_scope' },
    });
    await withKey(minted, '?action=package:push&resource=x');
    const usedAt = new Date(harness.clock.now()).toISOString();
    harness.clock.advance(1_000);
    await withKey(minted, '?action=iam:keys:write&resource=x');
    expect(await factsOf()).toMatchObject({ lastUsedAt: usedAt });
  });

  it('counts a question without the action that the workspace demands once, as refused', async () => {
    const minted = await mint();
    await harness.deps.settings.update(company.adminCaller, { requireAction: true }, null);
    expect((await withKey(minted)).statusCode).toBe(400);
    expect((await withKey(minted, '?action=package:push&resource=x')).statusCode).toBe(204);
    await harness.deps.settings.update(company.adminCaller, { requireAction: false }, null);
    expect(await countsOf(minted)).toEqual({ valid: 1, insufficient_scope: 1 });
  });

  it('says in OpenAPI which credentials it takes, for every method that the document can tell of', async () => {
    const document = (
      await harness.app.inject({ url: '/openapi.json', headers: { host: 'localhost' } })
    ).json<{
      paths: Record<string, Record<string, { security: object[]; operationId: string }>>;
    }>();
    const operations = document.paths['/v1/authorize'] ?? {};
    expect(Object.keys(operations).toSorted()).toEqual(
      [...METHODS]
        .map((method) => method.toLowerCase())
        .filter((method) => method !== 'head')
        .toSorted(),
    );
    for (const operation of Object.values(operations))
      expect(operation.security).toEqual([{ key: [] }, { keyHeader: [] }, { keyPair: [] }, { token: [] }]);
  });

  it('says in OpenAPI what a gateway has to hand on, and how long a question may be', async () => {
    const document = (
      await harness.app.inject({ url: '/openapi.json', headers: { host: 'localhost' } })
    ).json<Document>();
    const { parameters = [], responses = {} } = document.paths['/v1/authorize']?.['get'] ?? {};
    const told = (status: string) =>
      Object.keys(responses[status]?.headers ?? {}).map((name) => name.toLowerCase());
    // Only where another server may have revoked something meanwhile.
    const isOurs = (name: string) =>
      (name.startsWith('x-keyreeve-') && name !== 'x-keyreeve-freshness') || name === 'www-authenticate';
    const scopes = [{ actions: ['package:push'], resources: ['Acme.*'] }];
    const minted = await mint({ access: 'scoped', scopes });
    const ask = (resource: string) => withKey(minted, `?action=package:push&resource=${resource}`);
    for (const answer of [await ask('Acme.Tools'), await ask('Other'), await authorize('')])
      expect(told(String(answer.statusCode)).filter(isOurs)).toEqual(
        Object.keys(answer.headers).filter(isOurs),
      );
    for (const answer of [await ask('Acme.Tools'), await ask('Other')]) {
      expect(told(String(answer.statusCode))).toContain('x-keyreeve-freshness');
      const shown: unknown = answer.headers['x-keyreeve-freshness'];
      if (testEngine() === 'sqlite') expect(shown).toBeUndefined();
      else expect(shown).toMatch(/^lease;age-ms=1?\d{1,3}$/);
    }
    const longest = parameters.find(({ name }) => name === 'resource')?.schema.maxLength ?? 0;
    expect((await ask('Acme.'.padEnd(longest, 'x'))).statusCode).toBe(204);
    expect((await ask('Acme.'.padEnd(longest + 1, 'x'))).statusCode).toBe(400);
  });
});
