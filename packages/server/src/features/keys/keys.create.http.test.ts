import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Minted {
  key: { id: string; expiresAt: string; status: string; ownerId: string; scopes: unknown; createdBy: string };
  apiKey: string;
  secretKey: string;
  fullKey: string;
}

const PUSH = { actions: ['package:push'], resources: ['AzureRM.DataFactory*'] };

describe('creating a key', () => {
  let harness: Harness;
  let company: Company;

  beforeAll(async () => {
    harness = await startHarness();
    company = await seedCompany(harness);
  });
  afterAll(() => harness.close());

  const create = (body: Record<string, unknown>, accountId = company.member.id, key = company.adminKey) =>
    call(harness, 'POST', `/v1/accounts/${accountId}/keys`, {
      key,
      body: { comment: 'CI', access: 'account', ...body },
    });

  it('answers with the secret once, uncached, and the key works at once', async () => {
    const answer = await create({});
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    const minted = answer.json<Minted>();
    expect(minted.fullKey).toBe(`${minted.apiKey}_${minted.secretKey}`);
    expect(minted.key.id).toBe(minted.apiKey);
    const read = await call(harness, 'GET', `/v1/keys/${minted.apiKey}`, { key: company.adminKey });
    expect(read.body).not.toContain(minted.secretKey);
    const self = await call(harness, 'GET', '/v1/keys/self', { key: minted.fullKey });
    expect(self.json()).toMatchObject({
      key: { id: minted.apiKey },
      permissions: [{ actions: ['package:*'], resources: ['*'] }],
    });
  });

  it('gives 365 days when nothing is asked, and exactly the choices otherwise', async () => {
    const standard = (await create({})).json<Minted>();
    expect(Date.parse(standard.key.expiresAt)).toBe(harness.clock.now() + 365 * 86_400_000);
    for (const lifetimeDays of [1, 90, 180, 270, 365]) {
      const minted = (await create({ lifetimeDays })).json<Minted>();
      expect(Date.parse(minted.key.expiresAt)).toBe(harness.clock.now() + lifetimeDays * 86_400_000);
    }
  });

  it.each([0, -1, 2, 366, 10_000, 1e15])(
    'refuses a lifetime of %d days, naming the choices',
    async (lifetimeDays) => {
      const answer = await create({ lifetimeDays });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({
        code: 'key.lifetime_not_allowed',
        errors: [{ field: 'lifetimeDays' }],
      });
      expect(answer.json<{ detail: string }>().detail).toContain('1, 90, 180, 270, 365');
    },
  );

  it.each([
    ['a lifetime that is text', { lifetimeDays: '90' }, 'lifetimeDays'],
    ['a lifetime that is half a day', { lifetimeDays: 0.5 }, 'lifetimeDays'],
    ['an unknown field', { neverExpires: true }, 'neverExpires'],
    ['full access', { access: 'full' }, 'access'],
    ['an expiry of its own', { expiresAt: null }, 'expiresAt'],
    ['a blank comment', { comment: '  ' }, 'comment'],
    ['a comment of 257 characters', { comment: 'x'.repeat(257) }, 'comment'],
    ['a comment that turns the text around', { comment: 'a\u202Eb' }, 'comment'],
    ['an address that is none', { ipRanges: ['10.0.0.0/8', '10.0.0.256'] }, 'ipRanges[1]'],
  ])('refuses %s by name', async (_case, body, field) => {
    const answer = await create(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ errors: { field: string }[] }>().errors[0]?.field).toBe(field);
  });

  it('takes a comment of 256 characters', async () => {
    expect((await create({ comment: 'ｘ'.repeat(256) })).statusCode).toBe(201);
  });

  it.each([
    ['no scopes', undefined],
    ['an empty list', []],
    ['a scope without actions', [{ actions: [], resources: ['*'] }]],
    ['a scope without patterns', [PUSH, { actions: ['package:unlist'], resources: [] }]],
  ])('refuses a scoped key with %s: nothing widens by being empty', async (_case, scopes) => {
    const answer = await create({ access: 'scoped', ...(scopes === undefined ? {} : { scopes }) });
    expect(answer.json()).toMatchObject({ status: 400, code: 'key.scope_required' });
  });

  it.each([
    ['an action in capitals', { actions: ['Package:Push'], resources: ['*'] }, 'scopes[0].actions[0]'],
    ['a lone star as action', { actions: ['*'], resources: ['*'] }, 'scopes[0].actions[0]'],
    [
      'a pattern with a blank',
      { actions: ['package:push'], resources: ['ok', 'not ok'] },
      'scopes[0].resources[1]',
    ],
    [
      'a pattern with a Kelvin sign',
      { actions: ['package:push'], resources: ['\u212Aelvin*'] },
      'scopes[0].resources[0]',
    ],
    [
      'a pattern with a question mark',
      { actions: ['package:push'], resources: ['A?'] },
      'scopes[0].resources[0]',
    ],
    [
      'a pattern of 129 characters',
      { actions: ['package:push'], resources: ['a'.repeat(129)] },
      'scopes[0].resources[0]',
    ],
    [
      '101 patterns',
      { actions: ['package:push'], resources: Array.from({ length: 101 }, (_, n) => `P${n}`) },
      'scopes',
    ],
    [
      'two push choices at once',
      { actions: ['package:push', 'package:pushnew'], resources: ['*'] },
      'scopes[0].actions',
    ],
  ])('refuses %s, naming the entry', async (_case, scope, field) => {
    const answer = await create({ access: 'scoped', scopes: [scope] });
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ errors: { field: string }[] }>().errors[0]?.field).toBe(field);
  });

  it('takes 100 patterns of 128 characters', async () => {
    const resources = Array.from({ length: 100 }, (_, n) => `${n}.`.padEnd(128, 'x'));
    expect(
      (await create({ access: 'scoped', scopes: [{ actions: ['package:push'], resources }] })).statusCode,
    ).toBe(201);
  });

  it('refuses scopes that exceed the grants of the account', async () => {
    const answer = await create({
      access: 'scoped',
      scopes: [{ actions: ['billing:read'], resources: ['*'] }],
    });
    expect(answer.json()).toMatchObject({ status: 400, code: 'key.scope_exceeds_account' });
  });

  it('refuses more live keys than maxKeysPerAccount, and expired ones do not count', async () => {
    const account = await harness.createAccount({
      kind: 'service',
      technicalName: 'many-keys',
      displayName: 'Many',
    });
    for (let made = 0; made < 50; made += 1)
      expect((await create({ lifetimeDays: 1 }, account.id)).statusCode).toBe(201);
    expect((await create({}, account.id)).json()).toMatchObject({ status: 409, code: 'key.too_many' });
    const key = company.adminKey;
    harness.clock.advance(86_400_000);
    expect((await create({}, account.id, key)).statusCode).toBe(201);
  });

  it('lets a key act for a service account that its account manages, and for no other', async () => {
    const allowed = await create({ ownerId: company.robot.id });
    expect(allowed.json<Minted>().key.ownerId).toBe(company.robot.id);
    for (const ownerId of [company.stranger.id, 'acc_00000000000000000000']) {
      expect((await create({ ownerId })).json()).toMatchObject({
        status: 400,
        code: 'key.owner_not_allowed',
      });
    }
    expect((await create({ ownerId: company.robot.id }, company.stranger.id)).json()).toMatchObject({
      code: 'key.owner_not_allowed',
    });
  });

  it('writes one audit row, without the secret, in the same transaction', async () => {
    const minted = (await create({ comment: 'audited' })).json<Minted>();
    const answer = await call(harness, 'GET', `/v1/audit?key=${minted.apiKey}`, { key: company.adminKey });
    expect(answer.json<{ items: unknown[] }>().items).toMatchObject([
      {
        action: 'key.created',
        keyId: minted.apiKey,
        target: { name: 'audited' },
        actor: { kind: 'key', id: company.admin.id },
      },
    ]);
    expect(answer.body).not.toContain(minted.secretKey);
  });

  it('makes no key for a disabled account', async () => {
    const account = await harness.createAccount({
      kind: 'service',
      technicalName: 'asleep',
      displayName: 'Asleep',
    });
    await call(harness, 'PATCH', `/v1/service-accounts/${account.id}`, {
      key: company.adminKey,
      body: { state: 'disabled' },
      headers: { 'if-match': '*' },
    });
    expect((await create({}, account.id)).json()).toMatchObject({
      status: 409,
      code: 'key.account_disabled',
    });
  });

  describe('by whom', () => {
    it('a member makes keys for himself and for what he manages, and sees the same 404 for all others', async () => {
      const { keys } = harness.deps;
      const input = { comment: 'mine', access: 'account' as const };
      await keys.create(company.memberCaller, company.member.id, input);
      await keys.create(company.memberCaller, company.robot.id, input);
      for (const id of [company.admin.id, company.stranger.id, 'acc_00000000000000000000']) {
        await expect(keys.create(company.memberCaller, id, input)).rejects.toMatchObject({
          status: 404,
          entry: { code: 'request.not_found' },
        });
      }
      await expect(keys.create(company.strangerCaller, company.robot.id, input)).rejects.toMatchObject({
        status: 404,
      });
    });

    it('a key never manages keys, unless a scope names iam:keys:write', async () => {
      const plain = (await create({}, company.admin.id)).json<Minted>().fullKey;
      expect((await create({}, company.admin.id, plain)).json()).toMatchObject({
        status: 403,
        code: 'auth.insufficient_scope',
        action: 'iam:keys:write',
      });
      const reader = (
        await create(
          { access: 'scoped', scopes: [{ actions: ['iam:keys:read'], resources: ['*'] }] },
          company.admin.id,
        )
      ).json<Minted>().fullKey;
      expect((await create({}, company.admin.id, reader)).json()).toMatchObject({
        status: 403,
        code: 'auth.insufficient_scope',
      });
    });

    it('a key cannot hand out a right that it lacks', async () => {
      const { keys } = harness.deps;
      const scopes = [{ actions: ['iam:keys:write'], resources: ['*'] }];
      const minter = await keys.create(company.adminCaller, company.admin.id, {
        comment: 'minter',
        access: 'scoped',
        scopes,
      });
      const key = minter.fullKey.reveal();
      const more = await create(
        { access: 'scoped', scopes: [{ actions: ['iam:settings:write'], resources: ['*'] }] },
        company.admin.id,
        key,
      );
      expect(more.json()).toMatchObject({ status: 403, code: 'key.scope_exceeds_caller' });
      const whole = await create({ access: 'account' }, company.member.id, key);
      expect(whole.json()).toMatchObject({ status: 403, code: 'key.scope_exceeds_caller' });
      const same = await create({ access: 'scoped', scopes }, company.admin.id, key);
      expect(same.statusCode).toBe(201);
    });
  });
});
