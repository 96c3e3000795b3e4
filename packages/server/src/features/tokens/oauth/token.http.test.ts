import { createHash } from 'node:crypto';
import {
  type ClientPair,
  type Company,
  call,
  getToken,
  type Harness,
  postForm,
  seedCompany,
  startHarness,
  toBasic,
  toDetailsText,
} from '@keyreeve/testkit';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Minted extends ClientPair {
  readonly fullKey: string;
  readonly key: { readonly id: string };
}

const GRANT = { grant_type: 'client_credentials' };
const MEGABYTE = `grant_type=client_credentials&scope=${'a:b+'.repeat(250_000)}`;
const DAY_MS = 86_400_000;
let harness: Harness;
let company: Company;
let client: Minted;
let scoped: Minted;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  client = await mint();
  scoped = await mint({
    access: 'scoped',
    scopes: [
      { actions: ['package:push', 'package:unlist'], resources: ['Contoso.*'] },
      { actions: ['package:read'], resources: ['*'] },
    ],
  });
});
afterAll(() => harness.close());

async function mint(body: Record<string, unknown> = {}, accountId = company.member.id): Promise<Minted> {
  const answer = await call(harness, 'POST', `/v1/accounts/${accountId}/keys`, {
    key: company.adminKey,
    body: { comment: 'client', access: 'account', ...body },
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<Minted>();
}

const ask = (form: Record<string, string> | string, options: Parameters<typeof postForm>[3] = {}) =>
  postForm(harness, '/oauth2/token', form, options);
const inBody = ({ apiKey, secretKey }: ClientPair) => ({ client_id: apiKey, client_secret: secretKey });
const may = async (token: string, action: string, resource: string) => {
  const url = `/v1/authorize?action=${action}&resource=${resource}`;
  return (await call(harness, 'GET', url, { key: token })).statusCode === 204;
};

describe('a token by client credentials', () => {
  it('is got with Basic and works here', async () => {
    const answer = await ask(GRANT, { basic: client });
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'content-type': 'application/json; charset=utf-8',
    });
    const body = answer.json<Record<string, unknown>>();
    expect(body).toEqual({
      access_token: body['access_token'],
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'package:*',
      authorization_details: [{ type: 'keyreeve', actions: ['package:*'], identifiers: ['*'] }],
    });
    expect(await may(String(body['access_token']), 'package:push', 'X')).toBe(true);
  });

  it('has the claims and the type of RFC 9068', async () => {
    const { access_token: token } = await getToken(harness, client);
    expect(decodeProtectedHeader(token)).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    });
    const url = harness.deps.defaultWorkspace.url;
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ iss: url, aud: url, sub: company.member.id, client_id: client.apiKey });
    for (const name of ['iat', 'exp', 'jti', 'scope']) expect(claims).toHaveProperty(name);
    const jtis = await Promise.all(Array.from({ length: 20 }, () => getToken(harness, client)));
    expect(new Set(jtis.map(({ access_token }) => decodeJwt(access_token).jti)).size).toBe(20);
  });

  it.each<[string, () => Parameters<typeof ask>]>([
    ['id and secret in the body', () => [{ ...GRANT, ...inBody(client) }]],
    ['a full key as the secret, in the body', () => [{ ...GRANT, client_secret: client.fullKey }]],
    [
      'a full key as the secret, with Basic',
      () => [GRANT, { basic: { apiKey: '', secretKey: client.fullKey } }],
    ],
    [
      'a full key beside its own id',
      () => [GRANT, { basic: { apiKey: client.apiKey, secretKey: client.fullKey } }],
    ],
    [
      'Basic whose halves are percent-encoded where they need not be',
      () => [
        GRANT,
        {
          headers: {
            authorization: `Basic ${Buffer.from(`%6B%72${client.apiKey.slice(2)}:${client.secretKey}`).toString('base64')}`,
          },
        },
      ],
    ],
    ['Basic and the same client_id', () => [{ ...GRANT, client_id: client.apiKey }, { basic: client }]],
    [
      'empty parameters, taken for absent',
      () => [{ ...GRANT, scope: '', client_secret: '' }, { basic: client }],
    ],
    ['unknown parameters, ignored', () => [{ ...GRANT, foo: '1', nonce: 'x' }, { basic: client }]],
    [
      'a charset',
      () => [
        GRANT,
        { basic: client, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' } },
      ],
    ],
  ])('is got with %s', async (_name, request) => {
    const answer = await ask(...request());
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.json()).not.toHaveProperty('refresh_token');
  });

  it('is for another resource when that is allowed, by either name', async () => {
    const tokenResources = ['https://stock.example'];
    await harness.deps.settings.update(company.adminCaller, { tokenResources }, null);
    for (const name of ['resource', 'audience']) {
      const { access_token: token } = await getToken(harness, client, { [name]: 'https://stock.example' });
      expect(decodeJwt(token).aud).toBe('https://stock.example');
      expect(await may(token, 'package:push', 'X')).toBe(false);
    }
    const refused = await ask({ ...GRANT, resource: 'https://evil.example' }, { basic: client });
    expect([refused.statusCode, refused.json()]).toMatchObject([400, { error: 'invalid_target' }]);
    const two = { ...GRANT, resource: 'https://stock.example', audience: harness.deps.defaultWorkspace.url };
    expect((await ask(two, { basic: client })).json()).toMatchObject({ error: 'invalid_target' });
  });

  it('never outlives the key', async () => {
    const short = await mint({ lifetimeDays: 1 });
    harness.clock.advance(DAY_MS - 10_000);
    expect((await getToken(harness, short)).expires_in).toBe(10);
    const answer = await ask(GRANT, { basic: short });
    expect(answer.headers['keyreeve-key-expires']).toBeDefined();
  });

  it('leaves the last use at the key', async () => {
    const fresh = await mint();
    await getToken(harness, fresh);
    await harness.deps.usage.flush();
    const uses = await harness.deps.usage.findLastUses(company.member.workspaceId, [fresh.apiKey]);
    expect(uses.get(fresh.apiKey)?.ip).toBe('127.0.0.1');
  });
});

