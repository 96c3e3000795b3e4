import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Company, call, describeOn, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';

let harness: Harness;
let company: Company;
let minted: Awaited<ReturnType<Harness['deps']['keys']['create']>>;

beforeAll(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  minted = await harness.deps.keys.create(company.memberCaller, company.member.id, {
    comment: 'CI',
    access: 'account',
    lifetimeDays: 90,
  });
});
afterAll(() => harness.close());

async function askWithKey() {
  const key = minted.fullKey.reveal();
  const login = {
    auth_mode: 'apikey',
    apikey: minted.key.id,
    secretkey: minted.secretKey.reveal(),
  };
  const answers = {
    self: await call(harness, 'GET', '/v1/keys/self', { key }),
    authorize: await call(harness, 'GET', '/v1/authorize', { key }),
    refused: await call(harness, 'GET', '/v1/audit', { key }),
    login: await harness.app.inject({ method: 'POST', url: '/iam/login', payload: login }),
  };
  return Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [name, answer.headers['keyreeve-key-expires']]),
  );
}

it('a key that is about to expire hears of it with each answer, from the first notice day on', async () => {
  const nothing = { self: undefined, authorize: undefined, refused: undefined, login: undefined };
  expect(await askWithKey()).toEqual(nothing);
  harness.clock.set((minted.key.current.expiresAt ?? 0) - 10 * DAY_MS - 1);
  expect(await askWithKey()).toEqual(nothing);
  harness.clock.advance(1 + 10_000);
  const instant = new Date(minted.key.current.expiresAt ?? 0).toISOString();
  expect(await askWithKey()).toEqual({ self: instant, authorize: instant, refused: instant, login: instant });
});

it('nobody else gets the header: without the secret there is no telling that the key is about to expire', async () => {
  const { id } = minted.key;
  const other = await harness.deps.keys.create(company.memberCaller, company.member.id, {
    comment: 'other',
    access: 'account',
    lifetimeDays: 365,
  });
  harness.clock.set((minted.key.current.expiresAt ?? 0) - HOUR_MS);
  const wrongSecret = other.secretKey.reveal();
  const login = { auth_mode: 'apikey', apikey: id, secretkey: wrongSecret };
  const answers = [
    await harness.app.inject({ method: 'GET', url: '/healthz' }),
    await call(harness, 'GET', '/v1/authorize', { key: `${id}_${wrongSecret}` }),
    await call(harness, 'GET', '/v1/authorize', { key: other.fullKey.reveal() }),
    await call(harness, 'GET', '/v1/keys/self', { key: `${id}_${wrongSecret}` }),
    await harness.app.inject({ method: 'POST', url: '/iam/login', payload: login }),
    await harness.app.inject({
      method: 'PUT',
      url: '/api/v2/package',
      headers: { 'x-nuget-apikey': `${id}_${wrongSecret}` },
    }),
  ];
  for (const { headers } of answers) {
    expect(headers['keyreeve-key-expires']).toBeUndefined();
    expect(headers['x-nuget-warning']).toBeUndefined();
  }
  const holder = await call(harness, 'GET', '/v1/authorize', { key: minted.fullKey.reveal() });
  expect(holder.headers['keyreeve-key-expires']).toBe(
    new Date(minted.key.current.expiresAt ?? 0).toISOString(),
  );
});

describeOn('sqlite', 'an answer', () => {
  it('is not spoiled by a hint that cannot be looked up: it comes without one', async () => {
    const database = new DatabaseSync(join(harness.database.dataDir, 'keyreeve.db'));
    // What was remembered of the settings has run out.
    harness.clock.advance(60_000);
    database.exec('alter table settings rename to away');
    const key = minted.fullKey.reveal();
    const answer = await call(harness, 'GET', '/v1/authorize?action=iam:keys:read', { key });
    const fault = await call(harness, 'GET', '/v1/keys/self', { key });
    database.exec('alter table away rename to settings');
    database.close();
    expect(answer.statusCode, answer.body).toBe(403);
    expect(answer.headers['keyreeve-key-expires']).toBeUndefined();
    // The fault of a route that needs the settings itself is told as every other one.
    expect(fault.json()).toMatchObject({ status: 500, code: 'request.internal' });
  });
});
