import type { Config } from '../config/index.ts';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS } from '../lib/clock.ts';
import { nextTurn } from '../lib/turns.ts';
import {
  type Executor,
  inTransaction,
  type Keyring,
  type OutboxTable,
  type Storage,
  type Tx,
} from '../storage/index.ts';
import { type Notice, PRIORITIES } from './notices.ts';
import {
  addToMailRate,
  deleteOutbox,
  leaseOutbox,
  listDueIds,
  listOldIds,
  readMailRate,
  settleOutbox,
} from './outbox.repo.ts';
import { openBody } from './outbox-body.ts';

/**
 * How long a process has a mail to itself. A send must be over well before, so that the outcome is written
 * in time even when the clocks of two nodes differ by some seconds.
 */
const LEASE_MS = 60_000;

/** The pauses after the first tries; later ones are an hour apart. */
const RETRY_DELAYS_MS = [10_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS];
const GIVE_UP_AFTER_MS = 3 * DAY_MS;
/**
 * So often, most of a day, also a mail is tried whose three days were over when its first try came: behind many
 * others at a low rate, or because the server was down.
 */
const TRIES_MIN = 24;
const KEEP_MS = 30 * DAY_MS;
const SWEEP_ROWS = 100;
/** What goes out at the configured rate, the first before the second. */
const AT_RATE = [PRIORITIES.alarm, PRIORITIES.bulk];

/** A mail that this process, and no other, may send now. */
export type ClaimedMail = OutboxTable;

export type MailOutcome =
  | { readonly kind: 'sent' }
  /** Not now; a later try may succeed. */
  | { readonly kind: 'retry'; readonly reason: string }
  /** Never: another try would end in the same way. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Kept here to be read, because there is no SMTP server. */
  | { readonly kind: 'mailbox' };

/** What became of a mail; `lost` when another process took it over after our lease had ended. */
export type MailState = 'sent' | 'pending' | 'failed' | 'mailbox' | 'lost';

export interface OutboxQueue {
  /**
   * Takes up to `limit` due mails for this process, for a minute, those that somebody waits for first. Any number
   * of processes may ask at the same time: each mail goes to one of them, and of the others (refusals, then expiry
   * notices) they take together no more in a minute than the configured rate. A mail whose process died is due again when its
   * minute is over.
   */
  claimDue(limit: number): Promise<readonly ClaimedMail[]>;
  /** What the mail has to say. @throws Error when the stored text was altered or does not open here */
  open(mail: Pick<OutboxTable, 'id' | 'kind' | 'row_key' | 'sealed_payload'>): Notice;
  /**
   * Writes how a try ended. A mail that was sent or given up loses its payload: what it said, secrets and
   * links among it, is needed no more. After three days of failures and 24 tries a mail is given up.
   */
  settle(tx: Tx, mail: ClaimedMail, outcome: MailOutcome): Promise<MailState>;
  /** Deletes what was sent, given up or kept in the mailbox more than 30 days ago. Returns how many. */
  sweep(signal?: AbortSignal): Promise<number>;
}

/** When the next try is due after `attempts` tries that failed; null when there is none any more. */
function nextAttemptAt(attempts: number, createdAt: number, now: number): number | null {
  const next = now + (RETRY_DELAYS_MS[attempts - 1] ?? HOUR_MS);
  return next > createdAt + GIVE_UP_AFTER_MS && attempts >= TRIES_MIN ? null : next;
}

async function isIdle(exec: Executor, priorities: readonly number[], now: number): Promise<boolean> {
  for (const priority of priorities) {
    if ((await listDueIds(exec, priority, now, 1)).length > 0) return false;
  }
  return true;
}

/** Takes what is there of the rate of this minute. The row of the rate stays locked until the transaction ends. */
async function listDueAtRate(tx: Tx, perMinuteMax: number, now: number, limit: number): Promise<string[]> {
  if (limit <= 0 || (await isIdle(tx, AT_RATE, now))) return [];
  const left = Math.min(limit, perMinuteMax - (await readMailRate(tx, Math.floor(now / MINUTE_MS))));
  const ids: string[] = [];
  for (const priority of AT_RATE) {
    if (ids.length < left) ids.push(...(await listDueIds(tx, priority, now, left - ids.length)));
  }
  await addToMailRate(tx, ids.length);
  return ids;
}

export function createOutboxQueue(deps: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly config: Pick<Config, 'bulkMailsPerMinute'>;
}): OutboxQueue {
  const { storage, clock, keyring } = deps;

  const finish = async (
    tx: Tx,
    mail: ClaimedMail,
    state: 'sent' | 'failed' | 'mailbox',
    reason: string | null,
  ): Promise<MailState> => {
    const end = { state, last_error: reason, next_attempt_at: mail.next_attempt_at, done_at: clock.now() };
    const outcome = state === 'mailbox' ? end : { ...end, sealed_payload: null, row_key: null };
    return (await settleOutbox(tx, mail.id, mail.attempts, outcome)) ? state : 'lost';
  };

  return {
    claimDue: async (limit) => {
      // Mostly there is nothing to send; finding that out must not take the write lock.
      if (await isIdle(storage.read, Object.values(PRIORITIES), clock.now())) return [];
      return await inTransaction(storage, async (tx) => {
        const now = clock.now();
        const urgent = await listDueIds(tx, PRIORITIES.urgent, now, limit);
        const { bulkMailsPerMinute } = deps.config;
        const atRate = await listDueAtRate(tx, bulkMailsPerMinute, now, limit - urgent.length);
        const ids = [...urgent, ...atRate];
        const claimed: ClaimedMail[] = [];
        for (const id of ids) {
          const row = await leaseOutbox(tx, id, now, now + LEASE_MS);
          if (row !== undefined) claimed.push(row);
        }
        return claimed;
      });
    },
    open: (mail) => {
      const payload: unknown = JSON.parse(openBody(keyring, mail));
      return { kind: mail.kind, payload } as Notice;
    },
    settle: async (tx, mail, outcome) => {
      if (outcome.kind === 'sent' || outcome.kind === 'mailbox')
        return await finish(tx, mail, outcome.kind, null);
      const next =
        outcome.kind === 'failed' ? null : nextAttemptAt(mail.attempts, mail.created_at, clock.now());
      if (next === null) return await finish(tx, mail, 'failed', outcome.reason);
      const retry = { state: 'pending', last_error: outcome.reason, next_attempt_at: next, done_at: null };
      return (await settleOutbox(tx, mail.id, mail.attempts, retry)) ? 'pending' : 'lost';
    },
    sweep: async (signal) => {
      const before = clock.now() - KEEP_MS;
      let count = 0;
      for (;;) {
        // In small pieces: one large delete would keep other writers waiting.
        const ids = await listOldIds(storage.read, before, SWEEP_ROWS);
        if (ids.length > 0) await inTransaction(storage, (tx) => deleteOutbox(tx, ids));
        await nextTurn();
        count += ids.length;
        if (ids.length < SWEEP_ROWS || signal?.aborted === true) return count;
      }
    },
  };
}
