import { type Company, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NoticePayloads } from '../../jobs/index.ts';
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { inTransaction } from '../../storage/index.ts';

let harness: Harness;
let company: Company;
let keyId: string;

beforeEach(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  const minted = await harness.deps.keys.create(company.memberCaller, company.member.id, {
    comment: 'CI',
    access: 'account',
  });
  keyId = minted.key.id;
  await takeRefusalMails();
});
afterEach(() => harness.close());

async function takeRefusalMails(): Promise<NoticePayloads['key.refused'][]> {
  const { storage, queue } = harness.deps;
  const rows = await storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('kind', '=', 'key.refused')
    .execute();
  await inTransaction(storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
  return rows.map((row) => queue.open(row).payload as NoticePayloads['key.refused']);
}

function refuse(times: number, outcome = 'insufficient_scope'): void {
  const { usage, defaultWorkspace } = harness.deps;
  const from = { ip: '192.0.2.8', userAgent: 'curl/8' };
  for (let count = 0; count < times; count += 1)
    usage.record({ workspaceId: defaultWorkspace.id, keyId, action: null, outcome, ...from });
}

it('the owner is told of the 21st refusal within an hour, why and from where', async () => {
  refuse(20);
  expect(await harness.deps.refusalNotices.run()).toBe(0);
  refuse(1);
  expect(await harness.deps.refusalNotices.run()).toBe(1);
  expect(await takeRefusalMails()).toMatchObject([
    { keyId, count: 21, reason: 'insufficient_scope', lastRefusal: { ip: '192.0.2.8', userAgent: 'curl/8' } },
  ]);
});

it('he is told once a day at most, however many more there are', async () => {
  refuse(30);
  expect(await harness.deps.refusalNotices.run()).toBe(1);
  for (let hour = 0; hour < 23; hour += 1) {
    harness.clock.advance(HOUR_MS);
    refuse(30);
    expect(await harness.deps.refusalNotices.run()).toBe(0);
  }
  harness.clock.advance(HOUR_MS);
  refuse(30);
  expect(await harness.deps.refusalNotices.run()).toBe(1);
});

it('refusals of another hour and uses that were let in do not count', async () => {
  refuse(15);
  await harness.deps.refusalNotices.run();
  harness.clock.advance(HOUR_MS);
  refuse(15);
  refuse(50, 'valid');
  expect(await harness.deps.refusalNotices.run()).toBe(0);
});

it('those at the end of an hour count also when the next hour has begun', async () => {
  harness.clock.set(Math.ceil(harness.clock.now() / HOUR_MS) * HOUR_MS - 1_000);
  refuse(21);
  harness.clock.advance(5_000);
  expect(await harness.deps.refusalNotices.run()).toBe(1);
  expect(await takeRefusalMails()).toMatchObject([{ count: 21 }]);
});

it('what is refused because a key is off does not count when it works again', async () => {
  const { deps } = harness;
  await deps.keys.disable(company.memberCaller, keyId, null);
  refuse(30, 'disabled');
  refuse(30, 'account_disabled');
  refuse(30, 'expired');
  await deps.keys.enable(company.memberCaller, keyId);
  refuse(1);
  expect(await deps.refusalNotices.run()).toBe(0);
});

it('he is told a little later when the counters are still being written as one looks, or cannot be', async () => {
  const { usage, refusalNotices } = harness.deps;
  const flush = vi.spyOn(usage, 'flush');
  refuse(21);
  flush.mockRejectedValueOnce(new Error('the database is away'));
  await expect(refusalNotices.run()).rejects.toThrow(/away/);
  flush.mockResolvedValueOnce();
  expect(await refusalNotices.run()).toBe(0);
  expect(await refusalNotices.run()).toBe(1);
});

it('a key whose account cannot be read keeps nobody else from being told, and is reported', async () => {
  const { deps } = harness;
  const { key } = await deps.keys.create(company.strangerCaller, company.stranger.id, {
    comment: 'unreadable',
    access: 'account',
  });
  await inTransaction(deps.storage, async (tx) => {
    await tx
      .updateTable('accounts')
      .set({ muted_notices: 'not JSON' })
      .where('id', '=', key.accountId)
      .execute();
  });
  const unreadable = { workspaceId: key.workspaceId, keyId: key.id, action: null, ip: null, userAgent: null };
  for (let count = 0; count < 21; count += 1)
    deps.usage.record({ ...unreadable, outcome: 'insufficient_scope' });
  refuse(21);
  await expect(deps.refusalNotices.run()).rejects.toThrow(/JSON/);
  expect(await takeRefusalMails()).toMatchObject([{ keyId }]);
});

it('nobody is told of a key that is disabled, expired or gone: it is refused because it should be', async () => {
  const { deps, clock } = harness;
  await deps.keys.disable(company.memberCaller, keyId, null);
  refuse(30, 'disabled');
  expect(await deps.refusalNotices.run()).toBe(0);
  await deps.keys.enable(company.memberCaller, keyId);
  clock.advance(400 * DAY_MS);
  refuse(30, 'expired');
  expect(await deps.refusalNotices.run()).toBe(0);
  await deps.keys.remove(company.memberCaller, keyId);
  refuse(30);
  expect(await deps.refusalNotices.run()).toBe(0);
});

it('a clock that was a year ahead for a while silences nobody for a year', async () => {
  refuse(21);
  harness.clock.advance(365 * DAY_MS - HOUR_MS);
  refuse(21);
  expect(await harness.deps.refusalNotices.run()).toBe(1);
  harness.clock.advance(-364 * DAY_MS);
  refuse(21);
  expect(await harness.deps.refusalNotices.run()).toBe(1);
});

it('two processes that look at the same time tell once', async () => {
  refuse(30);
  const another = await harness.deps.refusalNotices.run();
  refuse(30);
  const [first, second] = await Promise.all([
    harness.deps.refusalNotices.run(),
    harness.deps.refusalNotices.run(),
  ]);
  expect([another, first, second].filter((count) => count === 1)).toHaveLength(1);
  expect(await takeRefusalMails()).toHaveLength(1);
});
