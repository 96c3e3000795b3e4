import {
  type Company,
  call,
  createTestClock,
  createTestDatabase,
  exchangeToken,
  getToken,
  type Harness,
  postForm,
  seedCompany,
  startHarness,
  testEngine,
} from '@keyreeve/testkit';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** What rule 13 of the design allows on every other node. */
const REVOKED_WITHIN_MS = 2_000;

interface Item {
  readonly kid: string;
  readonly state: string;
  readonly rotatesAt: string | null;
  readonly retiresAt: string | null;
}

let one: Harness;
let two: Harness;
let company: Company;
let minted: { readonly apiKey: string; readonly secretKey: string };

beforeAll(async () => {
  const shared = {
    database: await createTestDatabase({ isMigrated: true }),
    clock: createTestClock(),
    masterKey: Buffer.alloc(32, 7).toString('base64'),
  };
  [one, two] = [await startHarness(shared), await startHarness(shared)];
  company = await seedCompany(one);
  const body = { comment: 'CI', access: 'account' };
  minted = (
    await call(one, 'POST', `/v1/accounts/${company.member.id}/keys`, { key: company.adminKey, body })
  ).json();
});
afterAll(async () => {
  await two.app.close();
  await two.deps.close();
  await one.close();
});

async function login(at: Harness = one): Promise<string> {
  const answer = await at.app.inject({
    method: 'POST',
    url: '/iam/login',
    payload: JSON.stringify({
      auth_mode: 'apikey',
      apikey: minted.apiKey,
      secretkey: minted.secretKey,
    }),
    headers: { host: 'localhost' },
  });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<{ token: string }>().token;
}
const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? '';
const check = async (token: string, at: Harness = one): Promise<number> =>
  (
    await at.app.inject({
      url: '/iam/v4/checkSession',
      headers: { host: 'localhost', authorization: `Bearer ${token}` },
    })
  ).statusCode;
const list = async (): Promise<Item[]> =>
  (await call(one, 'GET', '/v1/signing-keys', { key: company.adminKey })).json<{ items: Item[] }>().items;
const rotate = (at: Harness = one) => call(at, 'POST', '/v1/signing-keys/rotate', { key: company.adminKey });
const retire = (kid: string, at: Harness = one) =>
  call(at, 'POST', `/v1/signing-keys/${kid}/retire`, { key: company.adminKey });
const stateOf = async (kid: string) => (await list()).find((item) => item.kid === kid)?.state;
const fetchKids = async (at: Harness): Promise<string[]> =>
  (await at.app.inject({ url: '/.well-known/jwks.json', headers: { host: 'localhost' } }))
    .json<{ keys: { kid: string }[] }>()
    .keys.map((key) => key.kid);

async function waitFor(ask: () => Promise<number>, status: number): Promise<void> {
  const startedAt = performance.now();
  while ((await ask()) !== status) expect(performance.now() - startedAt).toBeLessThan(REVOKED_WITHIN_MS);
}

describe('retiring the signing key at once', () => {
  it('ends its tokens: here with the answer, on another node within two seconds', async () => {
    const token = await login();
    expect([await check(token), await check(token, two)]).toEqual([200, 200]);
    const answer = await retire(kidOf(token));
    const retiredAt = performance.now();
    expect(answer.statusCode, answer.body).toBe(200);
    expect(await check(token)).toBe(401);
    await waitFor(() => check(token, two), 401);
    if (testEngine() === 'sqlite') expect(performance.now() - retiredAt).toBeLessThan(500);
  });

  it('lets a successor sign at once on every node: no login fails, and no new token is refused', async () => {
    const before = await login(two);
    const { signing } = (await retire(kidOf(before))).json<{ signing: Item }>();
    for (const at of [two, one]) {
      const token = await login(at);
      expect(kidOf(token)).toBe(signing.kid);
      expect([await check(token, one), await check(token, two)]).toEqual([200, 200]);
    }
    expect(await fetchKids(two)).toEqual([signing.kid]);
  });

  it('prefers a successor that was published already, which then signs before its time', async () => {
    const before = kidOf(await login());
    const waiting = (await rotate()).json<Item>();
    expect(waiting.state).toBe('waiting');
    const { signing } = (await retire(before)).json<{ signing: Item }>();
    expect(signing).toMatchObject({ kid: waiting.kid, state: 'signing', retiresAt: null });
    expect(kidOf(await login(two))).toBe(waiting.kid);
  });

  it('destroys its private half with the same commit', async () => {
    const kid = kidOf(await login());
    await retire(kid);
    const row = await one.deps.storage.read
      .selectFrom('signing_keys')
      .select('sealed_private_jwk')
      .where('kid', '=', kid)
      .executeTakeFirstOrThrow();
    expect(row.sealed_private_jwk).toBe('');
  });

  it('leaves a key that only verifies with its end, and the next one with none', async () => {
    const old = kidOf(await login());
    await rotate();
    one.clock.advance(20 * MINUTE_MS);
    const present = kidOf(await login());
    expect([await stateOf(old), await stateOf(present)]).toEqual(['verifying', 'signing']);
    const end = (await list()).find((item) => item.kid === old)?.retiresAt;
    await retire(present);
    // The old one must not sign again: its tokens would die with it, before their time.
    expect(kidOf(await login())).not.toBe(old);
    expect((await list()).find((item) => item.kid === old)?.retiresAt).toBe(end);
  });
});