describe('a client that is refused', () => {
  const wrong = () => ({ apiKey: client.apiKey, secretKey: scoped.secretKey });

  it('with Basic gets the challenge that it tried', async () => {
    const answer = await ask(GRANT, { basic: wrong() });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ error: 'invalid_client' });
    expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=/);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it.each<[string, () => Parameters<typeof ask>]>([
    ['no credential', () => [GRANT]],
    ['a client_id alone', () => [{ ...GRANT, client_id: client.apiKey }]],
    ['a secret without its id', () => [{ ...GRANT, client_secret: client.secretKey }]],
    ['a wrong secret', () => [{ ...GRANT, ...inBody(wrong()) }]],
    [
      'an unknown id',
      () => [GRANT, { basic: { apiKey: 'kr_0123456789ABCDEF', secretKey: client.secretKey } }],
    ],
    [
      'a full key beside the id of another key',
      () => [GRANT, { basic: { apiKey: scoped.apiKey, secretKey: client.fullKey } }],
    ],
    ['Basic that is no base64', () => [GRANT, { headers: { authorization: 'Basic !!!' } }]],
    ['Basic without a colon', () => [GRANT, { headers: { authorization: `Basic ${btoa('kr_x')}` } }]],
    ['Basic with a broken escape', () => [GRANT, { headers: { authorization: `Basic ${btoa('%zz:x')}` } }]],
    ['Basic of nobody', () => [GRANT, { headers: { authorization: `Basic ${btoa(':')}` } }]],
    ['Bearer', () => [GRANT, { headers: { authorization: `Bearer ${client.fullKey}` } }]],
    ['Digest', () => [GRANT, { headers: { authorization: 'Digest x' } }]],
    ['an assertion', () => [{ ...GRANT, client_assertion: 'x', client_assertion_type: 'y' }]],
    ['another header of ours', () => [GRANT, { headers: { 'x-api-key': client.fullKey } }]],
  ])('for %s gets 401 invalid_client', async (_name, request) => {
    const answer = await ask(...request());
    expect([answer.statusCode, answer.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    expect(answer.headers['www-authenticate']).toBeDefined();
    expect(answer.body).not.toContain(client.secretKey);
  });

  it('learns the state of the key only with the right secret', async () => {
    const minted = await mint();
    await harness.deps.keys.disable(company.adminCaller, minted.apiKey, null);
    const right = await ask(GRANT, { basic: minted });
    expect(right.json<{ error_description: string }>().error_description).toContain('disabled');
    const unsure = await ask(GRANT, { basic: { ...minted, secretKey: client.secretKey } });
    expect(unsure.json<{ error_description: string }>().error_description).not.toContain('disabled');
    expect(unsure.body).toBe((await ask(GRANT, { basic: wrong() })).body);
  });

  it('is counted with the real reason', async () => {
    await harness.deps.audit.flush();
    const rows = await harness.deps.storage.read
      .selectFrom('refusals')
      .select(['reason'])
      .distinct()
      .execute();
    expect(rows.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['auth.invalid_credential', 'auth.required', 'auth.key_disabled']),
    );
  });

  it('cannot be a session, whatever cookie comes along', async () => {
    const answer = await ask(GRANT, { headers: { cookie: 'keyreeve_session=x' } });
    expect(answer.json()).toMatchObject({ error: 'invalid_client' });
  });
});

