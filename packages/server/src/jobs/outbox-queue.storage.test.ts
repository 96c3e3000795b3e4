import { countTurns, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../lib/clock.ts';
import { inTransaction } from '../storage/index.ts';
import { type ClaimedMail, createOutboxQueue, type MailOutcome, type OutboxQueue } from './outbox-queue.ts';

const LEASE_MS = 60_000;

let harness: Harness;
let queue: OutboxQueue;

beforeAll(async () => {
  harness = await startHarness();
  queue = createOutboxQueue(harness.deps);
});
afterAll(() => harness.close());
afterEach(async () => {
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
});

async function append(token = 'tokenOfTheLink'): Promise<string> {
  const { deps, clock } = harness;
  return await inTransaction(deps.storage, (tx) =>
    deps.outbox.append(tx, {
      workspaceId: deps.defaultWorkspace.id,
      kind: 'account.invitation',
      to: { accountId: null, name: 'Ada', address: 'ada@example.com', locale: 'en', timeZone: null },
      keyId: null,
      payload: {
        accountName: 'Ada',
        linkUrl: `https://keys.test/invitation#${token}`,
        linkExpiresAt: clock.now() + 7 * DAY_MS,
      },
    }),
  );
}

async function settle(mail: ClaimedMail | undefined, outcome: MailOutcome) {
  if (mail === undefined) throw new Error('There is a mail to settle.');
  return await inTransaction(harness.deps.storage, (tx) => queue.settle(tx, mail, outcome));
}

async function claimOne(): Promise<ClaimedMail | undefined> {
  return (await queue.claimDue(1))[0];
}

async function rowOf(id: string) {
  return await harness.deps.storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
}

describe('claiming mails', () => {
  it('gives each mail to exactly one of many claimers', async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 40; count += 1) ids.add(await append());
    const queues = Array.from({ length: 8 }, () => createOutboxQueue(harness.deps));
    const claimed: string[] = [];
    await Promise.all(
      queues.map(async (other) => {
        for (let batch = await other.claimDue(3); batch.length > 0; batch = await other.claimDue(3))
          claimed.push(...batch.map((mail) => mail.id));
      }),
    );
    expect(claimed).toHaveLength(40);
    expect(new Set(claimed)).toEqual(ids);
  });

  it('gives a mail of a process that died to another one, when the minute is over and not before', async () => {
    await append();
    expect(await claimOne()).toMatchObject({ attempts: 1 });
    harness.clock.advance(LEASE_MS - 1);
    expect(await claimOne()).toBeUndefined();
    harness.clock.advance(1);
    expect(await claimOne()).toMatchObject({ attempts: 2 });
  });

  it('lets no process that lost its lease write over the one that took the mail over', async () => {
    const id = await append();
    const first = await claimOne();
    harness.clock.advance(LEASE_MS);
    const second = await claimOne();
    expect(await settle(first, { kind: 'failed', reason: 'late' })).toBe('lost');
    expect(await rowOf(id)).toMatchObject({ state: 'pending', last_error: null });
    expect(await settle(second, { kind: 'sent' })).toBe('sent');
    expect(await settle(first, { kind: 'retry', reason: 'late' })).toBe('lost');
    expect(await rowOf(id)).toMatchObject({ state: 'sent' });
  });

  it('takes no more than asked for, the longest due first', async () => {
    const first = await append();
    harness.clock.advance(1);
    await append();
    expect((await queue.claimDue(1)).map((mail) => mail.id)).toEqual([first]);
  });
});