describe('what was exchanged for a token of a retired key', () => {
  it('ends with it, though a newer key has signed it: who has the old one could save his forgeries', async () => {
    const { access_token: subject } = await getToken(one, minted);
    await rotate();
    one.clock.advance(20 * MINUTE_MS);
    const { access_token: child } = await exchangeToken(one, subject);
    const { access_token: grandchild } = await exchangeToken(one, child);
    expect(kidOf(child)).not.toBe(kidOf(subject));
    expect([await check(child), await check(grandchild)]).toEqual([200, 200]);
    // On PostgreSQL that node looks for keys that it does not know once a second, and 20 minutes have not passed there.
    await waitFor(() => check(child, two), 200);
    await retire(kidOf(subject));
    expect([await check(subject), await check(child), await check(grandchild)]).toEqual([401, 401, 401]);
    await waitFor(() => check(child, two), 401);
    const asked = await postForm(one, '/oauth2/introspect', { token: grandchild }, { basic: minted });
    expect(asked.body).toBe('{"active":false}');
  });

  it('names no key where one has signed all of them', async () => {
    const { access_token: subject } = await getToken(one, minted);
    const { access_token: child } = await exchangeToken(one, subject);
    expect(decodeJwt(child)).not.toHaveProperty('anckid');
  });
});

describe('a clock that is behind', () => {
  it('refuses no login while a key of another node lies in its future', async () => {
    // Nothing is left that has signed before.
    one.clock.advance(2 * DAY_MS);
    const { signing } = (await retire(kidOf(await login()))).json<{ signing: Item }>();
    one.clock.advance(-5_000);
    const token = await login(two);
    expect([kidOf(token), await check(token)]).toEqual([signing.kid, 200]);
    expect(await stateOf(signing.kid)).toBe('signing');
    expect(await fetchKids(two)).toEqual([signing.kid]);
    one.clock.advance(5_000);
  });
});

describe('retiring a key that waits', () => {
  it('takes its end from the present key, which then signs on for good', async () => {
    const present = kidOf(await login());
    const waiting = (await rotate()).json<Item>();
    const { signing } = (await retire(waiting.kid)).json<{ signing: Item }>();
    expect(signing).toMatchObject({ kid: present, state: 'signing', retiresAt: null });
    one.clock.advance(2 * DAY_MS);
    expect(kidOf(await login())).toBe(present);
  });
});

describe('two nodes at once', () => {
  it('publish one successor, retire a key once, and agree on who signs', async () => {
    await retire(kidOf(await login()));
    const kid = kidOf(await login());
    const rotations = await Promise.all([rotate(one), rotate(two), rotate(one), rotate(two)]);
    expect(rotations.map((answer) => answer.statusCode).toSorted((a, b) => a - b)).toEqual([
      201, 409, 409, 409,
    ]);
    const retirements = await Promise.all([retire(kid, one), retire(kid, two)]);
    expect(retirements.map((answer) => answer.statusCode).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const signers = await Promise.all([login(one), login(two)]);
    expect(new Set(signers.map(kidOf)).size).toBe(1);
    const states = (await list()).map((item) => item.state);
    expect(states.filter((state) => state === 'signing' || state === 'waiting')).toEqual(['signing']);
    one.clock.advance(MINUTE_MS);
  });
});

describe('what cannot be retired or rotated', () => {
  it('is told apart: unknown, of another workspace, retired already, a successor waiting', async () => {
    const kid = kidOf(await login());
    await retire(kid);
    const codes = [];
    for (const answer of [await retire(kid), await retire('A'.repeat(43)), await rotate(), await rotate()]) {
      codes.push([answer.statusCode, answer.json<{ code?: string }>().code]);
    }
    expect(codes).toEqual([
      [409, 'signing_key.already_retired'],
      [404, 'request.not_found'],
      [201, undefined],
      [409, 'signing_key.successor_waiting'],
    ]);
  });
});

describe('the list', () => {
  it('names each key with its state and dates, newest first, and never a private member', async () => {
    const answer = await call(one, 'GET', '/v1/signing-keys?limit=2', { key: company.adminKey });
    const page = answer.json<{ items: Item[]; nextCursor: string }>();
    expect(page.items.map((item) => item.state)).toEqual(['waiting', 'signing']);
    expect(answer.body).not.toContain('dk_');
    const next = await call(one, 'GET', `/v1/signing-keys?cursor=${page.nextCursor}`, {
      key: company.adminKey,
    });
    const kids = [...page.items, ...next.json<{ items: Item[] }>().items].map((item) => item.kid);
    expect(new Set(kids).size).toBe(kids.length);
    expect(kids).toEqual((await list()).map((item) => item.kid));
  });

  it('leaves an audit row for each key made and each retired at once', async () => {
    const rows = await one.deps.storage.read
      .selectFrom('audit')
      .select(['action', 'actor_id', 'detail'])
      .where('action', '=', 'signing_key.retired')
      .execute();
    expect(rows.length).toBeGreaterThanOrEqual(5);
    for (const row of rows) {
      expect(row.actor_id).toBe(company.admin.id);
      expect(JSON.parse(row.detail)).toEqual({
        algorithm: 'ES256',
        successor: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      });
    }
  });
});