describe('a request that is refused', () => {
  it.each<[string, () => Parameters<typeof ask>, string]>([
    ['no grant type', () => [{}, { basic: client }], 'invalid_request'],
    ['an empty grant type', () => [{ grant_type: '' }, { basic: client }], 'invalid_request'],
    ['a password grant', () => [{ grant_type: 'password' }, { basic: client }], 'unsupported_grant_type'],
    [
      'an authorization code',
      () => [{ grant_type: 'authorization_code', code: 'x' }, { basic: client }],
      'unsupported_grant_type',
    ],
    [
      'two methods of authentication',
      () => [{ ...GRANT, ...inBody(client) }, { basic: client }],
      'invalid_request',
    ],
    [
      'another client_id than in Basic',
      () => [{ ...GRANT, client_id: scoped.apiKey }, { basic: client }],
      'invalid_request',
    ],
    [
      'a parameter twice',
      () => ['grant_type=client_credentials&scope=package:read&scope=package:push', { basic: client }],
      'invalid_request',
    ],
    [
      'a parameter twice, once empty',
      () => ['grant_type=client_credentials&scope=&scope=package:push', { basic: client }],
      'invalid_request',
    ],
    [
      'a parameter twice in two spellings',
      () => ['grant_type=client_credentials&%67rant_type=client_credentials', { basic: client }],
      'invalid_request',
    ],
    ['a broken escape', () => ['grant_type=%zz', { basic: client }], 'invalid_request'],
    [
      'JSON',
      () => [JSON.stringify(GRANT), { basic: client, headers: { 'content-type': 'application/json' } }],
      'invalid_request',
    ],
    [
      'a body without its type',
      () => ['grant_type=client_credentials', { basic: client, headers: { 'content-type': '' } }],
      'invalid_request',
    ],
    ['an empty body', () => ['', { basic: client }], 'invalid_request'],
    ['a megabyte', () => [MEGABYTE, { basic: client }], 'invalid_request'],
    [
      'ten thousand scopes',
      () => [{ ...GRANT, scope: Array.from({ length: 10_000 }, () => 'a:b').join(' ') }, { basic: client }],
      'invalid_scope',
    ],
  ])('for %s says so fast, in the shape of OAuth', async (_name, request, error) => {
    const [form, options] = request();
    const started = performance.now();
    const answer = await ask(form, options);
    expect(performance.now() - started).toBeLessThan(200);
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error }]);
    const body = answer.json<{ error_description: string; error_uri: string }>();
    expect(body.error_description).toMatch(/^[ !#-[\]-~]+$/);
    expect(body.error_uri).toContain('/docs/errors/');
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
  });

  it('says of which type a body has to be', async () => {
    const answer = await ask(JSON.stringify(GRANT), {
      basic: client,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.json<{ error_description: string }>().error_description).toContain(
      'application/x-www-form-urlencoded',
    );
  });

  it.each(['client_secret', 'client_id', 'token', 'subject_token'])(
    'carries the credential %s in its address',
    async (name) => {
      const answer = await postForm(harness, `/oauth2/token?${name}=hush`, GRANT, { basic: client });
      expect(answer.json()).toMatchObject({ error: 'invalid_request' });
      expect(answer.body).toContain(name);
      expect(answer.body).not.toContain('hush');
    },
  );

  it.each(['GET', 'PUT', 'DELETE'] as const)('comes as %s', async (method) => {
    for (const url of ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']) {
      const answer = await call(harness, method, url, { headers: { authorization: toBasic(client) } });
      expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST']);
    }
  });
});

