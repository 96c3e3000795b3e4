import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ifMatch, type MintedKey } from '../packages/sdk/src/index.ts';
import { runBash, runPython, verifyToken } from './clients.ts';
import { mintKey, type Person, signIn } from './console.ts';
import { expectSameJson } from './docs/answers.ts';
import { openPage } from './docs/doc-page.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from './server-process.ts';

/** Programs that know OAuth and nothing of Keyreeve: all that they are given is the address of the metadata. */
const place = openWorkplace();
let server: ServerProcess;
let admin: Person;
let key: MintedKey;

const RIGHTS = [{ actions: ['package:*', 'stock:read'], resources: ['*'] }];
const INSECURE = { [oauth.allowInsecureRequests]: true } as const;
const metadataUrl = (url: string) => `${url}/.well-known/oauth-authorization-server`;

async function open(data: string): Promise<{ server: ServerProcess; admin: Person }> {
  const started = await place.start({ data, env: WITH_ADMIN });
  return { server: started, admin: await signIn(started.url) };
}

async function makeKey(by: Person): Promise<MintedKey> {
  const params = { path: { id: by.accountId } };
  const { response } = await by.api.GET('/v1/users/{id}', { params });
  const headers = ifMatch(response.headers.get('etag') ?? '');
  await by.api.PATCH('/v1/users/{id}', { params, headers, body: { grants: RIGHTS } });
  return await mintKey(by, by.accountId, { comment: 'OAuth client', access: 'account' });
}

beforeAll(async () => {
  ({ server, admin } = await open('ES256'));
  key = await makeKey(admin);
});
afterAll(() => place.close());

describe('given only the address of the metadata, a token is got, asked about and ended by', () => {
  it('openid-client', async () => {
    const config = await openid.discovery(
      new URL(metadataUrl(server.url)),
      key.apiKey,
      {},
      openid.ClientSecretBasic(key.secretKey),
      { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] },
    );
    const token = await openid.clientCredentialsGrant(config, { scope: 'package:push' });
    // Not `expiresIn()`, which counts from when the answer came.
    expect([token.scope, token.expires_in]).toEqual(['package:push', 3600]);
    const { active, client_id, scope } = await openid.tokenIntrospection(config, token.access_token);
    expect({ active, client_id, scope }).toEqual({
      active: true,
      client_id: key.apiKey,
      scope: 'package:push',
    });
    const narrower = await openid.genericGrantRequest(
      config,
      'urn:ietf:params:oauth:grant-type:token-exchange',
      {
        subject_token: token.access_token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        scope: 'package:pushnew',
      },
    );
    expect(narrower.scope).toBe('package:pushnew');
    await openid.tokenRevocation(config, token.access_token);
    for (const one of [token, narrower])
      expect(await openid.tokenIntrospection(config, one.access_token)).toEqual({ active: false });
  });

  it('oauth4webapi, which also finds the token as RFC 9068 wants it', async () => {
    const issuer = new URL(new URL(metadataUrl(server.url)).origin);
    const found = await oauth.discoveryRequest(issuer, { ...INSECURE, algorithm: 'oauth2' });
    const as = await oauth.processDiscoveryResponse(issuer, found);
    const client = { client_id: key.apiKey };
    for (const method of [oauth.ClientSecretBasic(key.secretKey), oauth.ClientSecretPost(key.secretKey)]) {
      const answer = await oauth.clientCredentialsGrantRequest(as, client, method, {}, INSECURE);
      const { access_token: token } = await oauth.processClientCredentialsResponse(as, client, answer);
      const request = new Request('http://stock.example/', { headers: { authorization: `Bearer ${token}` } });
      const claims = await oauth.validateJwtAccessToken(as, request, as.issuer, INSECURE);
      expect(claims).toMatchObject({ sub: admin.accountId, client_id: key.apiKey });
      const ask = async () =>
        await oauth.processIntrospectionResponse(
          as,
          client,
          await oauth.introspectionRequest(as, client, method, token, INSECURE),
        );
      expect(await ask()).toMatchObject({ active: true, token_type: 'Bearer' });
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, method, token, INSECURE),
      );
      expect(await ask()).toEqual({ active: false });
    }
  });

  // Both refuse plain http unless they are told that this is a test.
  const ENVIRONMENT = { AUTHLIB_INSECURE_TRANSPORT: '1', OAUTHLIB_INSECURE_TRANSPORT: '1' };
  const AUTHLIB = `
import json, sys, requests
from authlib.integrations.requests_client import OAuth2Session
url, client_id, client_secret = sys.argv[1:4]
server = requests.get(url).json()
session = OAuth2Session(client_id, client_secret, scope="package:push",
                        token_endpoint_auth_method=sys.argv[4],
                        revocation_endpoint_auth_method=sys.argv[4])
token = session.fetch_token(server["token_endpoint"], grant_type="client_credentials")
ask = lambda: session.introspect_token(server["introspection_endpoint"], token=token["access_token"]).json()
before = ask()
ended = session.revoke_token(server["revocation_endpoint"], token=token["access_token"])
print(json.dumps([token["scope"], before["active"], before["client_id"], ended.status_code, ask()]))
`;
  const REQUESTS_OAUTHLIB = `
import json, sys, requests
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session
url, client_id, client_secret = sys.argv[1:4]
server = requests.get(url).json()
client = BackendApplicationClient(client_id=client_id, scope=["package:push"])
session = OAuth2Session(client=client)
extra = {"include_client_id": True} if sys.argv[4] == "client_secret_post" else {}
token = session.fetch_token(server["token_endpoint"], client_id=client_id, client_secret=client_secret, **extra)
auth = (client_id, client_secret)
def ask():
    return requests.post(server["introspection_endpoint"], data={"token": token["access_token"]}, auth=auth).json()
before = ask()
address, headers, body = client.prepare_token_revocation_request(server["revocation_endpoint"], token["access_token"])
ended = requests.post(address, data=body, headers=headers, auth=auth)
print(json.dumps([" ".join(token["scope"]), before["active"], before["client_id"], ended.status_code, ask()]))
`;

  it.each([
    ['authlib', 'client_secret_basic', AUTHLIB],
    ['authlib', 'client_secret_post', AUTHLIB],
    ['requests-oauthlib', 'client_secret_basic', REQUESTS_OAUTHLIB],
    ['requests-oauthlib', 'client_secret_post', REQUESTS_OAUTHLIB],
  ])('%s of Debian, by %s', async (_name, method, script) => {
    const args = [metadataUrl(server.url), key.apiKey, key.secretKey, method];
    const { code, stdout, stderr } = await runPython(script, args, ENVIRONMENT);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(JSON.parse(stdout)).toEqual(['package:push', true, key.apiKey, 200, { active: false }]);
  });
});

