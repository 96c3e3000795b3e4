import { type Company, call, type Harness, seedCompany, startHarness, testEngine } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secret.ts';

const DAY_MS = 86_400_000;

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
  readonly key: { readonly expiresAt: string };
}

interface Answer {
  readonly valid: boolean;
  readonly code: string;
}

const FRESHNESS = {
  source: testEngine() === 'sqlite' ? 'database' : 'lease',
  ageMs: expect.toSatisfy((ageMs: number) => (testEngine() === 'sqlite' ? ageMs === 0 : ageMs < 2_000)),
};
const NOTHING = {
  keyId: null,
  account: null,
  access: null,
  scopes: null,
  expiresAt: null,
  freshness: FRESHNESS,
};

describe('POST /v1/keys/verify', () => {
  let harness: Harness;
  let company: Company;
  /** A key of the robot that may verify the keys of every account. */
  let verifier: string;

  beforeAll(async () => {
    harness = await startHarness();
    company = await seedCompany(harness);
    const grants = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
    await harness.deps.accounts.update(company.adminCaller, 'service', company.robot.id, { grants }, null);
    verifier = (await mint({ access: 'scoped', scopes: grants }, company.robot.id)).fullKey;
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
  const verify = (body: unknown, key = verifier) => call(harness, 'POST', '/v1/keys/verify', { key, body });
  const ask = async (
    minted: Pick<Minted, 'fullKey'>,
    rest: Record<string, unknown> = {},
  ): Promise<Answer> => {
    const answer = await verify({ key: minted.fullKey, ...rest });
    expect(answer.statusCode, answer.body).toBe(200);
    return answer.json<Answer>();
  };

  it('tells all about a good key, whole or in halves', async () => {
    const scopes = [{ actions: ['package:push'], resources: ['Contoso.*'] }];
    const minted = await mint({ access: 'scoped', scopes });
    const expected = {
      valid: true,
      code: 'valid',
      keyId: minted.apiKey,
      account: { id: company.member.id, kind: 'user', displayName: '芽衣', login: 'mei@example.com' },
      access: 'scoped',
      scopes,
      expiresAt: minted.key.expiresAt,
      freshness: FRESHNESS,
    };
    const whole = await verify({ key: minted.fullKey });
    expect(whole.json()).toEqual(expected);
    expect(whole.headers['cache-control']).toBe('no-store');
    expect((await verify({ apiKey: minted.apiKey, secretKey: minted.secretKey })).json()).toEqual(expected);
    expect(
      (await verify({ apiKey: ` ${minted.apiKey}\r\n`, secretKey: `${minted.secretKey}\n` })).json(),
    ).toEqual(expected);
  });

  it('decides about an action on a resource, and shows what permitted it', async () => {
    const scopes = [
      { actions: ['package:read'], resources: ['*'] },
      { actions: ['package:push'], resources: ['Contoso.*'] },
    ];
    const minted = await mint({ access: 'scoped', scopes });
    expect(await ask(minted, { action: 'package:push', resource: 'contoso.tools' })).toMatchObject({
      valid: true,
      matched: scopes[1],
    });
    const refused = await ask(minted, { action: 'package:push', resource: 'Fabrikam' });
    expect(refused).toMatchObject({ valid: false, code: 'insufficient_scope', keyId: minted.apiKey });
    expect(refused).not.toHaveProperty('matched');
    // Without a resource, the action must be held on everything.
    expect(await ask(minted, { action: 'package:read' })).toMatchObject({ valid: true, matched: scopes[0] });
    expect(await ask(minted, { action: 'package:push' })).toMatchObject({ code: 'insufficient_scope' });
  });

  it('decides about actions of other services, which Keyreeve has never heard of', async () => {
    const grants = [{ actions: ['stock:item:read'], resources: ['eu/*'] }];
    const account = await harness.createAccount({
      kind: 'service',
      technicalName: 'stock',
      displayName: 'Stock',
      grants,
    });
    // Only a session of an administrator hands out rights that he does not hold himself.
    const created = await harness.deps.keys.create(company.adminCaller, account.id, {
      comment: 'CI',
      access: 'account',
    });
    const minted = { fullKey: created.fullKey.reveal() };
    expect(await ask(minted, { action: 'stock:item:read', resource: 'eu/1' })).toMatchObject({
      code: 'valid',
      matched: grants[0],
    });
    expect(await ask(minted, { action: 'stock:item:read', resource: 'EU/1' })).toMatchObject({
      code: 'insufficient_scope',
    });
    expect(await ask(minted, { action: 'stock:item:write', resource: 'eu/1' })).toMatchObject({
      code: 'insufficient_scope',
    });
  });

  it('tells its precise reason to whoever has the right secret', async () => {
    const [expired, disabled, blocked] = [
      await mint({ lifetimeDays: 1 }),
      await mint(),
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
    expect(await ask(expired)).toMatchObject({ valid: false, code: 'expired', keyId: expired.apiKey });
    expect(await ask(disabled)).toMatchObject({ valid: false, code: 'disabled', keyId: disabled.apiKey });
    expect(await ask(blocked)).toMatchObject({
      valid: false,
      code: 'account_disabled',
      account: { id: company.stranger.id },
    });
  });

  it('tells nothing at all without the right secret', async () => {
    const [minted, other] = [await mint(), await mint()];
    const wrong: [unknown, string][] = [
      [{ key: `${minted.apiKey}_${other.secretKey}` }, 'malformed'],
      [{ apiKey: minted.apiKey, secretKey: 'x' }, 'malformed'],
      [{ key: '' }, 'malformed'],
      [{ key: 'kr_' }, 'malformed'],
      // Vectors of the design: right checksums, unknown keys.
      [{ key: 'kr_0123456789ABCDEF_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD' }, 'not_found'],
    ];
    for (const [body, code] of wrong)
      expect((await verify(body)).json()).toEqual({ valid: false, code, ...NOTHING });
    await asAdmin('DELETE', `/v1/keys/${minted.apiKey}`);
    expect(await ask(minted)).toEqual({ valid: false, code: 'not_found', ...NOTHING });
  });

  it('goes by the address of the end client, and refuses a key with an allow list without one', async () => {
    const minted = await mint({ ipRanges: ['192.0.2.0/24', '2001:db8::/32'] });
    expect(await ask(minted, { ip: '192.0.2.7' })).toMatchObject({ code: 'valid' });
    expect(await ask(minted, { ip: '2001:db8::9' })).toMatchObject({ code: 'valid' });
    expect(await ask(minted, { ip: '198.51.100.1' })).toMatchObject({ code: 'ip_not_allowed' });
    expect(await ask(minted)).toMatchObject({ code: 'ip_not_allowed' });
  });

  it.each([
    ['delete', (id: string) => asAdmin('DELETE', `/v1/keys/${id}`), 'not_found'],
    ['disable', (id: string) => asAdmin('POST', `/v1/keys/${id}/disable`, {}), 'disabled'],
    ['regenerate', (id: string) => asAdmin('POST', `/v1/keys/${id}/regenerate`, {}), 'not_found'],
  ])('sees a %s at the very next question', async (_name, revoke, code) => {
    const minted = await mint();
    expect(await ask(minted)).toMatchObject({ code: 'valid' });
    expect((await revoke(minted.apiKey)).statusCode).toBeLessThan(300);
    expect(await ask(minted)).toMatchObject({ valid: false, code });
  });

  it('sees a narrowed account at the very next question', async () => {
    const account = await harness.createAccount({
      kind: 'service',
      technicalName: 'narrow',
      displayName: 'Narrow',
    });
    const minted = await mint({}, account.id);
    const question = { action: 'package:push', resource: 'A' };
    expect(await ask(minted, question)).toMatchObject({ code: 'valid' });
    await harness.deps.accounts.update(company.adminCaller, 'service', account.id, { grants: [] }, null);
    expect(await ask(minted, question)).toMatchObject({ code: 'insufficient_scope' });
  });

  it('knows old and new secret during an overlap', async () => {
    const minted = await mint();
    const fresh = (
      await asAdmin('POST', `/v1/keys/${minted.apiKey}/regenerate`, { overlapHours: 1 })
    ).json<Minted>();
    expect((await ask(minted)).code).toBe('valid');
    expect((await ask(fresh)).code).toBe('valid');
    harness.clock.advance(3_600_000);
    expect((await ask(minted)).code).toBe('expired');
    expect((await ask(fresh)).code).toBe('valid');
  });

  describe('asked by', () => {
    it('a caller for one account answers not_found for all others', async () => {
      const scopes = [{ actions: ['iam:keys:verify'], resources: [company.member.id] }];
      const narrow = (await mint({ access: 'scoped', scopes }, company.robot.id)).fullKey;
      const [own, foreign] = [await mint(), await mint({}, company.admin.id)];
      expect((await verify({ key: own.fullKey }, narrow)).json()).toMatchObject({ code: 'valid' });
      expect((await verify({ key: foreign.fullKey }, narrow)).json()).toEqual({
        valid: false,
        code: 'not_found',
        ...NOTHING,
      });
    });

    it('a key without the action is refused with 403', async () => {
      const answer = await verify({ key: verifier }, (await mint()).fullKey);
      expect(answer.statusCode).toBe(403);
      expect(answer.json()).toMatchObject({ code: 'auth.insufficient_scope' });
    });

    it('nobody is refused with 401', async () => {
      const answer = await call(harness, 'POST', '/v1/keys/verify', { body: { key: verifier } });
      expect(answer.statusCode).toBe(401);
    });

    it('a token of a key that may is answered', async () => {
      const [apiKey, secretKey] = [verifier.slice(0, 19), verifier.slice(20)];
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
      const answer = await verify({ key: (await mint()).fullKey }, login.json<{ token: string }>().token);
      expect(answer.json()).toMatchObject({ code: 'valid' });
    });

    it('somebody in another workspace does not find the key', async () => {
      await harness.deps.workspaces.create(company.adminCaller, {
        name: 'Other',
        subdomain: 'other',
        aliases: [],
      });
      const answer = await call(harness, 'POST', '/v1/keys/verify', {
        key: verifier,
        headers: { host: 'other.keys.test' },
        body: { key: verifier },
      });
      expect(answer.statusCode).toBe(401);
    });
  });

  it.each([
    ['no key', {}, 'key'],
    ['half a pair', { apiKey: 'kr_0123456789ABCDEF' }, 'secretKey'],
    ['the other half', { secretKey: 'x' }, 'apiKey'],
    ['a key and a pair', { key: 'x', apiKey: 'y', secretKey: 'z' }, 'key'],
    ['a key and half a pair', { key: 'x', apiKey: 'y' }, 'key'],
    ['no action', { key: 'x', resource: 'y' }, 'action'],
    ['a bad action', { key: 'x', action: 'push' }, 'action'],
    ['a wildcard as action', { key: 'x', action: 'package:*' }, 'action'],
    ['a bad resource', { key: 'x', action: 'a:b', resource: 'y z' }, 'resource'],
    ['a bad address', { key: 'x', ip: 'localhost' }, 'ip'],
    ['an unknown field', { key: 'x', acton: 'a:b' }, 'acton'],
    ['a number as key', { key: 1 }, 'key'],
  ])('refuses a question with %s, naming the field', async (_name, body, field) => {
    const answer = await verify(body);
    expect(answer.statusCode, answer.body).toBe(400);
    expect(answer.json<{ errors: { field: string }[] }>().errors.map((fault) => fault.field)).toEqual([
      field,
    ]);
  });

  it('counts the use of keys that were proven, by what came of it, with the client’s address', async () => {
    const minted = await mint();
    await ask(minted, { ip: '192.0.2.7' });
    await ask(minted, { ip: '192.0.2.8', action: 'iam:keys:write', resource: 'x' });
    const { usage, defaultWorkspace } = harness.deps;
    await usage.flush();
    const hours = await usage.listHours(defaultWorkspace.id, minted.apiKey, harness.clock.now());
    expect(
      hours
        .map(({ outcome, count }) => ({ outcome, count }))
        .toSorted((a, b) => (a.outcome < b.outcome ? -1 : 1)),
    ).toEqual([
      { outcome: 'insufficient_scope', count: 1 },
      { outcome: 'valid', count: 1 },
    ]);
    expect((await usage.findLastUses(defaultWorkspace.id, [minted.apiKey])).get(minted.apiKey)).toMatchObject(
      { ip: '192.0.2.7' },
    );
  });

  it('takes no look-up by a person at the console for a use of the key', async () => {
    const minted = await mint();
    const { usage, verification, defaultWorkspace } = harness.deps;
    const answer = await verification.verify(company.adminCaller, {
      presented: { fullKey: new Secret(minted.fullKey) },
      question: { action: null, resource: null },
      clientIp: null,
    });
    expect(answer.code).toBe('valid');
    await usage.flush();
    expect(await usage.listHours(defaultWorkspace.id, minted.apiKey, harness.clock.now())).toEqual([]);
    expect(await usage.findLastUses(defaultWorkspace.id, [minted.apiKey])).toEqual(new Map());
  });

  it('never writes a secret to the log', async () => {
    const minted = await mint();
    await ask(minted);
    expect(harness.logLines.join('\n')).not.toContain(minted.secretKey);
  });
});
