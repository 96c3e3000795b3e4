import {
  type ClientPair,
  type Company,
  call,
  exchangeForm,
  exchangeToken,
  getToken,
  type Harness,
  postForm,
  seedCompany,
  startHarness,
  toDetailsText,
} from '@keyreeve/testkit';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Minted extends ClientPair {
  readonly fullKey: string;
}

const STOCK = 'https://stock.example';
const ORDERS = 'https://orders.example';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
let harness: Harness;
let company: Company;
/** Whose tokens are exchanged. */
let client: Minted;
/** A service that exchanges tokens that it was handed. */
let service: Minted;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  await harness.deps.settings.update(company.adminCaller, { tokenResources: [STOCK, ORDERS] }, null);
  client = await mint(company.member.id);
  service = await mint(company.robot.id);
});
afterAll(() => harness.close());

async function mint(accountId: string, body: Record<string, unknown> = {}): Promise<Minted> {
  const answer = await call(harness, 'POST', `/v1/accounts/${accountId}/keys`, {
    key: company.adminKey,
    body: { comment: 'client', access: 'account', ...body },
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<Minted>();
}

const may = async (token: string, action: string, resource: string) =>
  (await call(harness, 'GET', `/v1/authorize?action=${action}&resource=${resource}`, { key: token }))
    .statusCode === 204;
const isAlive = async (token: string) =>
  (await call(harness, 'GET', '/v1/keys/self', { key: token })).statusCode === 200;
const refuse = async (token: string, asked: Record<string, string>, basic?: ClientPair) => {
  const answer = await postForm(harness, '/oauth2/token', exchangeForm(token, asked), { basic });
  return [answer.statusCode, answer.json<{ error: string }>().error];
};
const revoke = (token: string, basic: ClientPair = client) =>
  postForm(harness, '/oauth2/revoke', { token }, { basic });

describe('token exchange', () => {
  it('narrows by action and resource, and names the type of what it issued', async () => {
    const { access_token: subject } = await getToken(harness, client);
    const answer = await exchangeToken(harness, subject, {
      authorization_details: toDetailsText(['package:push'], ['Contoso.*']),
    });
    expect(answer).toMatchObject({
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      scope: 'package:push',
      authorization_details: [{ actions: ['package:push'], identifiers: ['Contoso.*'] }],
    });
    expect(await may(answer.access_token, 'package:push', 'Contoso.A')).toBe(true);
    expect(await may(answer.access_token, 'package:push', 'Fabrikam')).toBe(false);
    expect(await may(answer.access_token, 'package:read', 'Contoso.A')).toBe(false);
    const [before, after] = [decodeJwt(subject), decodeJwt(answer.access_token)];
    expect(after.jti).not.toBe(before.jti);
    expect(after).toMatchObject({ sub: before.sub, client_id: before['client_id'], anc: [before.jti] });
    expect(after).not.toHaveProperty('act');
  });

  it('never gives back what an exchange before has taken', async () => {
    const { access_token: subject } = await getToken(harness, client);
    const { access_token: narrow } = await exchangeToken(harness, subject, { scope: 'package:read' });
    expect(await refuse(narrow, { scope: 'package:push' })).toEqual([400, 'invalid_scope']);
    expect(
      await refuse(narrow, { authorization_details: toDetailsText(['package:push'], ['Contoso.A']) }),
    ).toEqual([400, 'invalid_authorization_details']);
    const again = await exchangeToken(harness, narrow);
    expect(again.scope).toBe('package:read');
    expect(await may(again.access_token, 'package:push', 'Contoso.A')).toBe(false);
  });

  it('never gives a longer life, and keeps the expiry of the subject', async () => {
    const { access_token: subject } = await getToken(harness, client);
    harness.clock.advance(10 * MINUTE_MS);
    const { access_token: token, expires_in: seconds } = await exchangeToken(harness, subject);
    expect(decodeJwt(token).exp).toBe(decodeJwt(subject).exp);
    expect(seconds).toBe(3_000);
    harness.clock.advance(50 * MINUTE_MS);
    expect(await refuse(token, {})).toEqual([400, 'invalid_request']);
  });

  it('turns a token for this server into one for a resource, and never back', async () => {
    const { access_token: subject } = await getToken(harness, client);
    const { access_token: stock } = await exchangeToken(harness, subject, { audience: STOCK });
    expect(decodeJwt(stock).aud).toBe(STOCK);
    const own = harness.deps.defaultWorkspace.url;
    for (const resource of [own, ORDERS])
      expect(await refuse(stock, { resource })).toEqual([400, 'invalid_target']);
    for (const asked of [{}, { resource: STOCK }]) {
      const { access_token: same } = await exchangeToken(harness, stock, asked);
      expect(decodeJwt(same).aud).toBe(STOCK);
    }
    expect(await refuse(subject, { resource: 'https://evil.example' })).toEqual([400, 'invalid_target']);
  });

  it('ends with every token that it came from, and lives on without those that came from it', async () => {
    const { access_token: first } = await getToken(harness, client);
    const { access_token: second } = await exchangeToken(harness, first);
    const { access_token: third } = await exchangeToken(harness, second);
    const { access_token: sister } = await exchangeToken(harness, first);
    await revoke(third);
    expect([await isAlive(third), await isAlive(second)]).toEqual([false, true]);
    const { access_token: fourth } = await exchangeToken(harness, second);
    await revoke(first);
    for (const token of [first, second, fourth, sister]) expect(await isAlive(token)).toBe(false);
    expect(await refuse(fourth, {})).toEqual([400, 'invalid_request']);
  });

  it('ends with the key and its account like every token', async () => {
    const short = await mint(company.stranger.id);
    const { access_token: subject } = await getToken(harness, short);
    const { access_token: token } = await exchangeToken(harness, subject, { scope: 'package:read' });
    expect(await isAlive(token)).toBe(true);
    await harness.deps.keys.disable(company.adminCaller, short.apiKey, null);
    expect(await isAlive(token)).toBe(false);
    await harness.deps.keys.enable(company.adminCaller, short.apiKey);
    expect(await isAlive(token)).toBe(false);
  });

  it('is told from one step to the next at most eight times', async () => {
    let { access_token: token } = await getToken(harness, client);
    for (let step = 0; step < 8; step += 1) ({ access_token: token } = await exchangeToken(harness, token));
    expect(await isAlive(token)).toBe(true);
    const answer = await postForm(harness, '/oauth2/token', exchangeForm(token));
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
    expect(answer.body).toContain('at most 8');
  });

  it.each<[string, Record<string, string>]>([
    ['no token', { subject_token: '' }],
    ['no type', { subject_token_type: '' }],
    ['another type', { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['an unknown token', { subject_token: 'a.b.c' }],
    ['a full key', { subject_token: 'kr_0123456789ABCDEF_x' }],
    ['another wanted type', { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }],
    ['an actor token', { actor_token: 'x', actor_token_type: 'y' }],
  ])('is refused with %s', async (_name, change) => {
    const { access_token: subject } = await getToken(harness, client);
    const answer = await postForm(harness, '/oauth2/token', { ...exchangeForm(subject), ...change });
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
    expect(answer.json<{ error_description: string }>().error_description).toMatch(/_token/);
  });

  it('keeps the rights of a token that is too long to tell them, and no more', async () => {
    const resources = Array.from({ length: 60 }, (_, index) => `Long.${'x'.repeat(60)}.${index}`);
    const long = await mint(company.member.id, {
      access: 'scoped',
      scopes: [{ actions: ['package:push'], resources }],
    });
    const { access_token: subject } = await getToken(harness, long);
    expect(decodeJwt(subject)).toMatchObject({ introspect: true });
    const { access_token: same } = await exchangeToken(harness, subject);
    expect(decodeJwt(same)).toMatchObject({ introspect: true });
    const [first = '', second = ''] = resources;
    const narrow = await exchangeToken(harness, subject, {
      authorization_details: toDetailsText(['package:push'], [first]),
    });
    expect(await may(narrow.access_token, 'package:push', first)).toBe(true);
    expect(await may(narrow.access_token, 'package:push', second)).toBe(false);
    expect(await refuse(subject, { scope: 'package:push' })).toEqual([400, 'invalid_scope']);
  });

  it('is refused where the new token could not tell its rights, and its key was widened since', async () => {
    const mintWith = async (fill: string) => {
      const resources = [...Array.from({ length: 38 }, (_, index) => `${'y'.repeat(60)}.${index}`), fill];
      const scopes = [{ actions: ['package:push'], resources }];
      return { scopes, ...(await mint(company.member.id, { access: 'scoped', scopes })) };
    };
    // As many characters as fit: three of the payload are four of the token.
    const { access_token: measured } = await getToken(harness, await mintWith('z'));
    const room = Math.floor(((4_096 - measured.length) * 3) / 4);
    const full = await mintWith('z'.repeat(room));
    const { access_token: subject } = await getToken(harness, full);
    expect([subject.length > 4_060, decodeJwt(subject)['introspect']]).toEqual([true, undefined]);
    const scopes = full.scopes.map((scope) => ({ ...scope, resources: ['*'] }));
    await harness.deps.keys.update(company.adminCaller, full.apiKey, { scopes }, null);
    expect(await may(subject, 'package:push', 'Other')).toBe(false);
    expect(await refuse(subject, {})).toEqual([400, 'invalid_scope']);
  });
});

describe('token exchange by another client', () => {
  it('says who acts for whom, in the token, on introspection and in the log', async () => {
    const { access_token: subject } = await getToken(harness, client);
    const { access_token: token } = await exchangeToken(harness, subject, { audience: STOCK }, service);
    const act = { sub: company.robot.id, client_id: service.apiKey };
    expect(decodeJwt(token)).toMatchObject({ sub: company.member.id, client_id: client.apiKey, act });
    const asked = await postForm(harness, '/oauth2/introspect', { token }, { basic: service });
    expect(asked.json()).toMatchObject({ active: true, act });
    const url = `/v1/audit?key=${client.apiKey}&action=token.exchanged`;
    const { items } = (await call(harness, 'GET', url, { key: company.adminKey })).json<{
      items: object[];
    }>();
    expect(items[0]).toMatchObject({
      target: { kind: 'token', id: decodeJwt(token).jti },
      actor: { id: company.robot.id },
      detail: { subjectToken: decodeJwt(subject).jti, resource: STOCK },
    });
  });

  it('keeps those who acted before', async () => {
    const { access_token: subject } = await getToken(harness, client);
    const { access_token: first } = await exchangeToken(harness, subject, {}, service);
    const third = await mint(company.stranger.id);
    const { access_token: second } = await exchangeToken(harness, first, {}, third);
    expect(decodeJwt(second)['act']).toEqual({
      sub: company.stranger.id,
      client_id: third.apiKey,
      act: { sub: company.robot.id, client_id: service.apiKey },
    });
    const { access_token: nobody } = await exchangeToken(harness, second);
    expect(decodeJwt(nobody)['act']).toEqual(decodeJwt(second)['act']);
  });

  it.each<[string, (actor: Minted) => Promise<unknown>]>([
    ['is disabled', (actor) => harness.deps.keys.disable(company.adminCaller, actor.apiKey, null)],
    ['is deleted', (actor) => call(harness, 'DELETE', `/v1/keys/${actor.apiKey}`, { key: company.adminKey })],
    [
      'was disabled for a while',
      async (actor) => {
        await harness.deps.keys.disable(company.adminCaller, actor.apiKey, null);
        await harness.deps.keys.enable(company.adminCaller, actor.apiKey);
      },
    ],
    [
      'gets another secret at once',
      (actor) =>
        call(harness, 'POST', `/v1/keys/${actor.apiKey}/regenerate`, {
          key: company.adminKey,
          body: { overlapHours: 0 },
        }),
    ],
  ])(
    'ends when the key of any who acted %s, and the token that was handed to him lives on',
    async (_, end) => {
      const { access_token: subject } = await getToken(harness, client);
      const actor = await mint(company.robot.id);
      const { access_token: first } = await exchangeToken(harness, subject, {}, actor);
      const { access_token: second } = await exchangeToken(harness, first, {}, service);
      expect([await isAlive(first), await isAlive(second)]).toEqual([true, true]);
      await end(actor);
      expect([await isAlive(first), await isAlive(second)]).toEqual([false, false]);
      expect(await isAlive(subject)).toBe(true);
      const asked = await postForm(harness, '/oauth2/introspect', { token: first }, { basic: client });
      expect(asked.json()).toEqual({ active: false });
    },
  );

  it('lives no longer than the key of the actor', async () => {
    const expiresAt = harness.clock.now() + DAY_MS;
    const actor = await mint(company.robot.id, { lifetimeDays: 1 });
    harness.clock.advance(DAY_MS - 30 * MINUTE_MS);
    const { access_token: subject } = await getToken(harness, client);
    const { access_token: token } = await exchangeToken(harness, subject, {}, actor);
    expect(decodeJwt(token).exp).toBe(Math.floor(expiresAt / 1_000));
  });

  it('by the same client is no delegation and no row of the log', async () => {
    const { access_token: subject } = await getToken(harness, client);
    const { access_token: token } = await exchangeToken(harness, subject, {}, client);
    expect(decodeJwt(token)).not.toHaveProperty('act');
  });

  it('with a wrong secret is refused, though it could do without', async () => {
    const { access_token: subject } = await getToken(harness, client);
    expect(await refuse(subject, {}, { ...service, secretKey: client.secretKey })).toEqual([
      401,
      'invalid_client',
    ]);
  });

  it('may end the token that it got, and not the one that it was handed', async () => {
    const { access_token: subject } = await getToken(harness, client);
    const { access_token: token } = await exchangeToken(harness, subject, {}, service);
    await revoke(subject, service);
    expect(await isAlive(subject)).toBe(true);
    await revoke(token, service);
    expect([await isAlive(token), await isAlive(subject)]).toEqual([false, true]);
  });
});