describe('a token is verified through the JWKS by jose and PyJWT when it is signed with', () => {
  it.each(['ES256', 'EdDSA', 'RS256'] as const)('%s', async (algorithm) => {
    const site = algorithm === 'ES256' ? { server, admin } : await open(algorithm);
    const { response } = await site.admin.api.GET('/v1/settings');
    const headers = ifMatch(response.headers.get('etag') ?? '');
    await site.admin.api.PATCH('/v1/settings', { headers, body: { signingAlgorithm: algorithm } });
    const { apiKey, secretKey } = algorithm === 'ES256' ? key : await makeKey(site.admin);
    const answer = await fetch(`${site.server.url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${apiKey}:${secretKey}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const keys = jose.createRemoteJWKSet(new URL(`${site.server.url}/.well-known/jwks.json`));
    const options = { issuer: site.server.url, audience: site.server.url, typ: 'at+jwt' };
    const { protectedHeader, payload } = await jose.jwtVerify(token, keys, options);
    expect([protectedHeader.alg, payload['client_id']]).toEqual([algorithm, apiKey]);
    const { header, claims } = await verifyToken(site.server.url, token);
    expect([header.alg, header.typ, claims.client_id]).toEqual([algorithm, 'at+jwt', apiKey]);
    await expect(verifyToken(site.server.url, token, 'https://other.example')).rejects.toThrow(/[Aa]udience/);
    if (algorithm !== 'ES256') await site.server.stop();
  });
});

describe('docs/oauth.md', () => {
  it('shows commands that work as they stand, with the answers that they get', async () => {
    const page = openPage('docs/oauth.md');
    const env: Record<string, string> = {
      KEYREEVE: server.url,
      API_KEY: key.apiKey,
      SECRET_KEY: key.secretKey,
    };
    const execute = async (part: string) => {
      const { code, stdout } = await runBash(page.claim('sh', part).text, env);
      expect([part, code]).toEqual([part, 0]);
      return stdout;
    };
    const compare = async (part: string): Promise<Record<string, string>> => {
      const real = JSON.parse(await execute(part)) as Record<string, string>;
      // A random text like no other.
      expectSameJson(page.claim('json').text, 'jti' in real ? { ...real, jti: '…' } : real);
      return real;
    };
    /** What the page shows is the life of one that is exchanged at once; each second later it is one less. */
    const compareExchanged = async (subject: string): Promise<void> => {
      const real = JSON.parse(await execute('token-exchange')) as Record<string, unknown>;
      const shown = page.claim('json').text;
      const { expires_in: atOnce } = JSON.parse(shown) as { expires_in: number };
      const [{ iat: begun = 0, exp: end = 0 }, { iat = 0, exp }] = [
        jose.decodeJwt(subject),
        jose.decodeJwt(String(real['access_token'])),
      ];
      expect([exp, real['expires_in'], atOnce]).toEqual([end, end - iat, end - begun]);
      expectSameJson(shown, { ...real, expires_in: atOnce });
    };
    const address = page.claim('text').text.trim().replace('https://keys.example.com', server.url);
    expect(await (await fetch(address)).json()).toMatchObject({ issuer: server.url });
    await compare('client_credentials');
    const { access_token: token = '' } = await compare('scope=package:push');
    await compare('authorization_details');
    await compare('scope=stock:write');
    env['TOKEN'] = token;
    await compare('/oauth2/introspect');
    const inactive = page.claim('json').text;
    // The page ends the token before it exchanges one: the exchange gets another.
    const fresh = await runBash(
      'curl -s -u "$API_KEY:$SECRET_KEY" "$KEYREEVE/oauth2/token" -d grant_type=client_credentials -d scope=package:push',
      env,
    );
    expect(await execute('/oauth2/revoke')).toBe(`${page.claim('text').text.trim()}\n`);
    const asked = await runBash(
      'curl -s -u "$API_KEY:$SECRET_KEY" "$KEYREEVE/oauth2/introspect" -d token="$TOKEN"',
      env,
    );
    expect(JSON.parse(asked.stdout)).toEqual(JSON.parse(inactive));
    const subject = (JSON.parse(fresh.stdout) as { access_token: string }).access_token;
    env['TOKEN'] = subject;
    await compareExchanged(subject);
    page.expectAllClaimed();
  });
});
