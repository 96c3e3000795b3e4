import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const FORM = 'application/x-www-form-urlencoded';
const LOGIN_PATHS = ['/iam/login', '/iam/v4/login', '/cam/login', '/cam/v4/login'];

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly fullKey: string;
}

interface Session {
  readonly token: string;
  readonly token_expire: string;
  readonly expires_in: number;
}

/** The documented cURL sample, filled in, as `curl --data` sends it. */
function curlBody({ apiKey, secretKey }: Minted): string {
  return `{\n    "auth_mode": "apikey",\n    "apikey": "${apiKey}",\n    "secretkey": "${secretKey}"\n}`;
}

/** The documented Python sample, filled in, as `requests` encodes it. */
function pythonBody({ apiKey, secretKey }: Minted): string {
  return new URLSearchParams({ auth_mode: 'apikey', apikey: apiKey, secretkey: secretKey }).toString();
}

describe('the login of the first seed', () => {
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

  const post = (
    payload: string | Buffer,
    contentType: string | null = FORM,
    url = '/iam/login',
    host = 'localhost:8080',
  ) =>
    harness.app.inject({
      method: 'POST',
      url,
      payload,
      headers: { host, ...(contentType === null ? {} : { 'content-type': contentType }) },
    });
  const login = (minted: Minted) => post(pythonBody(minted));
  const setTokenLifetime = (tokenLifetimeSeconds: number) =>
    harness.deps.settings.update(company.adminCaller, { tokenLifetimeSeconds }, null);
  const withoutDuration = (body: string) => body.replace(/"duration":[0-9.]+/, '"duration":0');
  const UNAUTHORIZED = '{"error":"Unauthorized","success":false,"status":401,"duration":0}';

  describe('with the right pair', () => {
    it.each([
      ['cURL', curlBody],
      ['Python', pythonBody],
    ])('answers the %s sample, to the byte, with the session of the contract', async (_name, bodyOf) => {
      const minted = await mint();
      const answer = await post(bodyOf(minted));
      expect(answer.statusCode, answer.body).toBe(200);
      const now = harness.clock.now();
      const session = answer.json<Session>();
      expect(session).toEqual({
        uid: company.member.id,
        user: '芽衣',
        name: '芽衣',
        firstname: null,
        lastname: null,
        civility: null,
        email: 'mei@example.com',
        login: 'mei@example.com',
        type: 'user',
        authentication_type: 'apikey',
        isAdmin: false,
        password_renew: false,
        password_expiration: null,
        token: session.token,
        token_type: 'Bearer',
        expires_in: 3600,
        token_expire: new Date(now + HOUR_MS).toISOString(),
        token_duration: 3600,
        token_refreshed_at: new Date(now).toISOString(),
      });
      expect(answer.body).not.toContain('\n');
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        pragma: 'no-cache',
      });
      expect(answer.headers['x-request-id']).toMatch(/^req_/);
    });

    it.each([
      ...LOGIN_PATHS,
      ...LOGIN_PATHS.map((path) => `${path}/`),
      '/iam/login?app_id=forepaas&token=old',
    ])('answers at %s, without a redirect', async (path) => {
      expect((await post(curlBody(await mint()), FORM, path)).statusCode).toBe(200);
    });

    it.each([
      null,
      '',
      'application/json',
      'application/json; charset=utf-8',
      'text/plain',
      'multipart/form-data',
      ';;;',
      'application/octet-stream',
    ])('does not ask what the header says about the body: %j', async (contentType) => {
      const minted = await mint();
      expect((await post(curlBody(minted), contentType)).statusCode).toBe(200);
      expect((await post(pythonBody(minted), contentType)).statusCode).toBe(200);
    });

    it('gives service accounts a token too', async () => {
      const answer = await login(await mint({}, company.robot.id));
      expect(answer.json()).toMatchObject({
        uid: company.robot.id,
        login: 'build-robot',
        type: 'service',
        isAdmin: false,
        email: null,
      });
    });

    it('gives a token that says who, by which key and for whom, and no more', async () => {
      const minted = await mint();
      const { token } = (await login(minted)).json<Session>();
      expect(decodeProtectedHeader(token)).toEqual({
        alg: 'ES256',
        typ: 'at+jwt',
        kid: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      });
      const seconds = Math.floor(harness.clock.now() / 1000);
      expect(decodeJwt(token)).toEqual({
        iss: 'http://localhost:8080',
        aud: 'http://localhost:8080',
        sub: company.member.id,
        iat: seconds,
        exp: seconds + 3600,
        jti: expect.stringMatching(/^\w{22}$/) as unknown,
        client_id: minted.apiKey,
        kgen: 1,
        kepo: 1,
        aepo: 1,
        workspace: harness.deps.defaultWorkspace.id,
        scope: 'package:*',
        authorization_details: [{ type: 'keyreeve', actions: ['package:*'], identifiers: ['*'] }],
      });
    });

    it('gives each time another token', async () => {
      const minted = await mint();
      const [one, two] = [await login(minted), await login(minted)];
      expect(decodeJwt(one.json<Session>().token).jti).not.toBe(decodeJwt(two.json<Session>().token).jti);
    });

    it('uses the configured address, whatever host the request names', async () => {
      const { token } = (
        await post(pythonBody(await mint()), FORM, '/iam/login', '127.0.0.1:9')
      ).json<Session>();
      expect(decodeJwt(token).iss).toBe('http://localhost:8080');
    });

    it('follows the token lifetime of the workspace, and never outlives the key', async () => {
      await setTokenLifetime(86_400);
      harness.clock.advance(300);
      const minted = await mint({ lifetimeDays: 1 });
      harness.clock.advance(DAY_MS - 1_300);
      const session = (await login(minted)).json<Session>();
      expect(session.expires_in).toBe(1);
      expect(Date.parse(session.token_expire)).toBeLessThanOrEqual(harness.clock.now() + 1_300);
      // 300 ms are left, all within one second: no token can be that short.
      harness.clock.advance(1_000);
      const last = await login(minted);
      expect(withoutDuration(last.body)).toBe(UNAUTHORIZED);
      await setTokenLifetime(3600);
    });

    it('leaves the rights out of a token that would be longer than 4 KiB, and says so', async () => {
      const resources = Array.from({ length: 100 }, (_, index) => `Contoso.${'x'.repeat(100)}.${index}.*`);
      const minted = await mint({ access: 'scoped', scopes: [{ actions: ['package:push'], resources }] });
      const { token } = (await login(minted)).json<Session>();
      expect(token.length).toBeLessThan(4_096);
      const claims = decodeJwt(token);
      expect(claims).toMatchObject({ introspect: true, client_id: minted.apiKey });
      expect(claims).not.toHaveProperty('authorization_details');
      const may = await harness.app.inject({
        url: `/v1/authorize?action=package:push&resource=Contoso.${'x'.repeat(100)}.7.A`,
        headers: { host: 'localhost', authorization: `Bearer ${token}` },
      });
      const mayNot = await harness.app.inject({
        url: '/v1/authorize?action=package:push&resource=Fabrikam',
        headers: { host: 'localhost', authorization: `Bearer ${token}` },
      });
      expect([may.statusCode, mayNot.statusCode]).toEqual([204, 403]);
    });
  });

  describe('with a body that cannot be used', () => {
    it.each([
      [
        'the unedited cURL sample',
        '{\n    "auth_mode": "apikey",\n    "apikey": "",\n    "secretkey": ""\n}',
        /apikey.*secretkey/,
      ],
      ['the unedited Python sample', 'auth_mode=apikey&apikey=&secretkey=', /apikey.*secretkey/],
      ['no body', '', /auth_mode/],
      ['another auth_mode', 'auth_mode=forepaas_id_resource_owner&login=a&password=b', /auth_mode/],
      ['a number', '{"auth_mode":"apikey","apikey":1,"secretkey":"x"}', /apikey/],
      ['a list', '{"auth_mode":"apikey","apikey":"a","secretkey":["x"]}', /secretkey/],
      ['a field twice', 'auth_mode=apikey&apikey=a&apikey=b&secretkey=c', /apikey/],
      ['broken JSON', '{"auth_mode":', /JSON/],
    ])('answers 400 in its own shape for %s, naming the field', async (_name, body, text) => {
      const answer = await post(body);
      expect(answer.statusCode).toBe(400);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(Object.keys(answer.json())).toEqual(['error', 'success', 'status', 'duration']);
      expect(answer.json()).toMatchObject({
        error: expect.stringMatching(text) as unknown,
        success: false,
        status: 400,
      });
    });

    it('answers 413 for more than 16 KiB', async () => {
      const answer = await post(`auth_mode=apikey&x=${'y'.repeat(16_384)}`);
      expect(answer.statusCode).toBe(413);
      expect(answer.json()).toMatchObject({ success: false, status: 413 });
    });

    it('answers an unknown host in its own shape too', async () => {
      const answer = await post('auth_mode=apikey', FORM, '/iam/login', 'elsewhere.example');
      expect(answer.json()).toMatchObject({ success: false, status: 421 });
    });
  });

  describe('with anything wrong', () => {
    it('answers the same 401, to the byte, whatever the reason, and tells the counters the real one', async () => {
      const good = await mint();
      const [expired, disabled, elsewhere] = [
        await mint({ lifetimeDays: 1 }),
        await mint(),
        await mint({ ipRanges: ['10.0.0.0/8'] }),
      ];
      harness.clock.advance(DAY_MS);
      await asAdmin('POST', `/v1/keys/${disabled.apiKey}/disable`, {});
      const other = await mint();
      const cases: Minted[] = [
        { ...good, secretKey: other.secretKey },
        { ...good, secretKey: `${good.secretKey.slice(0, -1)}!` },
        { ...good, apiKey: other.apiKey },
        { ...good, apiKey: 'nothing-like-a-key' },
        { ...good, apiKey: "' OR 1=1 --" },
        expired,
        disabled,
        elsewhere,
      ];
      for (const one of cases) {
        for (const body of [curlBody(one), pythonBody(one)]) {
          const answer = await post(body);
          expect(answer.statusCode).toBe(401);
          expect(withoutDuration(answer.body)).toBe(UNAUTHORIZED);
          // A `Basic` challenge would open a sign-in window in browsers.
          expect(answer.headers['www-authenticate']).toBe('Bearer realm="keyreeve"');
        }
      }
      await harness.deps.usage.flush();
      const since = harness.clock.now() - HOUR_MS;
      const outcomesOf = async (keyId: string) =>
        (await harness.deps.usage.listHours(harness.deps.defaultWorkspace.id, keyId, since)).map(
          ({ outcome, count }) => ({ outcome, count }),
        );
      expect(await outcomesOf(expired.apiKey)).toEqual([{ outcome: 'expired', count: 2 }]);
      expect(await outcomesOf(disabled.apiKey)).toEqual([{ outcome: 'disabled', count: 2 }]);
      expect(await outcomesOf(elsewhere.apiKey)).toEqual([{ outcome: 'ip_not_allowed', count: 2 }]);
      expect(await outcomesOf(good.apiKey)).toEqual([]);
    });

    it('says how long it took, in seconds', async () => {
      const { duration } = (await post('auth_mode=apikey&apikey=a&secretkey=b')).json<{ duration: number }>();
      expect(duration).toBeGreaterThanOrEqual(0);
      expect(duration).toBeLessThan(5);
    });

    it('never writes the secret to the log', async () => {
      const minted = await mint();
      await login(minted);
      await post(curlBody({ ...minted, apiKey: 'kr_0000000000000000' }));
      expect(harness.logLines.join('\n')).not.toContain(minted.secretKey);
    });
  });

  describe('in another workspace', () => {
    it('does not know the keys and tokens of this one', async () => {
      await harness.deps.workspaces.create(company.adminCaller, {
        name: 'Other',
        subdomain: 'other',
        aliases: [],
      });
      const minted = await mint();
      const { token } = (await login(minted)).json<Session>();
      const elsewhere = await post(pythonBody(minted), FORM, '/iam/login', 'other.keys.test');
      expect(withoutDuration(elsewhere.body)).toBe(UNAUTHORIZED);
      const check = (host: string) =>
        harness.app.inject({
          url: '/iam/v4/checkSession',
          headers: { host, authorization: `Bearer ${token}` },
        });
      expect((await check('localhost')).statusCode).toBe(200);
      expect((await check('other.keys.test')).statusCode).toBe(401);
      const self = await harness.app.inject({
        url: '/v1/keys/self',
        headers: { host: 'other.keys.test', authorization: `Bearer ${token}` },
      });
      expect(self.statusCode).toBe(401);
    });
  });
});