describe('a token that is asked for with less', () => {
  it('by action carries these actions only, where the key holds them', async () => {
    const answer = await getToken(harness, scoped, { scope: 'package:push package:read' });
    expect(answer.scope).toBe('package:push package:read');
    expect(answer.authorization_details).toEqual([
      { type: 'keyreeve', actions: ['package:push'], identifiers: ['Contoso.*'] },
      { type: 'keyreeve', actions: ['package:read'], identifiers: ['*'] },
    ]);
    // Who knows no resources must not take a push on some for a push on all.
    expect(decodeJwt(answer.access_token)['scope']).toBe('package:read');
    expect(await may(answer.access_token, 'package:push', 'Contoso.A')).toBe(true);
    expect(await may(answer.access_token, 'package:push', 'Fabrikam')).toBe(false);
    expect(await may(answer.access_token, 'package:unlist', 'Contoso.A')).toBe(false);
  });

  it('by a wildcard of actions carries what the key holds of it', async () => {
    const answer = await getToken(harness, client, { scope: 'package:*' });
    expect(answer.scope).toBe('package:*');
    const push = await getToken(harness, client, { scope: 'package:pushnew' });
    expect(await may(push.access_token, 'package:pushnew', 'X')).toBe(true);
    expect(await may(push.access_token, 'package:push', 'X')).toBe(false);
  });

  it('by resource carries these identifiers only', async () => {
    const details = toDetailsText(['package:push'], ['contoso.web.*', 'Contoso.Api']);
    const answer = await getToken(harness, scoped, { authorization_details: details });
    expect(answer).toMatchObject({
      scope: 'package:push',
      authorization_details: [{ actions: ['package:push'], identifiers: ['contoso.web.*', 'Contoso.Api'] }],
    });
    expect(await may(answer.access_token, 'package:push', 'Contoso.Web.A')).toBe(true);
    expect(await may(answer.access_token, 'package:push', 'Contoso.B')).toBe(false);
  });

  it('by both carries what lies within both', async () => {
    const details = toDetailsText(['package:push', 'package:unlist'], ['Contoso.A']);
    const answer = await getToken(harness, scoped, {
      scope: 'package:unlist',
      authorization_details: details,
    });
    expect(answer.authorization_details).toEqual([
      { type: 'keyreeve', actions: ['package:unlist'], identifiers: ['Contoso.A'] },
    ]);
    const nothing = { ...GRANT, scope: 'package:read', authorization_details: details };
    expect((await ask(nothing, { basic: scoped })).json()).toMatchObject({ error: 'invalid_scope' });
  });

  it.each([
    ['an action that is not held', 'stock:read'],
    ['an iam action of a key that has the access of its account', 'iam:keys:read'],
    ['all of iam', 'iam:*'],
    ['a word that is no action', 'openid'],
    ['a wildcard for everything', '*'],
    ['two spaces', 'package:read  package:push'],
    ['a space before', ' package:read'],
    ['a space behind', 'package:read '],
    ['a tab', 'package:read\tpackage:push'],
    ['a line feed', 'package:read\n'],
    ['a space of another width', 'package:read\u00a0package:push'],
    ['upper case', 'Package:Read'],
    ['101 actions', Array.from({ length: 101 }, (_, index) => `a:b${index}`).join(' ')],
  ])('is refused for a scope with %s', async (_name, scope) => {
    const administrators = await mint({}, company.admin.id);
    for (const basic of [client, administrators]) {
      const answer = await ask({ ...GRANT, scope }, { basic });
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'invalid_scope' }]);
    }
  });

  it.each<[string, unknown]>([
    ['no JSON', 'x'],
    ['an object', {}],
    ['an empty list', []],
    ['another type', [{ type: 'payment', actions: ['package:push'], identifiers: ['Contoso.A'] }]],
    ['no identifiers', [{ type: 'keyreeve', actions: ['package:push'] }]],
    ['empty identifiers', [{ type: 'keyreeve', actions: ['package:push'], identifiers: [] }]],
    ['empty actions', [{ type: 'keyreeve', actions: [], identifiers: ['Contoso.A'] }]],
    ['identifiers that are no texts', [{ type: 'keyreeve', actions: ['package:push'], identifiers: [1] }]],
    [
      'a member that could be meant as a limit',
      [{ type: 'keyreeve', actions: ['package:push'], identifiers: ['Contoso.A'], locations: ['x'] }],
    ],
    ['more than is held', [{ type: 'keyreeve', actions: ['package:push'], identifiers: ['*'] }]],
    [
      'one identifier more than is held',
      [{ type: 'keyreeve', actions: ['package:push'], identifiers: ['Contoso.A', 'Fabrikam'] }],
    ],
    ['another action', [{ type: 'keyreeve', actions: ['stock:read'], identifiers: ['Contoso.A'] }]],
    [
      '600 combinations of action and identifier',
      [
        {
          type: 'keyreeve',
          actions: Array.from({ length: 10 }, (_, index) => `package:a${index}`),
          identifiers: Array.from({ length: 60 }, (_, index) => `Contoso.${index}`),
        },
      ],
    ],
    [
      '101 identifiers',
      [{ type: 'keyreeve', actions: ['package:push'], identifiers: Array(101).fill('Contoso.A') }],
    ],
  ])('is refused for authorization details with %s', async (_name, details) => {
    const text = typeof details === 'string' ? details : JSON.stringify(details);
    const answer = await ask({ ...GRANT, authorization_details: text }, { basic: scoped });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { error: 'invalid_authorization_details' },
    ]);
  });

  it('is refused rather than widened when it would be too long to tell its rights', async () => {
    const identifiers = Array.from({ length: 60 }, (_, index) => `Contoso.${'x'.repeat(60)}.${index}`);
    const details = toDetailsText(['package:push'], identifiers);
    const answer = await ask({ ...GRANT, authorization_details: details }, { basic: client });
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'invalid_scope' }]);
    expect(answer.body).toContain('4096');
  });

  it('stays narrow for a key with the access of its account, at every door', async () => {
    const details = toDetailsText(['package:push'], ['Contoso.*']);
    const { access_token: token } = await getToken(harness, client, { authorization_details: details });
    expect(await may(token, 'package:push', 'Contoso.A')).toBe(true);
    expect(await may(token, 'package:push', 'Fabrikam')).toBe(false);
    expect(await may(token, 'package:read', 'Contoso.A')).toBe(false);
    const self = await call(harness, 'GET', '/v1/keys/self', { key: token });
    expect(self.json()).toMatchObject({
      permissions: [{ actions: ['package:push'], resources: ['Contoso.*'] }],
    });
    const list = await call(harness, 'GET', '/v1/packages', { key: token });
    expect([list.statusCode, list.json()]).toMatchObject([403, { code: 'auth.insufficient_scope' }]);
  });

  it('stays narrow for an imported key with full access', async () => {
    const credential = 'legacy-credential-of-mei';
    const sha256 = createHash('sha256').update(credential).digest('hex');
    const [apiKey = ''] = await harness.deps.keyImporter.importKeys(
      company.adminCaller,
      [{ account: company.member.id, comment: 'old', access: 'full', expiresAt: null, sha256 }],
      false,
    );
    const legacy = { apiKey, secretKey: credential };
    const whole = await getToken(harness, legacy);
    expect(await may(whole.access_token, 'package:unlist', 'X')).toBe(true);
    const { access_token: token } = await getToken(harness, legacy, { scope: 'package:push' });
    expect(await may(token, 'package:push', 'X')).toBe(true);
    expect(await may(token, 'package:unlist', 'X')).toBe(false);
  });
});
