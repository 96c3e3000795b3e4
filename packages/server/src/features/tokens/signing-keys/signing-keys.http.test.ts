import {
  type Company,
  call,
  createTestClock,
  createTestDatabase,
  type Harness,
  seedCompany,
  startHarness,
} from '@keyreeve/testkit';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Storage } from '../../../storage/index.ts';
import { createSigningKeys } from './signing-keys.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Minted {
  readonly apiKey: string;
  readonly secretKey: string;
}

describe('the signing keys of a workspace', () => {
  let harness: Harness;
  let company: Company;
  let minted: Minted;

  beforeAll(async () => {
    harness = await startHarness();
    company = await seedCompany(harness);
    minted = await mint(harness);
  });
  afterAll(() => harness.close());

  const mint = async (at: Harness): Promise<Minted> =>
    (
      await call(at, 'POST', `/v1/accounts/${company.member.id}/keys`, {
        key: company.adminKey,
        body: { comment: 'CI', access: 'account' },
      })
    ).json<Minted>();
  const login = async (at: Harness = harness): Promise<string> => {
    const payload = JSON.stringify({
      auth_mode: 'apikey',
      apikey: minted.apiKey,
      secretkey: minted.secretKey,
    });
    const answer = await at.app.inject({
      method: 'POST',
      url: '/iam/login',
      payload,
      headers: { host: 'localhost' },
    });
    expect(answer.statusCode, answer.body).toBe(200);
    return answer.json<{ token: string }>().token;
  };
  const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? '';
  const fetchJwks = async (host = 'localhost', at: Harness = harness): Promise<JSONWebKeySet> => {
    const answer = await at.app.inject({ url: '/.well-known/jwks.json', headers: { host } });
    expect(answer.statusCode, answer.body).toBe(200);
    return answer.json<JSONWebKeySet>();
  };
  const etagOfJwks = async () =>
    (await harness.app.inject({ url: '/.well-known/jwks.json', headers: { host: 'localhost' } })).headers[
      'etag'
    ];
  const verifyOffline = (token: string, jwks: JSONWebKeySet) =>
    jwtVerify(token, createLocalJWKSet(jwks), {
      issuer: 'http://localhost:8080',
      audience: 'http://localhost:8080',
      typ: 'at+jwt',
      currentDate: new Date(harness.clock.now()),
    });
  const check = async (token: string, at: Harness = harness): Promise<number> =>
    (
      await at.app.inject({
        url: '/iam/v4/checkSession',
        headers: { host: 'localhost', authorization: `Bearer ${token}` },
      })
    ).statusCode;
  const rotate = () => harness.deps.signingKeys.rotate(company.adminCaller);

  it('are published for all origins before the first token exists, and cached for five minutes', async () => {
    const answer = await harness.app.inject({
      url: '/.well-known/jwks.json',
      headers: { host: 'localhost' },
    });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=300',
      'content-type': 'application/json; charset=utf-8',
    });
    const again = await harness.app.inject({
      url: '/.well-known/jwks.json',
      headers: { host: 'localhost', 'if-none-match': String(answer.headers['etag']) },
    });
    expect([again.statusCode, again.body, again.headers['cache-control']]).toEqual([
      304,
      '',
      'public, max-age=300',
    ]);
    const { keys } = answer.json<JSONWebKeySet>();
    expect(keys).toHaveLength(1);
    expect(kidOf(await login())).toBe(keys[0]?.kid);
  });

  it('show their public half only, each with alg, use and kid', async () => {
    for (const jwk of (await fetchJwks()).keys) {
      expect(Object.keys(jwk).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      expect(jwk).toMatchObject({ alg: 'ES256', use: 'sig', kty: 'EC', crv: 'P-256' });
    }
  });

  it('are stored sealed', async () => {
    const rows = await harness.deps.storage.read.selectFrom('signing_keys').selectAll().execute();
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row.sealed_private_jwk).toMatch(/^dk_\w+:[\w-]+$/);
      expect(JSON.stringify(row)).not.toMatch(/"d\\?":/);
    }
  });

  it('let anybody check a token offline', async () => {
    const { payload } = await verifyOffline(await login(), await fetchJwks());
    expect(payload.sub).toBe(company.member.id);
  });

  it('differ between workspaces', async () => {
    await harness.deps.workspaces.create(company.adminCaller, {
      name: 'Other',
      subdomain: 'other',
      aliases: [],
    });
    const [own, others] = [await fetchJwks(), await fetchJwks('other.keys.test')];
    expect(others.keys).toHaveLength(1);
    expect(others.keys[0]?.kid).not.toBe(own.keys[0]?.kid);
    await expect(verifyOffline(await login(), others)).rejects.toThrow();
  });

  it('rotate with an overlap: published, active after 20 minutes, the old one gone a day later', async () => {
    const before = await login();
    const cached = await fetchJwks();
    const etag = await etagOfJwks();
    await rotate();
    expect(await etagOfJwks()).not.toBe(etag);
    await expect(rotate()).rejects.toMatchObject({ code: 'signing_key.successor_waiting' });
    const published = await fetchJwks();
    expect(published.keys).toHaveLength(2);
    expect(kidOf(await login())).toBe(kidOf(before));
    harness.clock.advance(20 * MINUTE_MS - 1);
    // Somebody who fetched the keys just before the rotation can still check every token.
    await verifyOffline(await login(), cached);
    harness.clock.advance(1);
    const after = await login();
    expect(kidOf(after)).not.toBe(kidOf(before));
    await verifyOffline(after, published);
    expect(await check(before)).toBe(200);
    expect(await check(after)).toBe(200);
    harness.clock.advance(DAY_MS - 1);
    expect((await fetchJwks()).keys).toHaveLength(2);
    harness.clock.advance(MINUTE_MS + 1);
    const late = await fetchJwks();
    expect(late.keys.map((jwk) => jwk.kid)).toEqual([kidOf(after)]);
    const readRows = () =>
      harness.deps.storage.read
        .selectFrom('signing_keys')
        .select(['kid', 'sealed_private_jwk'])
        .where('workspace_id', '=', harness.deps.defaultWorkspace.id)
        .orderBy('activates_at')
        .execute();
    harness.clock.advance(DAY_MS);
    await harness.deps.tokens.sweep();
    // Administrators still see the retired key, whose private half is gone.
    expect(await readRows()).toMatchObject([
      { kid: kidOf(before), sealed_private_jwk: '' },
      { kid: kidOf(after), sealed_private_jwk: expect.stringMatching(/^dk_/) as unknown },
    ]);
    harness.clock.advance(30 * DAY_MS);
    await harness.deps.tokens.sweep();
    expect((await readRows()).map((row) => row.kid)).toEqual([kidOf(after)]);
  });

  it('never check a token by a key that has retired, although the token is not over', async () => {
    await harness.deps.settings.update(company.adminCaller, { tokenLifetimeSeconds: 86_400 }, null);
    const token = await login();
    const { storage, clock } = harness.deps;
    await storage.write
      .updateTable('signing_keys')
      .set({ retires_at: clock.now() + 1.5 * MINUTE_MS })
      .where('kid', '=', kidOf(token))
      .execute();
    harness.clock.advance(MINUTE_MS);
    expect(await check(token)).toBe(200);
    harness.clock.advance(0.5 * MINUTE_MS);
    // The row was changed behind the back of the process: on PostgreSQL it learns of that within a second.
    await vi.waitFor(async () => expect(await check(token)).toBe(401), { timeout: 2_000, interval: 50 });
    await harness.deps.settings.update(company.adminCaller, { tokenLifetimeSeconds: 3600 }, null);
  });

  it('are replaced by themselves after 90 days', async () => {
    const before = kidOf(await login());
    harness.clock.advance(90 * DAY_MS);
    expect(kidOf(await login())).toBe(before);
    harness.clock.advance(20 * MINUTE_MS);
    expect(kidOf(await login())).not.toBe(before);
  });

  it('are replaced after the days of the setting by a job, although nobody logs in', async () => {
    const { settings, signingKeys } = harness.deps;
    await settings.update(company.adminCaller, { signingKeyDays: 7 }, null);
    const before = kidOf(await login());
    const runJob = () => signingKeys.rotateDue(new AbortController().signal);
    const countKeys = async () => (await signingKeys.list(company.adminCaller, { limit: 200 })).items.length;
    const count = await countKeys();
    harness.clock.advance(7 * DAY_MS - 1);
    await runJob();
    expect(await countKeys()).toBe(count);
    harness.clock.advance(1);
    await Promise.all([runJob(), runJob()]);
    await runJob();
    expect(await countKeys()).toBe(count + 1);
    harness.clock.advance(20 * MINUTE_MS);
    expect(kidOf(await login())).not.toBe(before);
    await settings.update(company.adminCaller, { signingKeyDays: 90 }, null);
  });

  it('end with the algorithm that the setting came back to, and make no key at each login until then', async () => {
    const { settings, storage } = harness.deps;
    const countKeys = async () =>
      (await storage.read.selectFrom('signing_keys').select('kid').execute()).length;
    for (const signingAlgorithm of ['EdDSA', 'RS256', 'EdDSA'] as const) {
      await settings.update(company.adminCaller, { signingAlgorithm }, null);
      await login();
      harness.clock.advance(MINUTE_MS);
    }
    const count = await countKeys();
    await login();
    expect(await countKeys()).toBe(count);
    harness.clock.advance(20 * MINUTE_MS);
    expect(decodeProtectedHeader(await login()).alg).toBe('EdDSA');
    await settings.update(company.adminCaller, { signingAlgorithm: 'ES256' }, null);
    await login();
    harness.clock.advance(20 * MINUTE_MS);
    expect(decodeProtectedHeader(await login()).alg).toBe('ES256');
  });

  it.each(['EdDSA', 'RS256', 'ES256'] as const)(
    'change to %s by setting, with the same overlap',
    async (algorithm) => {
      const before = await login();
      await harness.deps.settings.update(company.adminCaller, { signingAlgorithm: algorithm }, null);
      expect(kidOf(await login())).toBe(kidOf(before));
      harness.clock.advance(20 * MINUTE_MS);
      const after = await login();
      expect(decodeProtectedHeader(after).alg).toBe(algorithm);
      await verifyOffline(after, await fetchJwks());
      expect([await check(before), await check(after)]).toEqual([200, 200]);
    },
  );

  it('survive a restart', async () => {
    const token = await login();
    harness = await harness.restart();
    expect(await check(token)).toBe(200);
    expect(kidOf(await login())).toBe(kidOf(token));
  });

  it('are not looked for in the database again and again for ids that nobody knows', async () => {
    let reads = 0;
    const { storage, clock, keyring, audit, defaultWorkspace } = harness.deps;
    const read = new Proxy(storage.read, {
      get: (target, name) => {
        if (name === 'selectFrom') reads += 1;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const counted: Storage = { ...storage, read };
    const keys = createSigningKeys({ storage: counted, clock, keyring, audit });
    for (let index = 0; index < 10_000; index += 1) {
      expect(await keys.findVerifier(defaultWorkspace.id, String(index).padStart(43, 'A'))).toBeNull();
    }
    expect(reads).toBeLessThanOrEqual(2);
  });
});

describe('two processes on one database', () => {
  it('that both need the first signing key make one, and know each other’s tokens at once', async () => {
    const database = await createTestDatabase();
    const clock = createTestClock();
    const options = { database, clock, masterKey: Buffer.alloc(32, 7).toString('base64') };
    const [one, two] = [await startHarness(options), await startHarness(options)];
    const seeded = await seedCompany(one);
    const body = { comment: 'CI', access: 'account' };
    const { apiKey, secretKey } = (
      await call(one, 'POST', `/v1/accounts/${seeded.member.id}/keys`, { key: seeded.adminKey, body })
    ).json<Minted>();
    const login = async (at: Harness) => {
      const payload = JSON.stringify({ auth_mode: 'apikey', apikey: apiKey, secretkey: secretKey });
      return (
        await at.app.inject({ method: 'POST', url: '/iam/login', payload, headers: { host: 'localhost' } })
      ).json<{ token: string }>().token;
    };
    const tokens = await Promise.all([login(one), login(two), login(one), login(two)]);
    expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1);
    const made = await one.deps.storage.read.selectFrom('signing_keys').select('kid').execute();
    expect(made).toHaveLength(1);
    for (const token of tokens) {
      for (const at of [one, two]) {
        const answer = await at.app.inject({
          url: '/iam/v4/checkSession',
          headers: { host: 'localhost', authorization: `Bearer ${token}` },
        });
        expect(answer.statusCode).toBe(200);
      }
    }
    await two.app.close();
    await two.deps.close();
    await one.close();
  });
});
