import { type Clock, HOUR_MS, MINUTE_MS } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import { inTransaction, type Storage, type Tx } from '../../../storage/index.ts';
import {
  type DeliveryRow,
  endStranded,
  findEventBody,
  leaseDelivery,
  listDue,
  listDueWebhookIds,
  listStrandedIds,
  listStrandedWebhookIds,
  settleDelivery,
} from './deliveries.repo.ts';
import { toWireBody } from './event-body.ts';
import type { DeliveryError } from './transport.ts';
import { findWebhook, type Webhook } from './webhooks.repo.ts';
import { TEST_EVENT } from './webhooks.schema.ts';

/** A delivery that this process, and no other, may send now. */
export interface ClaimedDelivery {
  readonly row: DeliveryRow;
  readonly webhook: Webhook;
  /** Null when the event is gone, which nothing but a hand in the database does. */
  readonly body: string | null;
}

export type TryOutcome =
  | { readonly kind: 'sent'; readonly status: number }
  | {
      readonly kind: 'failed';
      /** `internal`: the fault is ours, and the log of the server says which. */
      readonly error: DeliveryError | 'internal';
      readonly status: number | null;
      /** How long the receiver wants to be left alone. */
      readonly retryAfterMs: number;
      /** The receiver says that it is no more. */
      readonly isGone: boolean;
    };

/** What is due, and may be taken by another process in this moment. */
interface Candidate {
  readonly id: string;
  readonly eventId: string;
  readonly webhook: Webhook;
}

/** `gone` and `failures`: it was the last try, and the webhook ought to be disabled; `lost`: another process took over. */
export type Settled = 'sent' | 'pending' | 'failed' | 'gone' | 'failures' | 'lost';

export interface DeliveryQueue {
  /**
   * Takes due deliveries for this process, for a minute: at most `limit`, and for each webhook at most as many as
   * `freeOf` says. Any number of processes may ask at the same time: each delivery goes to one of them. A delivery
   * whose process died is due again when its minute is over.
   */
  claimDue(limit: number, freeOf: (webhookId: string) => number): Promise<readonly ClaimedDelivery[]>;
  /** Writes how a try ended, and when the next one is due. */
  settle(tx: Tx, delivery: DeliveryRow, outcome: TryOutcome): Promise<Settled>;
  /** Gives up what waits for webhooks that were disabled or deleted. Returns how many. */
  endStranded(): Promise<number>;
}

/** Well over the 20 seconds of a try, so that its outcome is written in time even when clocks differ somewhat. */
const LEASE_MS = 60_000;
/** The pauses after each failed try, as the specification proposes them. */
const RETRY_DELAYS_MS = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
/** Up to a tenth more, so that what failed together does not come back together. */
const JITTER = 0.1;
const RETRY_AFTER_MAX_MS = 24 * HOUR_MS;
const WEBHOOKS_AT_ONCE = 1_000;
const STRANDED_AT_ONCE = 500;

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
}

