import { sql } from 'kysely';
import type { CursorValues } from '../../../lib/page.ts';
import {
  type EventsTable,
  type Executor,
  isBehind,
  type Tx,
  type WebhookDeliveriesTable,
} from '../../../storage/index.ts';

export type DeliveryRow = WebhookDeliveriesTable;

const COLUMNS = [
  'id',
  'workspace_id',
  'webhook_id',
  'event_id',
  'event_type',
  'state',
  'attempts',
  'attempts_before',
  'last_attempt_at',
  'last_status',
  'last_error',
  'next_attempt_at',
  'leased_until',
  'created_at',
  'done_at',
] as const;

/** Rows of one statement: PostgreSQL and SQLite both take 32,767 values at least. */
const ROWS_AT_ONCE = 200;

export type EventRow = Omit<EventsTable, 'body' | 'is_fanned_out'>;

/** Events of all workspaces that were given to no webhook yet, the oldest first. */
export async function listNewEvents(exec: Executor, limit: number): Promise<EventRow[]> {
  return await exec
    .selectFrom('events')
    .select(['id', 'workspace_id', 'type', 'created_at'])
    .where('is_fanned_out', '=', 0)
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();
}

export async function markFannedOut(exec: Executor, eventIds: readonly string[]): Promise<void> {
  await exec.updateTable('events').set({ is_fanned_out: 1 }).where('id', 'in', eventIds).execute();
}

/** Writes new deliveries; one that the webhook has of the event already is left as it is. */
export async function insertDeliveries(exec: Executor, rows: readonly DeliveryRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE)
    await exec
      .insertInto('webhook_deliveries')
      .values(rows.slice(start, start + ROWS_AT_ONCE))
      .onConflict((conflict) => conflict.columns(['event_id', 'webhook_id']).doNothing())
      .execute();
}

export async function insertEvent(exec: Executor, row: EventsTable): Promise<void> {
  await exec.insertInto('events').values(row).execute();
}

export async function findEventBody(exec: Executor, eventId: string): Promise<string | null> {
  const row = await exec.selectFrom('events').select('body').where('id', '=', eventId).executeTakeFirst();
  return row?.body ?? null;
}

/**
 * Every webhook for which something waits, due or not. Each step jumps over all that waits for one webhook, so that
 * a long queue costs no more than a short one.
 */
const waiting = sql`
  with recursive waiting (webhook_id) as (
    select min(webhook_id) from webhook_deliveries where state = 'pending'
    union all
    select (select min(d.webhook_id) from webhook_deliveries d
            where d.state = 'pending' and d.webhook_id > waiting.webhook_id)
    from waiting where waiting.webhook_id is not null
  )`;

/** Ids of active webhooks, of all workspaces, for which something is due that nobody is sending. */
export async function listDueWebhookIds(exec: Executor, now: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ webhook_id: string }>`${waiting}
    select waiting.webhook_id from waiting join webhooks w on w.id = waiting.webhook_id
    where w.state = 'active' and exists (
      select 1 from webhook_deliveries d where d.state = 'pending' and d.webhook_id = waiting.webhook_id
        and d.next_attempt_at <= ${now} and d.leased_until <= ${now})
    order by waiting.webhook_id limit ${limit}`.execute(exec);
  return rows.map((row) => row.webhook_id);
}

/** Ids of webhooks that are gone or disabled and for which something still waits. */
export async function listStrandedWebhookIds(exec: Executor, limit: number): Promise<string[]> {
  const { rows } = await sql<{ webhook_id: string }>`${waiting}
    select waiting.webhook_id from waiting left join webhooks w on w.id = waiting.webhook_id
    where waiting.webhook_id is not null and (w.id is null or w.state <> 'active')
    limit ${limit}`.execute(exec);
  return rows.map((row) => row.webhook_id);
}

