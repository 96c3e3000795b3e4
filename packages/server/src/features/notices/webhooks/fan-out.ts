import { type Clock, DAY_MS } from '../../../lib/clock.ts';
import { newId } from '../../../lib/ids.ts';
import type { Random } from '../../../lib/random.ts';
import { inTransaction, type Storage, type Tx } from '../../../storage/index.ts';
import {
  type DeliveryRow,
  deleteDeliveries,
  deleteEvents,
  type EventRow,
  insertDeliveries,
  listNewEvents,
  listOldDeliveryIds,
  listOldEventIds,
  markFannedOut,
} from './deliveries.repo.ts';
import { dropEndedSecrets, listActiveWebhooks, type Webhook } from './webhooks.repo.ts';
import { WEBHOOKS_MAX } from './webhooks.schema.ts';

export interface FanOut {
  /**
   * Turns new events into deliveries: one for each active webhook of the workspace that wants the type. An event and
   * all its deliveries share a transaction, so that any number of processes, killed at any time, makes each
   * delivery once. Returns how many events it handled.
   */
  run(signal?: AbortSignal): Promise<number>;
  /** Forgets what is older than 30 days, and old secrets whose overlap is over. Returns how many rows it deleted. */
  sweep(signal?: AbortSignal): Promise<number>;
}

const KEEP_MS = 30 * DAY_MS;
/** With 20 webhooks a workspace, a transaction writes at most a thousand rows. */
const EVENTS_AT_ONCE = 50;
const SWEEP_ROWS = 500;

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
}

function wants({ workspaceId, eventTypes }: Webhook, event: EventRow): boolean {
  return workspaceId === event.workspace_id && (eventTypes.length === 0 || eventTypes.includes(event.type));
}

/** A delivery that is due now. */
export function newDelivery(random: Random, now: number, webhookId: string, event: EventRow): DeliveryRow {
  return {
    id: newId(random, 'delivery'),
    workspace_id: event.workspace_id,
    webhook_id: webhookId,
    event_id: event.id,
    event_type: event.type,
    state: 'pending',
    attempts: 0,
    attempts_before: 0,
    last_attempt_at: null,
    last_status: null,
    last_error: null,
    next_attempt_at: now,
    leased_until: 0,
    created_at: now,
    done_at: null,
  };
}

export function createFanOut(deps: Deps): FanOut {
  const { storage, clock, random } = deps;

  const fanOutSome = async (tx: Tx): Promise<number> => {
    const events = await listNewEvents(tx, EVENTS_AT_ONCE);
    if (events.length === 0) return 0;
    const workspaceIds = [...new Set(events.map((event) => event.workspace_id))];
    const webhooks = await listActiveWebhooks(tx, workspaceIds, workspaceIds.length * WEBHOOKS_MAX);
    const now = clock.now();
    const deliveries = events.flatMap((event) =>
      webhooks
        .filter((webhook) => wants(webhook, event))
        .map((webhook) => newDelivery(random, now, webhook.id, event)),
    );
    await insertDeliveries(tx, deliveries);
    await markFannedOut(
      tx,
      events.map((event) => event.id),
    );
    return events.length;
  };

  /** In small pieces: one large delete would keep other writers waiting. */
  const deletePieces = async (
    list: (limit: number) => Promise<string[]>,
    remove: (tx: Tx, ids: readonly string[]) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<number> => {
    let count = 0;
    for (;;) {
      const ids = await list(SWEEP_ROWS);
      if (ids.length > 0) await inTransaction(storage, (tx) => remove(tx, ids));
      count += ids.length;
      if (ids.length < SWEEP_ROWS || signal?.aborted === true) return count;
    }
  };

  return {
    run: async (signal) => {
      let count = 0;
      for (;;) {
        // Mostly there is nothing new; finding that out must not take the write lock.
        const isIdle = (await listNewEvents(storage.read, 1)).length === 0;
        if (isIdle || signal?.aborted === true) return count;
        count += await inTransaction(storage, fanOutSome);
      }
    },
    sweep: async (signal) => {
      const before = clock.now() - KEEP_MS;
      await inTransaction(storage, (tx) => dropEndedSecrets(tx, clock.now()));
      const deliveries = await deletePieces(
        (limit) => listOldDeliveryIds(storage.read, before, limit),
        (tx, ids) => deleteDeliveries(tx, ids, before),
        signal,
      );
      const events = await deletePieces(
        (limit) => listOldEventIds(storage.read, before, limit),
        deleteEvents,
        signal,
      );
      return deliveries + events;
    },
  };
}
