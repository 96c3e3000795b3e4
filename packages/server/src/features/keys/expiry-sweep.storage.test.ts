import { type Company, countTurns, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NoticePayloads } from '../../jobs/index.ts';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { inTransaction } from '../../storage/index.ts';
import type { MintedKey } from './key-issue.ts';

let harness: Harness;
let company: Company;

beforeEach(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  await takeMails();
});
afterEach(() => harness.close());

interface ToldMail {
  readonly kind: string;
  readonly to: string;
  readonly comment: string;
  readonly payload: NoticePayloads['key.expiring'];
}

/** The mails since the last look. */
async function takeMails(): Promise<ToldMail[]> {
  const { storage, queue } = harness.deps;
  const rows = await storage.read.selectFrom('outbox').selectAll().orderBy('to_address').execute();
  await inTransaction(storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
  return rows.map((row) => {
    const payload = queue.open(row).payload as NoticePayloads['key.expiring'];
    return { kind: row.kind, to: row.to_address, comment: payload.comment, payload };
  });
}

async function sweep(): Promise<[kind: string, comment: string][]> {
  await harness.deps.expirySweep.run();
  return (await takeMails()).map(({ kind, comment }) => [kind, comment]);
}

async function makeKey(comment: string, lifetimeDays: number): Promise<MintedKey> {
  const minted = await harness.deps.keys.create(company.memberCaller, company.member.id, {
    comment,
    access: 'account',
    lifetimeDays,
  });
  await takeMails();
  return minted;
}

const wait = (days: number) => harness.clock.advance(days * DAY_MS);

describe('the owner of a key is told', () => {
  it('ten days before it expires and when it has, once each, however often one looks', async () => {
    await makeKey('CI', 90);
    wait(79.9);
    expect(await sweep()).toEqual([]);
    wait(0.1);
    expect(await sweep()).toEqual([['key.expiring', 'CI']]);
    expect(await sweep()).toEqual([]);
    wait(9.9);
    expect(await sweep()).toEqual([]);
    wait(0.1);
    expect(await sweep()).toEqual([['key.expired', 'CI']]);
    wait(5);
    expect(await sweep()).toEqual([]);
  });

  it('at half of its life of a key that is shorter than all thresholds', async () => {
    await makeKey('Once', 1);
    wait(0.49);
    expect(await sweep()).toEqual([]);
    wait(0.01);
    expect(await sweep()).toEqual([['key.expiring', 'Once']]);
    wait(0.5);
    expect(await sweep()).toEqual([['key.expired', 'Once']]);
  });

  it('at each threshold of the settings', async () => {
    await harness.deps.settings.update(company.adminCaller, { expiryNoticeDays: [1, 30, 10] }, null);
    await makeKey('CI', 90);
    const told: string[] = [];
    for (let day = 0; day <= 91; day += 1) {
      for (const [kind] of await sweep()) told.push(`${day} ${kind}`);
      wait(1);
    }
    expect(told).toEqual(['60 key.expiring', '80 key.expiring', '89 key.expiring', '90 key.expired']);
  });

  it('what stops with it, who used it last and where to renew it', async () => {
    const { key } = await makeKey('CI', 90);
    const at = harness.clock.now();
    const use = { ip: '192.0.2.8', userAgent: 'NuGet/6.12.2' };
    harness.deps.usage.record({
      workspaceId: key.workspaceId,
      keyId: key.id,
      action: null,
      outcome: 'valid',
      ...use,
    });
    await harness.deps.usage.flush();
    wait(80);
    await harness.deps.expirySweep.run();
    const [mail] = await takeMails();
    expect(mail).toMatchObject({
      to: 'mei@example.com',
      payload: { keyId: key.id, expiresAt: key.current.expiresAt, lastUse: { at, ...use } },
    });
    expect(mail?.payload.pageUrl).toMatch(/\/my-keys$/);
  });
});

describe('nobody is told twice, or of what is over', () => {
  it('after the clock went back, and after an edit', async () => {
    const { key } = await makeKey('CI', 90);
    wait(81);
    expect(await sweep()).toHaveLength(1);
    wait(-30);
    expect(await sweep()).toEqual([]);
    await harness.deps.keys.update(company.memberCaller, key.id, { comment: 'Nightly' }, null);
    await takeMails();
    wait(31);
    expect(await sweep()).toEqual([]);
  });

  it('of the old expiry of a key that was regenerated', async () => {
    const { key } = await makeKey('CI', 90);
    wait(85);
    expect(await sweep()).toHaveLength(1);
    await harness.deps.keys.regenerate(company.memberCaller, key.id, { overlapHours: 1 });
    await takeMails();
    wait(10);
    expect(await sweep()).toEqual([]);
    wait(70);
    expect(await sweep()).toEqual([['key.expiring', 'CI']]);
  });

  it('of a key that is disabled or gone; of one that is enabled again in time, then', async () => {
    const off = await makeKey('off', 90);
    const gone = await makeKey('gone', 90);
    await harness.deps.keys.disable(company.memberCaller, off.key.id, null);
    await harness.deps.keys.remove(company.memberCaller, gone.key.id);
    await takeMails();
    wait(82);
    expect(await sweep()).toEqual([]);
    await harness.deps.keys.enable(company.memberCaller, off.key.id);
    await takeMails();
    expect(await sweep()).toEqual([['key.expiring', 'off']]);
  });

  it('by many mails after a long stop: of each key only the last step, and nothing older than 30 days', async () => {
    await harness.deps.settings.update(company.adminCaller, { expiryNoticeDays: [30, 10] }, null);
    await makeKey('long over', 1);
    await makeKey('over', 90);
    wait(75);
    await makeKey('soon', 90);
    wait(40);
    expect(await sweep()).toEqual([['key.expired', 'over']]);
    wait(42);
    expect(await sweep()).toEqual([['key.expiring', 'soon']]);
  });

  it('when eight look at the same time', async () => {
    for (let index = 0; index < 20; index += 1) await makeKey(`key ${index}`, 90);
    wait(80);
    const counts = await Promise.all(Array.from({ length: 8 }, () => harness.deps.expirySweep.run()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(await takeMails()).toHaveLength(20);
  });

  it('who has muted expiry notices, while programs are told all the same', async () => {
    await harness.deps.accounts.update(
      company.memberCaller,
      'user',
      company.member.id,
      { mutedNotices: ['key.expiring'] },
      null,
    );
    await makeKey('CI', 90);
    wait(80);
    expect(await sweep()).toEqual([]);
    const events = await harness.deps.storage.read.selectFrom('events').select('type').execute();
    expect(events.map(({ type }) => type)).toContain('key.expiring');
    wait(10);
    expect(await sweep()).toEqual([['key.expired', 'CI']]);
  });
});

it('programs hear of each step exactly once, also when every mail of it is muted and many look', async () => {
  const { accounts, settings, expirySweep, storage } = harness.deps;
  await settings.update(company.adminCaller, { expiryNoticeDays: [30, 10] }, null);
  const mutedNotices = ['key.expiring', 'key.expired'] as const;
  await accounts.update(company.memberCaller, 'user', company.member.id, { mutedNotices }, null);
  const { key } = await makeKey('CI', 90);
  for (let day = 0; day <= 95; day += 5) {
    await Promise.all([expirySweep.run(), expirySweep.run(), expirySweep.run()]);
    wait(5);
  }
  expect(await takeMails()).toEqual([]);
  const rows = await storage.read.selectFrom('events').selectAll().orderBy('created_at').execute();
  const told = rows.map(({ type, body }) => ({ type, body: JSON.parse(body) as object }));
  expect(told.filter(({ type }) => type !== 'key.created').map(({ type }) => type)).toEqual([
    'key.expiring',
    'key.expiring',
    'key.expired',
  ]);
  expect(told.at(-1)?.body).toMatchObject({
    type: 'key.expired',
    data: { key: { id: key.id, expiresAt: new Date(key.current.expiresAt ?? 0).toISOString() }, actor: null },
  });
});

it('many keys that are due on one day leave the event loop to others between few of them', async () => {
  const keys = 120;
  await harness.deps.settings.update(company.adminCaller, { maxKeysPerAccount: 1_000 }, null);
  for (let index = 0; index < keys; index += 1) await makeKey(`key ${index}`, 90);
  wait(80);
  const turns = countTurns();
  expect(await harness.deps.expirySweep.run()).toBe(keys);
  expect(turns.stop()).toBeGreaterThanOrEqual(keys / 10);
});

it('a key whose row was altered by hand stops no other from being told of', async () => {
  const altered = await makeKey('altered', 90);
  await makeKey('whole', 90);
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx
      .updateTable('api_keys')
      .set({ expires_at: harness.clock.now() + 90 * DAY_MS - HOUR_MS })
      .where('id', '=', altered.key.id)
      .execute();
  });
  wait(81);
  expect(await sweep()).toEqual([['key.expiring', 'whole']]);
});

it('an account that cannot be read keeps nobody else from being told, and is reported', async () => {
  const { deps } = harness;
  const { key } = await deps.keys.create(company.strangerCaller, company.stranger.id, {
    comment: 'unreadable',
    access: 'account',
    lifetimeDays: 90,
  });
  for (const comment of ['before', 'after']) await makeKey(comment, 90);
  await inTransaction(deps.storage, async (tx) => {
    await tx
      .updateTable('accounts')
      .set({ muted_notices: 'not JSON' })
      .where('id', '=', key.accountId)
      .execute();
  });
  wait(81);
  await expect(deps.expirySweep.run()).rejects.toThrow(
    `1 could not be told of; the first of them is ${key.id}`,
  );
  expect((await takeMails()).map(({ comment }) => comment).toSorted()).toEqual(['after', 'before']);
});