describe('settling mails', () => {
  it('tries again after 10 s, 1 min, 5 min, 15 min and 1 h, then every hour', async () => {
    const id = await append();
    const pauses = [10_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, HOUR_MS, HOUR_MS];
    for (const pause of pauses) {
      expect(await settle(await claimOne(), { kind: 'retry', reason: '451 later' })).toBe('pending');
      harness.clock.advance(pause - 1);
      expect(await claimOne()).toBeUndefined();
      harness.clock.advance(1);
    }
    expect(await rowOf(id)).toMatchObject({
      attempts: pauses.length,
      last_error: '451 later',
      done_at: null,
    });
  });

  it('gives up after three days, and wipes what the mail said', async () => {
    const id = await append();
    const start = harness.clock.now();
    let state = 'pending';
    while (state === 'pending') {
      state = await settle(await claimOne(), { kind: 'retry', reason: 'down' });
      const row = await rowOf(id);
      if (state === 'pending') harness.clock.set(row?.next_attempt_at ?? 0);
    }
    expect(harness.clock.now() - start).toBeGreaterThan(3 * DAY_MS - HOUR_MS);
    expect(harness.clock.now() - start).toBeLessThanOrEqual(3 * DAY_MS);
    expect(await rowOf(id)).toMatchObject({
      state: 'failed',
      sealed_payload: null,
      last_error: 'down',
      done_at: harness.clock.now(),
    });
  });

  it('tries also a mail that nobody could send for days 24 times before it gives up', async () => {
    const id = await append();
    // The server was down, or so many mails were before it.
    harness.clock.advance(10 * DAY_MS);
    const start = harness.clock.now();
    let tries = 0;
    for (let state = 'pending'; state === 'pending'; tries += 1) {
      state = await settle(await claimOne(), { kind: 'retry', reason: '451 greylisted' });
      if (state === 'pending') harness.clock.set((await rowOf(id))?.next_attempt_at ?? 0);
    }
    expect(tries).toBe(24);
    expect(harness.clock.now() - start).toBeGreaterThan(18 * HOUR_MS);
  });

  it('wipes what the mail said once it is sent or refused for good, and keeps it in the mailbox', async () => {
    for (const [outcome, isKept] of [
      [{ kind: 'sent' }, false],
      [{ kind: 'failed', reason: '550' }, false],
      [{ kind: 'mailbox' }, true],
    ] as const) {
      const id = await append();
      const mail = await claimOne();
      expect(mail?.sealed_payload).not.toBeNull();
      await settle(mail, outcome);
      const row = await rowOf(id);
      expect(row?.state).toBe(outcome.kind);
      expect(row?.sealed_payload !== null).toBe(isKept);
      expect(row?.row_key !== null).toBe(isKept);
    }
    expect(await claimOne()).toBeUndefined();
  });

  it('opens what was sealed, and nothing that was moved from another mail', async () => {
    await append('first');
    await append('second');
    const [first, second] = await queue.claimDue(2);
    if (first === undefined || second === undefined) throw new Error('Two mails are due.');
    expect(queue.open(first)).toMatchObject({ kind: 'account.invitation', payload: { accountName: 'Ada' } });
    expect(JSON.stringify(first)).not.toMatch(/first|second/);
    expect(first.row_key).not.toBe(second.row_key);
    expect(() => queue.open({ ...first, sealed_payload: second.sealed_payload })).toThrow(/altered/);
    expect(() => queue.open({ ...first, row_key: second.row_key })).toThrow(/altered or moved/);
    expect(() => queue.open({ ...first, sealed_payload: null })).toThrow(/no payload/);
  });
});

describe('sweeping', () => {
  it('deletes what was done with more than 30 days ago, in any state, and nothing that waits', async () => {
    const done: string[] = [];
    for (const outcome of [
      { kind: 'sent' },
      { kind: 'failed', reason: '550' },
      { kind: 'mailbox' },
    ] as const) {
      done.push(await append());
      await settle(await claimOne(), outcome);
    }
    const waiting = await append();
    harness.clock.advance(30 * DAY_MS);
    expect(await queue.sweep()).toBe(0);
    harness.clock.advance(1);
    expect(await queue.sweep()).toBe(3);
    for (const id of done) expect(await rowOf(id)).toBeUndefined();
    expect(await rowOf(waiting)).toBeDefined();
  });

  it('of many mails leaves the event loop to others between few', async () => {
    for (let count = 0; count < 300; count += 1) await append();
    await inTransaction(harness.deps.storage, async (tx) => {
      await tx.updateTable('outbox').set({ state: 'sent', done_at: 1, next_attempt_at: 0 }).execute();
    });
    const turns = countTurns();
    expect(await queue.sweep()).toBe(300);
    expect(turns.stop()).toBeGreaterThanOrEqual(3);
  });

  it('keeps a mail that was sent recently after many tries', async () => {
    const id = await append();
    await settle(await claimOne(), { kind: 'sent' });
    await inTransaction(harness.deps.storage, (tx) =>
      tx.updateTable('outbox').set({ next_attempt_at: 0 }).where('id', '=', id).execute(),
    );
    harness.clock.advance(DAY_MS);
    expect(await queue.sweep()).toBe(0);
  });
});