/** Ids of what waits, due or not, and that nobody is sending, for a webhook that is gone or disabled. */
export async function listStrandedIds(
  exec: Executor,
  webhookId: string,
  now: number,
  limit: number,
): Promise<string[]> {
  const rows = await exec
    .selectFrom('webhook_deliveries')
    .select('id')
    .where('state', '=', 'pending')
    .where('webhook_id', '=', webhookId)
    .where('leased_until', '<=', now)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('webhooks')
            .select('webhooks.id')
            .where('webhooks.id', '=', webhookId)
            .where('webhooks.state', '=', 'active'),
        ),
      ),
    )
    .orderBy('next_attempt_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Ends deliveries that wait for a webhook that takes no more. */
export async function endStranded(exec: Executor, ids: readonly string[], now: number): Promise<void> {
  await exec
    .updateTable('webhook_deliveries')
    .set({ state: 'failed', last_error: 'disabled', done_at: now, leased_until: 0 })
    .where('id', 'in', ids)
    .where('state', '=', 'pending')
    .execute();
}

/** What is due for one webhook and that nobody is sending, the longest due first. */
export async function listDue(
  exec: Executor,
  webhookId: string,
  now: number,
  limit: number,
): Promise<Pick<DeliveryRow, 'id' | 'workspace_id' | 'event_id'>[]> {
  return await exec
    .selectFrom('webhook_deliveries')
    .select(['id', 'workspace_id', 'event_id'])
    .where('state', '=', 'pending')
    .where('webhook_id', '=', webhookId)
    .where('next_attempt_at', '<=', now)
    .where('leased_until', '<=', now)
    .orderBy('next_attempt_at')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Takes a delivery for one process until `leasedUntil`, and counts the try. Undefined when another was first. */
export async function leaseDelivery(
  tx: Tx,
  id: string,
  now: number,
  leasedUntil: number,
): Promise<DeliveryRow | undefined> {
  return await tx
    .updateTable('webhook_deliveries')
    .set((eb) => ({ leased_until: leasedUntil, last_attempt_at: now, attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('leased_until', '<=', now)
    .returning(COLUMNS)
    .executeTakeFirst();
}

type DeliveryOutcome = Pick<
  DeliveryRow,
  'state' | 'last_status' | 'last_error' | 'next_attempt_at' | 'done_at'
>;

/**
 * Writes how a try ended. False when the lease was lost meanwhile: then the number of tries has moved on, and the
 * outcome belongs to whoever took the delivery over.
 */
export async function settleDelivery(
  tx: Tx,
  delivery: Pick<DeliveryRow, 'id' | 'attempts'>,
  outcome: DeliveryOutcome,
): Promise<boolean> {
  const result = await tx
    .updateTable('webhook_deliveries')
    .set({ ...outcome, leased_until: 0 })
    .where('id', '=', delivery.id)
    .where('state', '=', 'pending')
    .where('attempts', '=', delivery.attempts)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Makes a delivery that has ended due again, with all its tries. */
export async function reviveDelivery(tx: Tx, delivery: DeliveryRow, now: number): Promise<DeliveryRow> {
  const change = {
    state: 'pending',
    attempts_before: delivery.attempts,
    next_attempt_at: now,
    leased_until: 0,
    done_at: null,
  };
  await tx.updateTable('webhook_deliveries').set(change).where('id', '=', delivery.id).execute();
  return { ...delivery, ...change };
}

export async function findDelivery(
  exec: Executor,
  workspaceId: string,
  webhookId: string,
  id: string,
): Promise<DeliveryRow | undefined> {
  return await exec
    .selectFrom('webhook_deliveries')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('webhook_id', '=', webhookId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Newest first. `after` is creation time and id of the last row of the page before. */
export async function listDeliveries(
  exec: Executor,
  workspaceId: string,
  webhookId: string,
  after: CursorValues | null,
  limit: number,
): Promise<DeliveryRow[]> {
  let query = exec
    .selectFrom('webhook_deliveries')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('webhook_id', '=', webhookId);
  if (after !== null) query = query.where(isBehind(sql.ref('created_at'), after, 'desc'));
  return await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

export async function listOldDeliveryIds(exec: Executor, before: number, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('webhook_deliveries')
    .select('id')
    .where('done_at', '<', before)
    .orderBy('done_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Of these, what is still old: one that was replayed meanwhile is under way again. */
export async function deleteDeliveries(
  exec: Executor,
  ids: readonly string[],
  before: number,
): Promise<void> {
  await exec.deleteFrom('webhook_deliveries').where('id', 'in', ids).where('done_at', '<', before).execute();
}

/** Ids of old events that no delivery needs any more. */
export async function listOldEventIds(exec: Executor, before: number, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('events')
    .select('events.id')
    .where('is_fanned_out', '=', 1)
    .where('events.created_at', '<', before)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('webhook_deliveries')
            .select('webhook_deliveries.id')
            .whereRef('webhook_deliveries.event_id', '=', 'events.id'),
        ),
      ),
    )
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function deleteEvents(exec: Executor, ids: readonly string[]): Promise<void> {
  await exec.deleteFrom('events').where('id', 'in', ids).execute();
}
