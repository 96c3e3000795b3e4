import { createHash } from 'node:crypto';
import {
  type ClientPair,
  type Company,
  call,
  exchangeToken,
  getToken,
  type Harness,
  misspell,
  postForm,
  seedCompany,
  startHarness,
} from '@keyreeve/testkit';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../lib/secret.ts';

interface Minted extends ClientPair {
  readonly fullKey: string;
}

const INACTIVE = '{"active":false}';
const STOCK = 'https://stock.example';
let harness: Harness;
let company: Company;
/** The client whose tokens are asked about. */
let client: Minted;
/** May ask about every account. */
let asker: Minted;
/** May ask about nobody. */
let nosy: Minted;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  await harness.deps.settings.update(company.adminCaller, { tokenResources: [STOCK] }, null);
  client = await mint(company.member.id);
  await harness.deps.workspaces.create(company.adminCaller, {
    name: 'Other',
    subdomain: 'other',
    aliases: [],
  });
  asker = await mint(company.admin.id, {
    access: 'scoped',
    scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }],
  });
  nosy = await mint(company.stranger.id);
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

/** A token that another workspace has issued, with its own key. */
async function issueElsewhere(): Promise<string> {
  const { workspaces, keyAuthenticator, tokens, defaultWorkspace } = harness.deps;
  const other = await workspaces.findByHost('other.keys.test');
  const fullKey = new Secret(client.fullKey);
  const proven = await keyAuthenticator.authenticate(defaultWorkspace.id, { fullKey }, null);
  if (other === null || !('key' in proven)) throw new Error('Nobody could issue it.');
  return (await tokens.issue(other, proven)).token.reveal();
}

const introspect = (
  token: string,
  by: Parameters<typeof postForm>[3] = { basic: asker },
  more: Record<string, string> = {},
) => postForm(harness, '/oauth2/introspect', { token, ...more }, by);
const revoke = (token: string, basic: ClientPair = client, more: Record<string, string> = {}) =>
  postForm(harness, '/oauth2/revoke', { token, ...more }, { basic });
const isActive = async (token: string) => (await introspect(token)).json<{ active: boolean }>().active;
const bearer = (credential: string) => ({ headers: { authorization: `Bearer ${credential}` } });

describe('introspection of a token', () => {
  it('tells what RFC 7662 names and the present rights', async () => {
    const { access_token: token } = await getToken(harness, client);
    const answer = await introspect(token);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
    const { exp, iat, jti } = decodeJwt(token);
    const url = harness.deps.defaultWorkspace.url;
    expect(answer.json()).toEqual({
      active: true,
      scope: 'package:*',
      client_id: client.apiKey,
      username: 'mei@example.com',
      token_type: 'Bearer',
      exp,
      iat,
      jti,
      sub: company.member.id,
      aud: url,
      iss: url,
      authorization_details: [{ type: 'keyreeve', actions: ['package:*'], identifiers: ['*'] }],
    });
  });

  it.each<[string, () => Parameters<typeof postForm>[3]]>([
    ['a bearer key with the right', () => bearer(asker.fullKey)],
    ['the client that got it', () => ({ basic: client })],
    ['the client that got it, as bearer', () => bearer(client.fullKey)],
  ])('answers %s', async (_name, by) => {
    const { access_token: token } = await getToken(harness, client);
    expect((await introspect(token, by())).json()).toMatchObject({ active: true });
  });

  it('answers a bearer token with the right, and no narrowed one without it', async () => {
    const { access_token: token } = await getToken(harness, client);
    const able = await getToken(harness, asker);
    expect((await introspect(token, bearer(able.access_token))).json()).toMatchObject({ active: true });
    const admin = { apiKey: company.adminKey.slice(0, 19), secretKey: company.adminKey.slice(20) };
    const narrowed = await getToken(harness, admin, { scope: 'package:read' });
    expect((await introspect(token, bearer(narrowed.access_token))).body).toBe(INACTIVE);
  });

  it('answers a service about tokens for itself and for other allowed resources', async () => {
    const { access_token: token } = await getToken(harness, client, { resource: STOCK });
    expect((await introspect(token)).json()).toMatchObject({ active: true, aud: STOCK });
    await harness.deps.settings.update(company.adminCaller, { tokenResources: [] }, null);
    expect((await introspect(token)).body).toBe(INACTIVE);
    await harness.deps.settings.update(company.adminCaller, { tokenResources: [STOCK] }, null);
  });

  it('tells the rights of one that is too long to tell them, as its own answer did', async () => {
    const resources = Array.from({ length: 60 }, (_, index) => `Long.${'x'.repeat(60)}.${index}`);
    const scopes = [{ actions: ['package:push', 'package:unlist'], resources }];
    const long = await mint(company.member.id, { access: 'scoped', scopes });
    const answer = await getToken(harness, long);
    const { authorization_details: told } = (await introspect(answer.access_token)).json<typeof answer>();
    expect(told).toEqual([
      { type: 'keyreeve', actions: ['package:push', 'package:unlist'], identifiers: resources },
    ]);
    expect(answer.authorization_details).toEqual(told);
  });

  it('tells of a narrowed token no more than it may', async () => {
    const { access_token: token } = await getToken(harness, client, { scope: 'package:read' });
    expect((await introspect(token)).json()).toMatchObject({
      scope: 'package:read',
      authorization_details: [{ actions: ['package:read'], identifiers: ['*'] }],
    });
  });

  it('answers about a full key too, by its own type', async () => {
    expect((await introspect(client.fullKey)).json()).toMatchObject({
      active: true,
      token_type: 'api_key',
      client_id: client.apiKey,
      sub: company.member.id,
    });
    expect((await introspect(client.fullKey, { basic: nosy })).body).toBe(INACTIVE);
  });

  it('needs the address of the user where the key has an allow list', async () => {
    const limited = await mint(company.member.id, { ipRanges: ['127.0.0.0/8'] });
    const { access_token: token } = await getToken(harness, limited);
    expect((await introspect(token)).body).toBe(INACTIVE);
    expect((await introspect(token, undefined, { ip: '192.0.2.1' })).body).toBe(INACTIVE);
    expect((await introspect(token, undefined, { ip: '127.0.0.9' })).json()).toMatchObject({ active: true });
    const odd = await introspect(token, undefined, { ip: 'localhost' });
    expect(odd.json()).toMatchObject({ error: 'invalid_request' });
  });
});

