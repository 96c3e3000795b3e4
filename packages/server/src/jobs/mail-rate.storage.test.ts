import { type Harness, startHarness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../lib/clock.ts';
import { inTransaction } from '../storage/index.ts';
import { priorityOf } from './notices.ts';
import { createOutboxQueue, type OutboxQueue } from './outbox-queue.ts';

const RATE = 60;
/** So many the database takes well within its time limit for a statement. */
const ROWS_AT_ONCE = 10_000;
const NOBODY = {
  accountId: null,
  name: 'Ada',
  address: 'ada@example.com',
  locale: 'en',
  timeZone: null,
} as const;

let harness: Harness;
let queue: OutboxQueue;

beforeAll(async () => {
  harness = await startHarness({ environment: { KEYREEVE_BULK_MAILS_PER_MINUTE: String(RATE) } });
  queue = createOutboxQueue(harness.deps);
});
afterAll(() => harness.close());
beforeEach(() => {
  harness.clock.set(Math.ceil(harness.clock.now() / MINUTE_MS) * MINUTE_MS + MINUTE_MS);
});
afterEach(async () => {
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
});

async function appendReset(): Promise<string> {
  const { deps, clock } = harness;
  return await inTransaction(deps.storage, (tx) =>
    deps.outbox.append(tx, {
      workspaceId: deps.defaultWorkspace.id,
      kind: 'account.password_reset',
      to: NOBODY,
      keyId: null,
      payload: {
        accountName: 'Ada',
        linkUrl: 'https://keys.test/#t',
        linkExpiresAt: clock.now() + MINUTE_MS,
      },
    }),
  );
}

/** Expiry notices, as many rows as wanted: only how they are claimed matters here. */
async function appendExpiries(count: number): Promise<void> {
  const { deps, clock } = harness;
  await inTransaction(deps.storage, async (tx) => {
    const id = await deps.outbox.append(tx, {
      workspaceId: deps.defaultWorkspace.id,
      kind: 'key.expired',
      to: NOBODY,
      keyId: 'kr_0123456789ABCDEF',
      payload: {
        accountName: 'Ada',
        keyId: 'kr_0123456789ABCDEF',
        comment: 'CI',
        access: 'account',
        expiresAt: clock.now(),
        pageUrl: 'https://keys.test/my-keys',
        stops: [],
        stopsCount: 0,
        lastUse: null,
      },
    });
    const columns = Object.keys(
      await tx.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    );
    const others = sql.join(columns.filter((name) => name !== 'id').map((name) => sql.ref(name)));
    for (let from = 1; from < count; from += ROWS_AT_ONCE)
      await sql`
        insert into outbox (id, ${others})
        with recursive numbers (number) as (
          select ${sql.lit(from)} union all select number + 1 from numbers
          where number < ${sql.lit(Math.min(count, from + ROWS_AT_ONCE) - 1)}
        )
        select id || '_' || number, ${others} from outbox cross join numbers where id = ${id}`.execute(tx);
  });
}

/** Claims until there is nothing more to have at this time; the kinds of what was claimed. */
async function claimAll(from: OutboxQueue = queue): Promise<string[]> {
  const kinds: string[] = [];
  for (let batch = await from.claimDue(5); batch.length > 0; batch = await from.claimDue(5))
    kinds.push(...batch.map(({ kind }) => kind));
  return kinds;
}

describe('expiry notices', () => {
  it('leave at the configured rate, minute by minute, over all processes together', async () => {
    await appendExpiries(RATE * 2 + 10);
    const perMinute: number[] = [];
    for (let minute = 0; minute < 4; minute += 1) {
      const claimed = await Promise.all([queue, createOutboxQueue(harness.deps)].map(claimAll));
      perMinute.push(claimed.flat().length);
      await inTransaction(harness.deps.storage, async (tx) => {
        await tx.updateTable('outbox').set({ state: 'sent' }).where('attempts', '>', 0).execute();
      });
      harness.clock.advance(MINUTE_MS);
    }
    expect(perMinute).toEqual([RATE, RATE, 10, 0]);
  });

  it('keep to the rate when the clocks of two processes differ around the full minute', async () => {
    await appendExpiries(RATE * 3);
    const { deps, clock } = harness;
    clock.advance(MINUTE_MS);
    const behind = createOutboxQueue({ ...deps, clock: { now: () => clock.now() - 2_000 } });
    const first = await claimAll();
    clock.advance(1_000);
    const others = [...(await claimAll(behind)), ...(await claimAll()), ...(await claimAll(behind))];
    expect(first).toHaveLength(RATE);
    expect(others).toEqual([]);
  });

  it('go on after a clock that was ahead is put right', async () => {
    await appendExpiries(RATE * 2);
    const now = harness.clock.now();
    harness.clock.set(now + 60 * MINUTE_MS);
    expect(await claimAll()).toHaveLength(RATE);
    harness.clock.set(now);
    expect(await claimAll()).toHaveLength(RATE);
  });

  it('keep no password reset waiting, though 100,000 of them are due and their rate is used up', {
    timeout: 120_000,
  }, async () => {
    await appendExpiries(100_000);
    harness.clock.advance(1_000);
    const first = await appendReset();
    expect((await queue.claimDue(5)).map(({ id, kind }) => (kind === 'key.expired' ? kind : id))).toEqual([
      first,
      ...Array.from({ length: 4 }, () => 'key.expired'),
    ]);
    expect(await claimAll()).toHaveLength(RATE - 4);
    const resets = new Set(await Promise.all(Array.from({ length: 8 }, () => appendReset())));
    const claimed = [...(await queue.claimDue(5)), ...(await queue.claimDue(5))];
    expect(new Set(claimed.map(({ id }) => id))).toEqual(resets);
  });

  it('wait for alarms about refusals, which go at the same rate and behind a password reset', async () => {
    await appendExpiries(RATE);
    harness.clock.advance(1_000);
    await inTransaction(harness.deps.storage, async (tx) => {
      const { id, ...row } = await tx.selectFrom('outbox').selectAll().limit(1).executeTakeFirstOrThrow();
      const priority = priorityOf('key.refused');
      const alarms = Array.from({ length: RATE - 2 }, (_, index) => ({
        ...row,
        id: `${id}_alarm_${index}`,
        kind: 'key.refused',
        priority,
      }));
      await tx.insertInto('outbox').values(alarms).execute();
    });
    await appendReset();
    const kinds = await claimAll();
    expect(kinds[0]).toBe('account.password_reset');
    expect(kinds.slice(1)).toEqual([
      ...Array.from({ length: RATE - 2 }, () => 'key.refused'),
      'key.expired',
      'key.expired',
    ]);
  });
});
