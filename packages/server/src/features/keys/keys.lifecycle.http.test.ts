import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

interface Minted {
  key: {
    id: string;
    expiresAt: string;
    generation: number;
    version: number;
    status: string;
    overlapEndsAt: string | null;
  };
  apiKey: string;
  secretKey: string;
  fullKey: string;
}

describe('the life of a key', () => {
  let harness: Harness;
  let company: Company;

  beforeAll(async () => {
    harness = await startHarness();
    company = await seedCompany(harness);
  });
  afterAll(() => harness.close());

  const asAdmin = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) =>
    call(harness, method, url, {
      key: company.adminKey,
      ...(body === undefined ? {} : { body }),
      ...(headers === undefined ? {} : { headers }),
    });

  const mint = async (body: Record<string, unknown> = {}, accountId = company.member.id): Promise<Minted> => {
    const answer = await asAdmin('POST', `/v1/accounts/${accountId}/keys`, {
      comment: 'CI',
      access: 'account',
      ...body,
    });
    expect(answer.statusCode, answer.body).toBe(201);
    return answer.json<Minted>();
  };
  const regenerate = (id: string, body: Record<string, unknown> = {}) =>
    asAdmin('POST', `/v1/keys/${id}/regenerate`, body);
  const codeOf = async (fullKey: string): Promise<string> => {
    const answer = await call(harness, 'GET', '/v1/keys/self', { key: fullKey });
    return answer.statusCode === 200 ? 'valid' : answer.json<{ code: string }>().code;
  };

  describe('regenerate', () => {
    it('keeps id, comment and scopes, makes a new secret and kills the old one at once', async () => {
      const old = await mint({
        access: 'scoped',
        scopes: [{ actions: ['package:push'], resources: ['A*'] }],
        lifetimeDays: 90,
      });
      harness.clock.advance(DAY_MS);
      const answer = await regenerate(old.apiKey);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['cache-control']).toBe('no-store');
      const fresh = answer.json<Minted>();
      expect(fresh.key).toMatchObject({
        id: old.apiKey,
        comment: 'CI',
        scopes: [{ actions: ['package:push'], resources: ['A*'] }],
        generation: 2,
      });
      expect(Date.parse(fresh.key.expiresAt)).toBe(harness.clock.now() + 90 * DAY_MS);
      expect(fresh.secretKey).not.toBe(old.secretKey);
      expect(await codeOf(old.fullKey)).toBe('auth.invalid_credential');
      expect(await codeOf(fresh.fullKey)).toBe('valid');
    });

    it('keeps the old secret for the overlap, and not a moment longer', async () => {
      const old = await mint();
      const fresh = (await regenerate(old.apiKey, { overlapHours: 2 })).json<Minted>();
      expect(Date.parse(fresh.key.overlapEndsAt ?? '')).toBe(harness.clock.now() + 2 * HOUR_MS);
      harness.clock.advance(2 * HOUR_MS - 1);
      expect(await codeOf(old.fullKey)).toBe('valid');
      harness.clock.advance(1);
      expect(await codeOf(old.fullKey)).toBe('auth.key_expired');
      expect(await codeOf(fresh.fullKey)).toBe('valid');
    });

    it('ends the overlap at the own expiry of the old secret when that is earlier', async () => {
      const old = await mint({ lifetimeDays: 1 });
      harness.clock.advance(DAY_MS - HOUR_MS);
      await regenerate(old.apiKey, { overlapHours: 168 });
      harness.clock.advance(HOUR_MS);
      expect(await codeOf(old.fullKey)).toBe('auth.key_expired');
    });

    it('refuses an overlap asked for an expired key, and regenerates it without one', async () => {
      const old = await mint({ lifetimeDays: 1 });
      harness.clock.advance(DAY_MS);
      expect(await codeOf(old.fullKey)).toBe('auth.key_expired');
      expect((await regenerate(old.apiKey, { overlapHours: 1 })).json()).toMatchObject({
        status: 400,
        code: 'key.overlap_not_allowed',
      });
      const fresh = (await regenerate(old.apiKey)).json<Minted>();
      expect(await codeOf(fresh.fullKey)).toBe('valid');
      expect(await codeOf(old.fullKey)).toBe('auth.invalid_credential');
    });

    it('a second regenerate ends the oldest secret at once: at most two live', async () => {
      const first = await mint();
      const second = (await regenerate(first.apiKey, { overlapHours: 24 })).json<Minted>();
      const third = (await regenerate(first.apiKey, { overlapHours: 24 })).json<Minted>();
      expect(await codeOf(first.fullKey)).toBe('auth.invalid_credential');
      expect(await codeOf(second.fullKey)).toBe('valid');
      expect(await codeOf(third.fullKey)).toBe('valid');
    });

    it.each([-1, 169, 1.5])('refuses an overlap of %d hours', async (overlapHours) => {
      const { apiKey } = await mint();
      expect((await regenerate(apiKey, { overlapHours })).json()).toMatchObject({
        status: 400,
        errors: [{ field: 'overlapHours' }],
      });
    });

    it('leaves a disabled key disabled', async () => {
      const { apiKey } = await mint();
      await asAdmin('POST', `/v1/keys/${apiKey}/disable`, { reason: 'leaked?' });
      const fresh = (await regenerate(apiKey)).json<Minted>();
      expect(fresh.key.status).toBe('disabled');
      expect(await codeOf(fresh.fullKey)).toBe('auth.key_disabled');
    });

    it('checks the scopes against the grants of today', async () => {
      const account = await harness.createAccount({
        kind: 'service',
        technicalName: 'narrowed',
        displayName: 'Narrowed',
        grants: [{ actions: ['package:*'], resources: ['*'] }],
      });
      const { apiKey } = await mint(
        { access: 'scoped', scopes: [{ actions: ['package:unlist'], resources: ['*'] }] },
        account.id,
      );
      await asAdmin(
        'PATCH',
        `/v1/service-accounts/${account.id}`,
        { grants: [{ actions: ['package:push'], resources: ['*'] }] },
        { 'if-match': '*' },
      );
      expect((await regenerate(apiKey)).json()).toMatchObject({
        status: 400,
        code: 'key.scope_exceeds_account',
      });
    });

    it("caps the lifetime at today's maximum", async () => {
      const { apiKey } = await mint({ lifetimeDays: 365 });
      await asAdmin(
        'PATCH',
        '/v1/settings',
        { lifetimeChoicesDays: [1, 30], defaultLifetimeDays: 30 },
        { 'if-match': '*' },
      );
      const fresh = (await regenerate(apiKey)).json<Minted>();
      expect(Date.parse(fresh.key.expiresAt)).toBe(harness.clock.now() + 30 * DAY_MS);
      await asAdmin(
        'PATCH',
        '/v1/settings',
        { lifetimeChoicesDays: [1, 90, 180, 270, 365], defaultLifetimeDays: 365 },
        { 'if-match': '*' },
      );
    });

    it('ends an overlap early when asked, and says when there is none', async () => {
      const old = await mint();
      await regenerate(old.apiKey, { overlapHours: 100 });
      expect((await asAdmin('POST', `/v1/keys/${old.apiKey}/end-overlap`)).statusCode).toBe(200);
      expect(await codeOf(old.fullKey)).toBe('auth.invalid_credential');
      expect((await asAdmin('POST', `/v1/keys/${old.apiKey}/end-overlap`)).json()).toMatchObject({
        status: 409,
        code: 'key.no_overlap',
      });
    });
  });

  describe('edit', () => {
    const scoped = { access: 'scoped', scopes: [{ actions: ['package:push'], resources: ['A*'] }] };
    const edit = (id: string, body: unknown, ifMatch = '*') =>
      asAdmin('PATCH', `/v1/keys/${id}`, body, { 'if-match': ifMatch });

    it('changes comment and patterns, and tells the second of two editors', async () => {
      const { apiKey } = await mint(scoped);
      const etag = (await asAdmin('GET', `/v1/keys/${apiKey}`)).headers['etag'] as string;
      const first = await edit(
        apiKey,
        { comment: 'first', scopes: [{ actions: ['package:push'], resources: ['A*', 'B*'] }] },
        etag,
      );
      expect(first.json()).toMatchObject({ comment: 'first', scopes: [{ resources: ['A*', 'B*'] }] });
      expect((await edit(apiKey, { comment: 'second' }, etag)).json()).toMatchObject({
        status: 412,
        code: 'request.precondition_failed',
        version: 2,
      });
      expect((await asAdmin('PATCH', `/v1/keys/${apiKey}`, { comment: 'third' })).json()).toMatchObject({
        status: 428,
        code: 'request.precondition_required',
      });
    });

    it('never widens a key by an edit to empty', async () => {
      const { apiKey, fullKey } = await mint(scoped);
      for (const scopes of [
        [],
        [{ actions: ['package:push'], resources: [] }],
        [{ actions: [], resources: ['*'] }],
      ]) {
        expect((await edit(apiKey, { scopes })).json()).toMatchObject({
          status: 400,
          code: 'key.scope_required',
        });
      }
      const self = await call(harness, 'GET', '/v1/keys/self', { key: fullKey });
      expect(self.json<{ permissions: unknown }>().permissions).toEqual([
        { actions: ['package:push'], resources: ['A*'] },
      ]);
    });

    it.each([
      ['the actions', { scopes: [{ actions: ['package:unlist'], resources: ['A*'] }] }, 'scopes'],
      [
        'one more action',
        { scopes: [{ actions: ['package:push', 'package:unlist'], resources: ['A*'] }] },
        'scopes',
      ],
      ['the lifetime', { lifetimeDays: 90 }, 'lifetimeDays'],
      ['the access', { access: 'account' }, 'access'],
      ['the owner', { ownerId: 'acc_other' }, 'ownerId'],
      ['the account', { accountId: 'acc_other' }, 'accountId'],
    ])('refuses to change %s, by name', async (_case, body, field) => {
      const { apiKey } = await mint(scoped);
      expect((await edit(apiKey, body)).json()).toMatchObject({
        status: 400,
        code: 'key.field_immutable',
        errors: [{ field }],
      });
    });

    it('takes fixed fields that are sent back unchanged', async () => {
      const { apiKey } = await mint(scoped);
      expect((await edit(apiKey, { access: 'scoped', lifetimeDays: 365, comment: 'new' })).statusCode).toBe(
        200,
      );
    });

    it('gives an account key no scopes', async () => {
      const { apiKey } = await mint();
      expect((await edit(apiKey, { scopes: scoped.scopes })).json()).toMatchObject({
        status: 400,
        code: 'key.scopes_not_allowed',
      });
    });
  });

  describe('end', () => {
    it('a deleted key is unknown, to its holder and to its owner', async () => {
      const { apiKey, fullKey } = await mint();
      expect((await asAdmin('DELETE', `/v1/keys/${apiKey}`)).statusCode).toBe(204);
      expect(await codeOf(fullKey)).toBe('auth.invalid_credential');
      expect((await asAdmin('GET', `/v1/keys/${apiKey}`)).statusCode).toBe(404);
      expect((await asAdmin('DELETE', `/v1/keys/${apiKey}`)).statusCode).toBe(404);
    });

    it('a disabled key says so to its holder, works again when enabled, and keeps the reason', async () => {
      const { apiKey, fullKey } = await mint();
      const disabled = await asAdmin('POST', `/v1/keys/${apiKey}/disable`, { reason: 'on holiday' });
      expect(disabled.json()).toMatchObject({ status: 'disabled', disabledReason: 'on holiday' });
      expect(await codeOf(fullKey)).toBe('auth.key_disabled');
      expect(await codeOf(fullKey.replace(/.{10}_/, '0000000000_'))).toBe('auth.invalid_credential');
      expect((await asAdmin('POST', `/v1/keys/${apiKey}/enable`)).json()).toMatchObject({
        status: 'active',
        disabledReason: null,
      });
      expect(await codeOf(fullKey)).toBe('valid');
    });

    it('whoever holds a key can kill its secret for good; enabling does not bring it back', async () => {
      const { apiKey, fullKey } = await mint();
      expect((await call(harness, 'POST', '/v1/keys/self/revoke', { key: fullKey })).statusCode).toBe(204);
      expect(await codeOf(fullKey)).toBe('auth.invalid_credential');
      await asAdmin('POST', `/v1/keys/${apiKey}/enable`);
      expect(await codeOf(fullKey)).toBe('auth.invalid_credential');
      const fresh = (await regenerate(apiKey)).json<Minted>();
      expect(await codeOf(fresh.fullKey)).toBe('valid');
    });

    it('expires at the very millisecond', async () => {
      const { fullKey } = await mint({ lifetimeDays: 1 });
      harness.clock.advance(DAY_MS - 1);
      expect(await codeOf(fullKey)).toBe('valid');
      harness.clock.advance(1);
      expect(await codeOf(fullKey)).toBe('auth.key_expired');
    });

    it('works from the addresses of its allow list only, and fails closed', async () => {
      const inside = await mint({ ipRanges: ['127.0.0.0/8', '::1'] });
      const outside = await mint({ ipRanges: ['10.0.0.0/8'] });
      expect(await codeOf(inside.fullKey)).toBe('valid');
      expect(await codeOf(outside.fullKey)).toBe('auth.ip_not_allowed');
    });

    it('narrowing an account narrows its keys at the next question', async () => {
      const account = await harness.createAccount({
        kind: 'service',
        technicalName: 'shrinks',
        displayName: 'Shrinks',
        grants: [{ actions: ['package:*', 'deploy:start'], resources: ['*'] }],
      });
      const { deps } = harness;
      const both = await deps.keys.create(company.adminCaller, account.id, {
        comment: 'both',
        access: 'scoped',
        scopes: [{ actions: ['package:push', 'deploy:start'], resources: ['a*'] }],
      });
      const permissionsOf = async () =>
        (await call(harness, 'GET', '/v1/keys/self', { key: both.fullKey.reveal() })).json<{
          permissions: unknown;
        }>().permissions;
      expect(await permissionsOf()).toEqual([
        { actions: ['package:push'], resources: ['a*'] },
        { actions: ['deploy:start'], resources: ['a*'] },
      ]);
      await asAdmin(
        'PATCH',
        `/v1/service-accounts/${account.id}`,
        { grants: [{ actions: ['package:*'], resources: ['*'] }] },
        { 'if-match': '*' },
      );
      expect(await permissionsOf()).toEqual([{ actions: ['package:push'], resources: ['a*'] }]);
    });

    it('disabling the account stops its keys; enabling restores them', async () => {
      const account = await harness.createAccount({
        kind: 'service',
        technicalName: 'sleeps',
        displayName: 'Sleeps',
      });
      const { fullKey } = await mint({}, account.id);
      const set = (state: string) =>
        asAdmin('PATCH', `/v1/service-accounts/${account.id}`, { state }, { 'if-match': '*' });
      await set('disabled');
      expect(await codeOf(fullKey)).toBe('auth.account_disabled');
      await set('active');
      expect(await codeOf(fullKey)).toBe('valid');
    });

    it('[keys 85] deleting an account deletes its keys and those that act for it, and no others', async () => {
      const account = await harness.createAccount({
        kind: 'service',
        technicalName: 'goes',
        displayName: 'Goes',
        managers: [company.member.id],
      });
      const own = await mint({}, account.id);
      const acting = await mint({ ownerId: account.id });
      const bystander = await mint();
      expect((await asAdmin('DELETE', `/v1/service-accounts/${account.id}`)).statusCode).toBe(204);
      expect(await codeOf(own.fullKey)).toBe('auth.invalid_credential');
      expect(await codeOf(acting.fullKey)).toBe('auth.invalid_credential');
      expect(await codeOf(bystander.fullKey)).toBe('valid');
    });
  });
});
