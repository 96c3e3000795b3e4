import type { Account } from '@keyreeve/server';
import { type Company, call, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, toIso } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { newSecretKey, toFullKey } from './key-format.ts';

interface Overview {
  hours: number;
  generatedAt: string;
  noticeDays: number;
  keys: Record<string, number | boolean>;
  expiringByDay: { day: string; count: number }[];
  nextToStop: {
    id: string;
    comment: string;
    account: object;
    expiresAt: string;
    lastUsedAt: string | null;
  }[];
  verifications: { hour: string; accepted: number; refused: number }[];
  refusals: { reason: string; count: number }[];
}

let harness: Harness;
let company: Company;
beforeEach(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterEach(() => harness.close());

async function mint(comment: string, lifetimeDays: number, account: Account = company.member) {
  const minted = await harness.deps.keys.create(company.adminCaller, account.id, {
    comment,
    access: 'account',
    lifetimeDays,
  });
  return { id: minted.key.id, fullKey: minted.fullKey.reveal() };
}

const disable = (id: string) => harness.deps.keys.disable(company.adminCaller, id, null);
const present = (key: string, query = '') => call(harness, 'GET', `/v1/authorize${query}`, { key });
const presentOften = async (key: string, times: number) => {
  for (let time = 0; time < times; time += 1) await present(key);
};

/** What the console of a person shows, by the service; the routes are asked with keys. */
async function overviewOf(caller: Company['adminCaller'], hours = 168) {
  await harness.deps.usage.flush();
  await harness.deps.audit.flush();
  return await harness.deps.overview.read(caller, hours);
}

/** A key that sees all keys, but is of an account of its own, whose use is not counted before it asks. */
async function read(query = '?hours=168', key = company.adminKey): Promise<Overview> {
  await harness.deps.usage.flush();
  await harness.deps.audit.flush();
  const answer = await call(harness, 'GET', `/v1/overview${query}`, { key });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Overview>();
}

describe('the keys of an overview', () => {
  it('are told by state, and by whether anybody needs them', async () => {
    const old = await mint('old, used once', 365);
    await presentOften(old.fullKey, 1);
    await mint('old, never used', 365);
    harness.clock.advance(91 * DAY_MS);
    const called = await mint('expired, still called', 1);
    await mint('expired, forgotten', 1);
    harness.clock.advance(DAY_MS);
    await presentOften(called.fullKey, 2);
    await mint('expiring', 1);
    const used = await mint('used', 90);
    await presentOften(used.fullKey, 1);
    await disable((await mint('disabled', 90)).id);
    await disable((await mint('disabled, about to expire', 1)).id);
    const { keys, noticeDays, generatedAt, hours } = await read();
    expect(keys).toEqual({
      // With the key that asks, which works and has been used.
      total: 9,
      working: 5,
      expiring: 1,
      expired: 2,
      expiredStillCalled: 1,
      disabled: 2,
      neverUsed: 2,
      unusedFor90Days: 2,
      isPartial: false,
    });
    expect({ noticeDays, hours, generatedAt }).toEqual({
      noticeDays: 10,
      hours: 168,
      generatedAt: toIso(harness.clock.now()),
    });
  });

  it('are those that the lists of keys show', async () => {
    await mint('never', 180);
    const forgotten = await mint('called once, long ago', 1);
    harness.clock.advance(2 * DAY_MS);
    await presentOften(forgotten.fullKey, 1);
    harness.clock.advance(88 * DAY_MS);
    const called = await mint('expired, still called', 1);
    harness.clock.advance(DAY_MS);
    await presentOften(called.fullKey, 1);
    await mint('new', 1);
    const { keys } = await read();
    const count = async (query: string) =>
      (await call(harness, 'GET', `/v1/keys?${query}`, { key: company.adminKey })).json<{ items: object[] }>()
        .items.length;
    const since = toIso(harness.clock.now() - 90 * DAY_MS);
    const lastWeek = toIso(harness.clock.now() - 7 * DAY_MS);
    expect(keys).toMatchObject({
      expiredStillCalled: await count(`status=expired&stillCalledSince=${lastWeek}`),
      working: await count('status=working'),
      expiring: await count('status=expiring'),
      neverUsed: await count('status=working&neverUsed=true'),
      unusedFor90Days: await count(`status=working&unusedSince=${since}`),
    });
    expect(keys).toMatchObject({ expired: 2, expiredStillCalled: 1, neverUsed: 2, unusedFor90Days: 1 });
  });

  it('stop being called when nobody has called them within the hours that are asked for', async () => {
    const { fullKey } = await mint('expired', 1);
    harness.clock.advance(DAY_MS);
    await presentOften(fullKey, 1);
    harness.clock.advance(DAY_MS);
    expect((await read('?hours=168')).keys).toMatchObject({ expired: 1, expiredStillCalled: 1 });
    harness.clock.advance(1);
    expect((await read('?hours=24')).keys).toMatchObject({ expired: 1, expiredStillCalled: 0 });
  });

  it('are no longer called as expired ones once they have a new secret', async () => {
    const { id, fullKey } = await mint('expired', 1);
    harness.clock.advance(DAY_MS);
    await presentOften(fullKey, 1);
    await harness.deps.keys.regenerate(company.memberCaller, id, {});
    expect((await read()).keys).toMatchObject({ expired: 0, expiredStillCalled: 0 });
  });

  it('are counted over the end of a stretch', async () => {
    const { storage } = harness.deps;
    const row = await storage.read.selectFrom('api_keys').selectAll().executeTakeFirstOrThrow();
    const rows = Array.from({ length: 4_500 }, (_, index) => ({
      ...row,
      id: `kr_many${String(index).padStart(12, '0')}`,
      expires_at: index % 3 === 0 ? harness.clock.now() : index % 3 === 1 ? null : row.expires_at,
      state: index % 5 === 0 ? 'disabled' : 'active',
    }));
    for (let from = 0; from < rows.length; from += 250)
      await storage.write
        .insertInto('api_keys')
        .values(rows.slice(from, from + 250))
        .execute();
    expect((await read()).keys).toMatchObject({
      total: 4_501,
      working: 2_401,
      expired: 1_200,
      disabled: 900,
      neverUsed: 2_400,
      isPartial: false,
    });
    const ofAdmin = { ...company.adminCaller.principal, account: { ...company.admin, role: 'member' } };
    const asMember = { ...company.adminCaller, principal: ofAdmin } as Company['adminCaller'];
    const { keys } = await overviewOf(asMember);
    expect(keys).toMatchObject({ total: 4_501, working: 2_401, expired: 1_200, disabled: 900 });
  });
});

describe('the days and the keys that come next', () => {
  it('name the UTC days of the next 60 on which working keys stop', async () => {
    await harness.deps.settings.update(
      company.adminCaller,
      { customLifetimes: true, expiryNoticeDays: [3] },
      null,
    );
    const day = (days: number) => toIso(harness.clock.now() + days * DAY_MS).slice(0, 10);
    await mint('today + 1', 1);
    await mint('today + 1', 1);
    await mint('today + 59', 59);
    await mint('today + 60', 60);
    await disable((await mint('disabled', 5)).id);
    expect((await read()).expiringByDay).toEqual([
      { day: day(1), count: 2 },
      { day: day(59), count: 1 },
    ]);
    harness.clock.advance(DAY_MS);
    // The two have expired; the day that was out of sight has come into it.
    expect((await read()).expiringByDay).toEqual([
      { day: day(58), count: 1 },
      { day: day(59), count: 1 },
    ]);
  });

  it('name the five working keys that stop first, with whose they are and their last use', async () => {
    await harness.deps.settings.update(company.adminCaller, { customLifetimes: true }, null);
    for (const days of [7, 3, 6, 4, 8, 5]) await mint(`in ${days} days`, days);
    const { fullKey } = await mint('in 2 days', 2, company.robot);
    await presentOften(fullKey, 1);
    await disable((await mint('disabled', 1)).id);
    await mint('expired', 1);
    harness.clock.advance(DAY_MS);
    const { nextToStop } = await read();
    expect(nextToStop.map((key) => key.comment)).toEqual([
      'in 2 days',
      'in 3 days',
      'in 4 days',
      'in 5 days',
      'in 6 days',
    ]);
    expect(nextToStop[0]).toMatchObject({
      account: { id: company.robot.id, kind: 'service', displayName: 'Build robot' },
      expiresAt: toIso(harness.clock.now() + DAY_MS),
      lastUsedAt: toIso(harness.clock.now() - DAY_MS),
    });
    expect(nextToStop[1]).toMatchObject({ lastUsedAt: null });
  });
});

describe('the verifications of an overview', () => {
  /** The key that asks is used too; the person at the console is not a verification. */
  const asAdmin = (hours?: number) => overviewOf(company.adminCaller, hours);
  const hourNow = () => Math.floor(harness.clock.now() / HOUR_MS);

  it('are told hour by hour, accepted and refused, and refusals by their reasons', async () => {
    const { id, fullKey } = await mint('CI', 90);
    const first = hourNow();
    await presentOften(fullKey, 3);
    harness.clock.advance(5 * HOUR_MS);
    await disable(id);
    await presentOften(fullKey, 2);
    const unknown = toFullKey(id, newSecretKey(systemRandom, id)).reveal();
    await presentOften(unknown, 4);
    await call(harness, 'POST', '/v1/keys/verify', { key: company.adminKey, body: { key: unknown } });
    await call(harness, 'POST', '/v1/keys/verify', { key: company.adminKey, body: { key: 'nonsense' } });
    const overview = await asAdmin();
    expect(overview.verifications).toEqual([
      { hour: first, accepted: 3, refused: 0 },
      { hour: first + 5, accepted: 2, refused: 8 },
    ]);
    expect(overview.refusals).toEqual([
      { reason: 'not_found', count: 5 },
      { reason: 'disabled', count: 2 },
      { reason: 'malformed', count: 1 },
    ]);
  });

  it('are as many as there were questions: none is both accepted and refused', async () => {
    const { fullKey } = await mint('CI', 90);
    await present(fullKey, '?action=package:push&resource=A');
    await present(fullKey, '?action=orders:read&resource=A');
    await call(harness, 'GET', '/v1/audit', { key: fullKey });
    await call(harness, 'GET', '/v1/keys/self', { key: fullKey });
    expect(await asAdmin()).toMatchObject({
      verifications: [{ hour: hourNow(), accepted: 2, refused: 2 }],
      refusals: [{ reason: 'insufficient_scope', count: 2 }],
    });
  });

  it('add up over flushes, and reach back as many hours as are asked for, this one included', async () => {
    const { fullKey } = await mint('CI', 90);
    const first = hourNow();
    for (let flush = 0; flush < 3; flush += 1) {
      await presentOften(fullKey, 1);
      await harness.deps.usage.flush();
    }
    harness.clock.advance(23 * HOUR_MS);
    const told = [{ hour: first, accepted: 3, refused: 0 }];
    expect((await asAdmin(24)).verifications).toEqual(told);
    harness.clock.advance(HOUR_MS);
    expect((await asAdmin(24)).verifications).toEqual([]);
    expect((await asAdmin(168)).verifications).toEqual(told);
  });

  it('of a member are those of his own keys and of the accounts that he manages; unknown keys are nobody’s', async () => {
    const own = await mint('own', 90);
    const managed = await mint('managed', 90, company.robot);
    const foreign = await mint('foreign', 90, company.stranger);
    await presentOften(own.fullKey, 1);
    await presentOften(managed.fullKey, 2);
    await presentOften(foreign.fullKey, 4);
    await disable(managed.id);
    await disable(foreign.id);
    await presentOften(managed.fullKey, 8);
    await presentOften(foreign.fullKey, 16);
    await presentOften(toFullKey(own.id, newSecretKey(systemRandom, own.id)).reveal(), 32);
    const overview = await overviewOf(company.memberCaller);
    expect(overview.verifications).toEqual([{ hour: hourNow(), accepted: 3, refused: 8 }]);
    expect(overview.refusals).toEqual([{ reason: 'disabled', count: 8 }]);
    expect(overview.keys).toMatchObject({ total: 2, working: 1, disabled: 1, neverUsed: 0 });
    expect(overview.nextToStop.map(({ view }) => view.key.id)).toEqual([own.id]);
    expect((await asAdmin()).verifications).toEqual([{ hour: hourNow(), accepted: 7, refused: 56 }]);
  });

  it('of another workspace are not told', async () => {
    await presentOften((await mint('CI', 90)).fullKey, 2);
    const { workspace } = await harness.deps.workspaces.create(company.adminCaller, {
      name: 'Second',
      subdomain: 'second',
      aliases: [],
    });
    const overview = await overviewOf({ ...company.adminCaller, workspace });
    expect(overview.keys.total).toBe(0);
    expect([overview.verifications, overview.refusals, overview.nextToStop]).toEqual([[], [], []]);
  });
});

describe('the overview', () => {
  it('of a key covers the accounts that its scopes name', async () => {
    await mint('of the member', 90);
    await mint('of the robot', 90, company.robot);
    const { fullKey } = await harness.deps.keys.create(company.adminCaller, company.admin.id, {
      comment: 'reader',
      access: 'scoped',
      scopes: [{ actions: ['iam:keys:read'], resources: [company.robot.id] }],
    });
    const overview = await read('', fullKey.reveal());
    expect(overview.keys).toMatchObject({ total: 1 });
    expect(overview.nextToStop.map((key) => key.comment)).toEqual(['of the robot']);
  });

  it('counts a bounded part of the keys of a member, whose service account may have millions, and says so', async () => {
    const { id } = await mint('one of very many', 90);
    const { write } = harness.deps.storage;
    const row = await write.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    for (let from = 0; from < 10_500; from += 500) {
      const rows = Array.from({ length: 500 }, (_, index) => ({ ...row, id: `${id}_${from + index}` }));
      await write.insertInto('api_keys').values(rows).execute();
    }
    expect((await overviewOf(company.memberCaller)).keys).toMatchObject({ total: 10_000, isPartial: true });
  });

  it('tells the last seven days when nothing is asked for, and refuses other spans', async () => {
    expect((await read('')).hours).toBe(168);
    for (const query of ['?hours=25', '?hours=0', '?hours=1e9', '?hours=x', '?days=7']) {
      const answer = await call(harness, 'GET', `/v1/overview${query}`, { key: company.adminKey });
      expect(answer.statusCode, query).toBe(400);
    }
  });

  it('has ISO instants on the wire', async () => {
    await presentOften((await mint('CI', 1)).fullKey, 1);
    const { verifications, nextToStop } = await read('?hours=24');
    expect(verifications[0]?.hour).toBe('2027-03-01T09:00:00.000Z');
    expect(nextToStop[0]?.expiresAt).toBe('2027-03-02T09:00:00.000Z');
  });
});