describe('introspection of whatever is no good', () => {
  it('gives the same bytes at the same time, whatever the reason', async () => {
    const { access_token: expired } = await getToken(harness, client);
    harness.clock.advance(3_600_000);
    const { access_token: good } = await getToken(harness, client);
    const { access_token: ended } = await getToken(harness, client);
    await revoke(ended);
    const { access_token: parent } = await getToken(harness, client);
    const { access_token: child } = await exchangeToken(harness, parent);
    await revoke(parent);
    const dead = await mint(company.member.id);
    const { access_token: ofDead } = await getToken(harness, dead);
    await harness.deps.keys.disable(company.adminCaller, dead.apiKey, null);
    const cases: [string, Parameters<typeof introspect>][] = [
      ['unknown', ['hello']],
      ['malformed', ['a.b.c']],
      ['expired', [expired]],
      ['ended', [ended]],
      ['child of an ended one', [child]],
      ['disabled key', [ofDead]],
      ['disabled full key', [dead.fullKey]],
      ['another workspace', [await issueElsewhere()]],
      ['wrong signature', [`${good.slice(0, -4)}AAAA`]],
      ['a key id alone', [client.apiKey]],
      ['asked by a client without the right', [good, { basic: nosy }]],
      ['very long', ['x'.repeat(20_000)]],
    ];
    for (const [name, request] of cases) {
      const startedAt = performance.now();
      const answer = await introspect(...request);
      // None is given before the beat; a timer may fire within the millisecond before.
      expect(performance.now() - startedAt).toBeGreaterThan(9);
      expect([name, answer.statusCode, answer.body]).toEqual([name, 200, INACTIVE]);
      expect(answer.headers['cache-control']).toBe('no-store');
    }
    expect(await isActive(good)).toBe(true);
  });

  it('of another workspace is as unknown as any other', async () => {
    const { access_token: token } = await getToken(harness, client);
    const elsewhere = await harness.app.inject({
      method: 'POST',
      url: '/oauth2/introspect',
      payload: new URLSearchParams({ token }).toString(),
      headers: {
        host: 'other.keys.test',
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Bearer ${asker.fullKey}`,
      },
    });
    expect(elsewhere.statusCode).toBe(401);
  });

  it('is refused to nobody and to the wrong secret, with the challenge that fits', async () => {
    const nobody = await introspect('x', {});
    expect([nobody.statusCode, nobody.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    expect(nobody.headers['www-authenticate']).toMatch(/^Basic/);
    const wrong = await introspect('x', bearer(misspell(client.fullKey)));
    expect([wrong.statusCode, wrong.json()]).toMatchObject([401, { error: 'invalid_token' }]);
    expect(wrong.headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_token"/);
  });

  it('needs a token to be asked about', async () => {
    const answer = await introspect('');
    expect(answer.json()).toMatchObject({ error: 'invalid_request' });
    expect(answer.body).toContain('token');
  });
});

describe('revocation', () => {
  it('ends a token before it answers, and once more without a word', async () => {
    const { access_token: token } = await getToken(harness, client);
    for (const round of [1, 2]) {
      const answer = await revoke(token);
      expect([round, answer.statusCode, answer.body]).toEqual([round, 200, '']);
      expect(await isActive(token)).toBe(false);
      expect((await call(harness, 'GET', '/v1/keys/self', { key: token })).statusCode).toBe(401);
    }
    const url = `/v1/audit?key=${client.apiKey}&action=token.ended`;
    const { items } = (await call(harness, 'GET', url, { key: company.adminKey })).json<{
      items: { target: { id: string } }[];
    }>();
    expect(items.filter(({ target }) => target.id === decodeJwt(token).jti)).toHaveLength(1);
  });

  it('ends a token for another resource, also when that is not allowed any more', async () => {
    const { access_token: token } = await getToken(harness, client, { resource: STOCK });
    await harness.deps.settings.update(company.adminCaller, { tokenResources: [] }, null);
    expect((await revoke(token)).statusCode).toBe(200);
    await harness.deps.settings.update(company.adminCaller, { tokenResources: [STOCK] }, null);
    expect(await isActive(token)).toBe(false);
  });

  it.each(['access_token', 'refresh_token', 'nonsense'])('finds it in spite of the hint %s', async (hint) => {
    const { access_token: token } = await getToken(harness, client);
    expect((await revoke(token, client, { token_type_hint: hint })).statusCode).toBe(200);
    expect(await isActive(token)).toBe(false);
  });

  it('by another client says 200 and ends nothing', async () => {
    const { access_token: token } = await getToken(harness, client);
    expect((await revoke(token, nosy)).statusCode).toBe(200);
    expect((await revoke(token, asker)).statusCode).toBe(200);
    expect(await isActive(token)).toBe(true);
  });

  it('says 200 for what is no token', async () => {
    for (const text of ['hello', 'a.b.c', 'x'.repeat(9_000)]) {
      const answer = await revoke(text);
      expect([answer.statusCode, answer.body]).toEqual([200, '']);
    }
  });

  it('says that it cannot end a key, instead of 200', async () => {
    const answer = await revoke(client.fullKey);
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'unsupported_token_type' }]);
    expect(answer.body).not.toContain(client.secretKey);
  });

  it('needs a client', async () => {
    const { access_token: token } = await getToken(harness, client);
    for (const by of [{}, bearer(client.fullKey), bearer(token)]) {
      const answer = await postForm(harness, '/oauth2/revoke', { token }, by);
      expect([answer.statusCode, answer.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    }
    expect(await isActive(token)).toBe(true);
  });

  it('never says 200 when the token may still be alive', async () => {
    const { access_token: token } = await getToken(harness, client);
    const { schema } = harness.deps.storage.write;
    await schema.alterTable('ended_tokens').renameTo('ended_tokens_away').execute();
    const answer = await revoke(token);
    await schema.alterTable('ended_tokens_away').renameTo('ended_tokens').execute();
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(answer.json()).toMatchObject({ error: 'temporarily_unavailable' });
    expect(await isActive(token)).toBe(true);
    expect((await revoke(token)).statusCode).toBe(200);
    expect(await isActive(token)).toBe(false);
  });
});

describe('a foreign key that was imported', () => {
  // As others mint them: the first looks a little like a token, the second like the secret half of a key.
  it.each(['SG.abcdefghijklmnop.0123456789', 'A'.repeat(49)])(
    'is asked about, used and refused like our own: %s',
    async (credential) => {
      const sha256 = createHash('sha256').update(credential).digest('hex');
      const row = {
        account: 'mei@example.com',
        comment: 'old',
        access: 'full',
        expiresAt: null,
        sha256,
      } as const;
      await harness.deps.keyImporter.importKeys(company.adminCaller, [row], false);
      expect((await introspect(credential)).json()).toMatchObject({ active: true, token_type: 'api_key' });
      const own = await introspect(credential, bearer(credential));
      expect(own.json()).toMatchObject({ active: true });
      const client_id = own.json<{ client_id: string }>().client_id;
      const form = { grant_type: 'client_credentials', client_secret: credential };
      expect((await postForm(harness, '/oauth2/token', form)).statusCode).toBe(200);
      // 200 would tell the owner of a stolen one that it is dead.
      const answer = await revoke(credential);
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'unsupported_token_type' }]);
      expect(client_id).toMatch(/^kr_/);
    },
  );

  it('authenticates a client also where its special characters were not encoded, as curl sends them', async () => {
    const credential = 'a+b/c%41d:e==';
    const sha256 = createHash('sha256').update(credential).digest('hex');
    const row = {
      account: 'mei@example.com',
      comment: 'old',
      access: 'full',
      expiresAt: null,
      sha256,
    } as const;
    const [apiKey = ''] = await harness.deps.keyImporter.importKeys(company.adminCaller, [row], false);
    const form = { grant_type: 'client_credentials' };
    const encoded = await postForm(harness, '/oauth2/token', form, {
      basic: { apiKey, secretKey: credential },
    });
    const plain = (text: string) =>
      postForm(harness, '/oauth2/token', form, {
        headers: { authorization: `Basic ${Buffer.from(`${apiKey}:${text}`).toString('base64')}` },
      });
    expect([encoded.statusCode, (await plain(credential)).statusCode]).toEqual([200, 200]);
    expect((await plain('a+b/c%zzd')).json()).toMatchObject({ error: 'invalid_client' });
  });
});