class Queue implements DeliveryQueue {
  readonly #deps: Deps;
  /** The next claim begins behind this webhook: with more of them than places, all get their turn. */
  #lastWebhookId = '';

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async claimDue(limit: number, freeOf: (webhookId: string) => number): Promise<readonly ClaimedDelivery[]> {
    const { storage, clock } = this.#deps;
    const due = await listDueWebhookIds(storage.read, clock.now(), WEBHOOKS_AT_ONCE);
    const inTurn = [...due.filter((id) => id > this.#lastWebhookId), ...due]
      .slice(0, due.length)
      .filter((id) => freeOf(id) > 0)
      .slice(0, limit);
    if (inTurn.length === 0) return [];
    const claimed = await inTransaction(storage, async (tx) => {
      const candidates: Candidate[] = [];
      for (const webhookId of inTurn) {
        const free = Math.min(limit - candidates.length, freeOf(webhookId));
        candidates.push(...(await this.#listCandidates(tx, webhookId, free)));
      }
      return await this.#lease(tx, candidates);
    });
    this.#lastWebhookId = claimed.at(-1)?.webhook.id ?? '';
    return claimed;
  }

  async #listCandidates(tx: Tx, webhookId: string, limit: number): Promise<Candidate[]> {
    const due = limit <= 0 ? [] : await listDue(tx, webhookId, this.#deps.clock.now(), limit);
    const [first] = due;
    const webhook = first && (await findWebhook(tx, first.workspace_id, webhookId));
    // Disabled since it was listed: what waits for it is given up in the next round.
    if (webhook?.state !== 'active') return [];
    return due.map(({ id, event_id }) => ({ id, eventId: event_id, webhook }));
  }

  /**
   * Takes the rows in the order of their ids: each process begins behind another webhook, and two that took the same
   * rows the other way round would wait for each other until PostgreSQL ended one of them.
   */
  async #lease(tx: Tx, candidates: readonly Candidate[]): Promise<ClaimedDelivery[]> {
    const now = this.#deps.clock.now();
    const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
    const claimed = new Map<string, ClaimedDelivery>();
    for (const id of [...byId.keys()].toSorted()) {
      const row = await leaseDelivery(tx, id, now, now + LEASE_MS);
      const candidate = byId.get(id);
      if (row === undefined || candidate === undefined) continue;
      const { eventId, webhook } = candidate;
      const body = await findEventBody(tx, eventId);
      claimed.set(id, { row, webhook, body: body === null ? null : toWireBody(body) });
    }
    return candidates.flatMap(({ id }) => claimed.get(id) ?? []);
  }

  async settle(tx: Tx, delivery: DeliveryRow, outcome: TryOutcome): Promise<Settled> {
    const now = this.#deps.clock.now();
    const { next_attempt_at } = delivery;
    if (outcome.kind === 'sent') {
      const end = { state: 'sent', last_status: outcome.status, last_error: null, next_attempt_at };
      return (await settleDelivery(tx, delivery, { ...end, done_at: now })) ? 'sent' : 'lost';
    }
    const failure = { last_status: outcome.status, last_error: outcome.error };
    const next = outcome.isGone ? null : this.#nextAttemptAt(delivery, outcome.retryAfterMs, now);
    const change =
      next === null
        ? { ...failure, state: 'failed', next_attempt_at, done_at: now }
        : { ...failure, state: 'pending', next_attempt_at: next, done_at: null };
    if (!(await settleDelivery(tx, delivery, change))) return 'lost';
    if (next !== null) return 'pending';
    if (outcome.isGone) return 'gone';
    return delivery.event_type === TEST_EVENT ? 'failed' : 'failures';
  }

  /** Null when there is no further try. */
  #nextAttemptAt(delivery: DeliveryRow, retryAfterMs: number, now: number): number | null {
    // Whoever tests is waiting for the answer, and sees it in the log at once.
    if (delivery.event_type === TEST_EVENT) return null;
    const delay = RETRY_DELAYS_MS[delivery.attempts - delivery.attempts_before - 1];
    if (delay === undefined) return null;
    const [share = 0] = this.#deps.random.bytes(1);
    const jittered = Math.round(delay * (1 + (JITTER * share) / 255));
    return now + Math.max(jittered, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS));
  }

  async endStranded(): Promise<number> {
    const { storage, clock } = this.#deps;
    let count = 0;
    for (const webhookId of await listStrandedWebhookIds(storage.read, WEBHOOKS_AT_ONCE)) {
      count += await inTransaction(storage, async (tx) => {
        const now = clock.now();
        const ids = await listStrandedIds(tx, webhookId, now, STRANDED_AT_ONCE);
        if (ids.length > 0) await endStranded(tx, ids, now);
        return ids.length;
      });
    }
    return count;
  }
}

export function createDeliveryQueue(deps: Deps): DeliveryQueue {
  return new Queue(deps);
}
