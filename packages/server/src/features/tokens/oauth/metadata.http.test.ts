import {
  type ClientPair,
  type Company,
  call,
  exchangeForm,
  getToken,
  type Harness,
  type InjectAnswer,
  postForm,
  seedCompany,
  startHarness,
  toDetailsText,
} from '@keyreeve/testkit';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Minted extends ClientPair {
  readonly fullKey: string;
}

type Metadata = Readonly<Record<string, string | readonly string[]>>;

const METADATA = '/.well-known/oauth-authorization-server';
let harness: Harness;
let company: Company;
let client: Minted;
let metadata: Metadata;

beforeAll(async () => {
  harness = await startHarness({ environment: { KEYREEVE_PUBLIC_URL: 'https://keys.test' } });
  company = await seedCompany(harness);
  const answer = await call(harness, 'POST', `/v1/accounts/${company.member.id}/keys`, {
    key: company.adminKey,
    body: { comment: 'client', access: 'account' },
  });
  client = answer.json<Minted>();
  metadata = (await read()).json<Metadata>();
});
afterAll(() => harness.close());

const read = (headers: Record<string, string> = {}) =>
  call(harness, 'GET', METADATA, { headers: { host: 'keys.test', ...headers } });
const textOf = (name: string) => String(metadata[name]);
const listOf = (name: string): readonly string[] => [metadata[name] ?? []].flat();
const pathOf = (name: string) => new URL(textOf(name)).pathname;

/** A form to an advertised endpoint, with an advertised way of authentication. */
async function post(endpoint: string, method: string, form: Record<string, string>): Promise<InjectAnswer> {
  const { apiKey: client_id, secretKey: client_secret } = client;
  const more = method === 'client_secret_post' ? { client_id, client_secret } : {};
  const headers = {
    host: 'keys.test',
    ...(method === 'Bearer' ? { authorization: `Bearer ${client.fullKey}` } : {}),
  };
  const basic = method === 'client_secret_basic' ? client : undefined;
  return await postForm(harness, pathOf(endpoint), { ...form, ...more }, { basic, headers });
}

describe('the metadata of the authorization server', () => {
  it('are for everybody, for caches, and for scripts of other origins', async () => {
    const answer = await read({ origin: 'https://app.example' });
    expect(answer.headers).toMatchObject({
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'content-type': 'application/json; charset=utf-8',
    });
  });

  it.each([
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-proto': 'http' },
    { forwarded: 'host=evil.example' },
    { host: 'localhost:8080' },
    { host: '127.0.0.1' },
  ])('name the workspace, whatever the request says: %j', async (headers) => {
    const answer = await read(headers);
    expect(answer.json()).toEqual(metadata);
    expect(metadata['issuer']).toBe('https://keys.test');
  });

  it('are those of each workspace at its own address', async () => {
    await harness.deps.workspaces.create(company.adminCaller, {
      name: 'Other',
      subdomain: 'other',
      aliases: [],
    });
    const { issuer } = (await read({ host: 'other.keys.test' })).json<{ issuer: string }>();
    expect(new URL(issuer).hostname).toBe('other.keys.test');
  });

  it('hold no empty list, and addresses below the issuer only', () => {
    for (const [name, value] of Object.entries(metadata)) {
      expect([name, value.length > 0]).toEqual([name, true]);
      if (/_endpoint$|_uri$/.test(name)) expect(value).toMatch(/^https:\/\/keys\.test\//);
    }
  });
});

describe('what the metadata advertise works', () => {
  it('at the token endpoint: each way of authentication with each grant', async () => {
    const methods = listOf('token_endpoint_auth_methods_supported');
    const grants = listOf('grant_types_supported');
    expect([methods.length, grants.length]).toEqual([2, 2]);
    const { access_token: subject } = await getToken(harness, client);
    for (const method of methods) {
      for (const grant of grants) {
        const form = grant === 'client_credentials' ? {} : exchangeForm(subject);
        const answer = await post('token_endpoint', method, { ...form, grant_type: grant });
        expect([method, grant, answer.statusCode]).toEqual([method, grant, 200]);
      }
    }
  });

  it('at introspection and revocation: each way of authentication', async () => {
    for (const method of listOf('introspection_endpoint_auth_methods_supported')) {
      const { access_token: token } = await getToken(harness, client);
      const answer = await post('introspection_endpoint', method, { token });
      expect([method, answer.json<{ active: boolean }>().active]).toEqual([method, true]);
    }
    for (const method of listOf('revocation_endpoint_auth_methods_supported')) {
      const { access_token: token } = await getToken(harness, client);
      expect((await post('revocation_endpoint', method, { token })).statusCode).toBe(200);
      const asked = await post('introspection_endpoint', method, { token });
      expect(asked.body).toBe('{"active":false}');
    }
  });

  it('in the keys: the one that has signed is among them', async () => {
    const { access_token: token } = await getToken(harness, client);
    const { keys } = (
      await call(harness, 'GET', pathOf('jwks_uri'), { headers: { host: 'keys.test' } })
    ).json<{ keys: { kid: string }[] }>();
    expect(keys.map(({ kid }) => kid)).toContain(decodeProtectedHeader(token).kid);
  });

  it('in the types of authorization details', async () => {
    expect(listOf('authorization_details_types_supported')).toEqual(['keyreeve']);
    const asked = { authorization_details: toDetailsText(['package:push'], ['A']) };
    expect((await getToken(harness, client, asked)).authorization_details).toHaveLength(1);
  });
});
