import { sql } from 'kysely';
import { asciiLower } from '../lib/ascii.ts';
import type { Executor, OutboxTable, Tx } from '../storage/index.ts';
import { PRIORITIES } from './notices.ts';

const COLUMNS = [
  'id',
  'workspace_id',
  'kind',
  'account_id',
  'to_name',
  'to_address',
  'locale',
  'time_zone',
  'about',
  'key_id',
  'message_id',
  'row_key',
  'sealed_payload',
  'priority',
  'state',
  'attempts',
  'last_error',
  'next_attempt_at',
  'leased_until',
  'created_at',
  'done_at',
] as const;

export async function insertOutbox(exec: Executor, row: OutboxTable): Promise<void> {
  await exec.insertInto('outbox').values(row).execute();
}

/** When the mails of a kind to an address since `since` were written, the oldest first, at most `limit` of them. */
export async function listTimesTo(
  exec: Executor,
  to: { readonly workspaceId: string; readonly kind: string; readonly address: string },
  since: number,
  limit: number,
): Promise<number[]> {
  const rows = await exec
    .selectFrom('outbox')
    .select('created_at')
    .where('workspace_id', '=', to.workspaceId)
    .where(sql<boolean>`lower(to_address) = ${asciiLower(to.address)}`)
    .where('created_at', '>', since)
    .where('kind', '=', to.kind)
    .orderBy('created_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.created_at);
}

/** Ids of mails of one priority, of all workspaces, that are due and that nobody is sending, the longest due first. */
export async function listDueIds(
  exec: Executor,
  priority: number,
  now: number,
  limit: number,
): Promise<string[]> {
  const rows = await exec
    .selectFrom('outbox')
    .select('id')
    .where('state', '=', 'pending')
    .where('priority', '=', priority)
    .where('next_attempt_at', '<=', now)
    .where('leased_until', '<=', now)
    .orderBy('next_attempt_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Takes a mail for one process until `leasedUntil`, and counts the try. Undefined when another was first. */
export async function leaseOutbox(
  exec: Executor,
  id: string,
  now: number,
  leasedUntil: number,
): Promise<OutboxTable | undefined> {
  return await exec
    .updateTable('outbox')
    .set((eb) => ({ leased_until: leasedUntil, attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('leased_until', '<=', now)
    .returning(COLUMNS)
    .executeTakeFirst();
}

type Outcome = Pick<OutboxTable, 'state' | 'last_error' | 'next_attempt_at' | 'done_at'> & {
  readonly sealed_payload?: null;
  readonly row_key?: null;
};

/**
 * Writes how a try ended. False when the lease was lost meanwhile: then the number of tries has moved on,
 * and the outcome belongs to whoever took the mail over.
 */
export async function settleOutbox(
  exec: Executor,
  id: string,
  attempts: number,
  outcome: Outcome,
): Promise<boolean> {
  const result = await exec
    .updateTable('outbox')
    .set({ ...outcome, leased_until: 0 })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('attempts', '=', attempts)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Ids of mails of all workspaces that were done with before `before`, at most `limit` of them. */
export async function listOldIds(exec: Executor, before: number, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('outbox')
    .select('id')
    .where('state', 'in', ['sent', 'failed', 'mailbox'])
    .where('priority', 'in', Object.values(PRIORITIES))
    // Said twice: the index has the time of the last try, which is never later than the end.
    .where('next_attempt_at', '<', before)
    .where('done_at', '<', before)
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function deleteOutbox(exec: Executor, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await exec.deleteFrom('outbox').where('id', 'in', ids).execute();
}

/**
 * How many mails were claimed in this minute by all processes, locked for the transaction. A process whose clock is
 * somewhat behind takes part in the minute that others have begun: it must not open the last one again.
 */
export async function readMailRate(tx: Tx, minute: number): Promise<number> {
  const row = await tx
    .updateTable('mail_rate')
    .set((eb) => {
      const isCurrent = eb('minute', 'in', [minute, minute + 1]);
      return {
        claimed: eb.case().when(isCurrent).then(eb.ref('claimed')).else(0).end(),
        minute: eb.case().when(isCurrent).then(eb.ref('minute')).else(minute).end(),
      };
    })
    .where('id', '=', 1)
    .returning('claimed')
    .executeTakeFirst();
  if (row !== undefined) return row.claimed;
  await tx
    .insertInto('mail_rate')
    .values({ id: 1, minute, claimed: 0 })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  return 0;
}

export async function addToMailRate(tx: Tx, count: number): Promise<void> {
  await tx
    .updateTable('mail_rate')
    .set((eb) => ({ claimed: eb('claimed', '+', count) }))
    .where('id', '=', 1)
    .execute();
}
