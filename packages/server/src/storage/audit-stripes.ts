import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Transaction } from 'kysely';
import type { Storage } from './database.ts';
import type { Database } from './schema.ts';

/** More than the transactions that two cores commit at once, few enough to lock all of them in one statement. */
const STRIPES = 16;
/** Longer than the database waits before it ends a transaction of a process that stands still (5 s). */
const WAIT_MS_MAX = 8_000;

/** Of the tables that PostgreSQL locks; they hold nothing. The migration 0014 makes them. */
export const AUDIT_STRIPE_TABLES: readonly string[] = Array.from(
  { length: STRIPES },
  (_, stripe) => `audit_stripe_${String(stripe).padStart(2, '0')}`,
);

/**
 * Transactions that write to the audit log of one workspace come one after the other: each row carries the hash of the
 * one before it. SQLite has one writer. On PostgreSQL a serializable transaction sees what was there at its first
 * query, so it would be too late to wait at the head of the log: the transaction would fail and begin anew. Locking a
 * table takes no snapshot, so it can come first. A workspace always has the same of 16 tables.
 */
export function auditStripeOf(workspaceId: string): number {
  return hash('sha256', workspaceId, 'buffer').readUInt16BE() % STRIPES;
}

/** What of them an open transaction of PostgreSQL holds, as its first statement. */
export async function lockAuditStripes(tx: Transaction<Database>, stripes: readonly number[]): Promise<void> {
  const tables = stripes.map((stripe) => sql.table(AUDIT_STRIPE_TABLES[stripe] ?? ''));
  // Not ACCESS EXCLUSIVE, which goes into the write-ahead log and keeps backups from reading.
  await sql`lock table ${sql.join(tables)} in exclusive mode`.execute(tx);
}

/** For each process, who stands before whom: only the first of them holds a connection while it waits for others. */
const queues = new WeakMap<Storage, Promise<void>[]>();

/**
 * Runs `work` when no other work of this process has one of these stripes.
 *
 * @param stripes in ascending order, like those of everybody else: two that wait for each other would wait for ever
 * @throws Error with the code of a lock that did not come, after eight seconds
 */
export async function inAuditStripes<Result>(
  storage: Storage,
  stripes: readonly number[],
  work: () => Promise<Result>,
): Promise<Result> {
  if (stripes.length === 0) return await work();
  const queue = queues.get(storage) ?? Array.from({ length: STRIPES }, () => Promise.resolve());
  queues.set(storage, queue);
  const held: (() => void)[] = [];
  try {
    for (const stripe of stripes) {
      const before = queue[stripe] ?? Promise.resolve();
      const mine = Promise.withResolvers<void>();
      // Whoever gives up lets go at once, and those behind still wait for those before it.
      queue[stripe] = before.then(() => mine.promise);
      held.push(mine.resolve);
      await waitFor(before);
    }
    return await work();
  } finally {
    for (const release of held) release();
  }
}

async function waitFor(turn: Promise<void>): Promise<void> {
  const done = new AbortController();
  const late = delay(WAIT_MS_MAX, true, { ref: false, signal: done.signal }).catch(() => false);
  const isLate = await Promise.race([turn.then(() => false), late]);
  done.abort();
  if (isLate)
    throw Object.assign(new Error('Other changes of this workspace did not end in time.'), { code: '55P03' });
}
