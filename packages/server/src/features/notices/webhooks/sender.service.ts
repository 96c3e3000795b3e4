import { setTimeout as pause } from 'node:timers/promises';
import { systemCaller, type Workspace } from '../../../http/index.ts';
import type { NoticePayloads } from '../../../jobs/index.ts';
import type { Clock } from '../../../lib/clock.ts';
import { Secret } from '../../../lib/secret.ts';
import { inTransaction, type Keyring, type Storage, type Tx } from '../../../storage/index.ts';
import type { AuditService } from '../../audit/index.ts';
import type { WorkspacesService } from '../../workspaces/index.ts';
import type { ClaimedDelivery, DeliveryQueue, Settled, TryOutcome } from './delivery-queue.ts';
import { signatureHeaders } from './signature.ts';
import type { PostResult, WebhookTransport } from './transport.ts';
import { findWebhook, updateWebhook, type Webhook } from './webhooks.repo.ts';
import { secretPlace } from './webhooks.service.ts';

export interface WebhookSender {
  /**
   * Sends what is due until nothing is left or the signal is aborted, and waits for the tries that it began.
   * Returns how many it made.
   *
   * Delivery is at least once: when the process dies between the answer and its record, the delivery is sent again
   * under the same id.
   */
  sendDue(signal?: AbortSignal): Promise<number>;
}

interface WebhookLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Who the administrators of a workspace are, this feature does not know. */
interface AdminNotices {
  tellAdmins(
    tx: Tx,
    workspaceId: string,
    kind: 'webhook.disabled',
    payload: NoticePayloads['webhook.disabled'],
  ): Promise<number>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly queue: DeliveryQueue;
  readonly transport: WebhookTransport;
  readonly audit: AuditService;
  readonly workspaces: WorkspacesService;
  readonly accountNotices: AdminNotices;
  readonly logger: WebhookLogger;
}

/** Tries that one process makes side by side. */
const PARALLEL_MAX = 20;
/** Of these, to one webhook: a slow receiver holds up only itself. */
const PARALLEL_PER_WEBHOOK_MAX = 2;
/** While slow receivers are awaited, what has become due for others is looked for this often. */
const LOOK_AGAIN_MS = 500;

/** Statuses of a receiver that is overloaded, whose `Retry-After` counts. */
const BUSY_STATUSES = [429, 502, 503, 504];
const GONE_STATUS = 410;

/** `Retry-After` in either of its forms (RFC 9110, 10.2.3); 0 when there is none that makes sense. */
function toRetryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

function toOutcome(result: PostResult, now: number): TryOutcome {
  if (result.kind === 'failed')
    return { kind: 'failed', error: result.error, status: null, retryAfterMs: 0, isGone: false };
  const { status, retryAfter } = result;
  if (status >= 200 && status < 300) return { kind: 'sent', status };
  return {
    kind: 'failed',
    error: 'status',
    status,
    retryAfterMs: BUSY_STATUSES.includes(status) ? toRetryAfterMs(retryAfter, now) : 0,
    isGone: status === GONE_STATUS,
  };
}

class Sender implements WebhookSender {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async sendDue(signal?: AbortSignal): Promise<number> {
    const { queue } = this.#deps;
    const running = new Map<Promise<void>, string>();
    const faults: unknown[] = [];
    let tries = 0;
    const freeOf = (webhookId: string) =>
      PARALLEL_PER_WEBHOOK_MAX - [...running.values()].filter((id) => id === webhookId).length;
    const begin = (delivery: ClaimedDelivery) => {
      const run = this.#deliver(delivery)
        .catch((error: unknown) => void faults.push(error))
        .finally(() => running.delete(run));
      running.set(run, delivery.webhook.id);
      tries += 1;
    };
    await queue.endStranded();
    for (;;) {
      // What could not be written is sent again when its minute is over, and not before: no more of it now.
      const isOver = signal?.aborted === true || faults.length > 0;
      const batch = isOver ? [] : await queue.claimDue(PARALLEL_MAX - running.size, freeOf);
      batch.forEach(begin);
      if (running.size === 0) break;
      await this.#waitForAny(running);
    }
    if (faults.length > 0) throw faults[0];
    return tries;
  }

  async #waitForAny(running: ReadonlyMap<Promise<void>, string>): Promise<void> {
    const over = new AbortController();
    const look = pause(LOOK_AGAIN_MS, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([...running.keys(), look]);
    over.abort();
  }

  /** Makes one try and writes how it ended. Throws only when that could not be written. */
  async #deliver(delivery: ClaimedDelivery): Promise<void> {
    const { storage, queue, workspaces } = this.#deps;
    const workspace = await workspaces.findById(delivery.row.workspace_id);
    const outcome = await this.#try(delivery);
    const settled = await inTransaction(storage, async (tx) => {
      const result = await queue.settle(tx, delivery.row, outcome);
      if (workspace !== null && (result === 'gone' || result === 'failures'))
        await this.#disable(tx, workspace, delivery, { reason: result, lastStatus: outcome.status });
      return result;
    });
    this.#log(delivery, settled, outcome);
  }

  async #try({ row, webhook, body }: ClaimedDelivery): Promise<TryOutcome> {
    const { clock, transport, logger } = this.#deps;
    try {
      if (body === null) throw new Error(`The event ${row.event_id} is gone.`);
      const timestampSeconds = Math.floor(clock.now() / 1_000);
      const message = { id: row.event_id, timestampSeconds, body };
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Keyreeve',
        ...signatureHeaders(message, this.#openSecrets(webhook)),
      };
      return toOutcome(await transport.post(webhook.url, headers, body), clock.now());
    } catch (error) {
      logger.error({ err: error, delivery: row.id, webhook: webhook.id }, 'a delivery could not be prepared');
      return { kind: 'failed', error: 'internal', status: null, retryAfterMs: 0, isGone: false };
    }
  }

  /** The newest first; the one before it as long as the overlap lasts. */
  #openSecrets({ id, sealedSecret, sealedOldSecret, oldSecretUntil }: Webhook): Secret[] {
    const { keyring, clock } = this.#deps;
    const isOverlapping = oldSecretUntil !== null && clock.now() < oldSecretUntil;
    const sealed = [sealedSecret, ...(isOverlapping && sealedOldSecret !== null ? [sealedOldSecret] : [])];
    return sealed.map((text) => new Secret(keyring.open(text, secretPlace(id))));
  }

  async #disable(
    tx: Tx,
    workspace: Workspace,
    { row, webhook: tried }: ClaimedDelivery,
    { reason, lastStatus }: { readonly reason: 'gone' | 'failures'; readonly lastStatus: number | null },
  ): Promise<void> {
    const { clock, audit, accountNotices } = this.#deps;
    const webhook = await findWebhook(tx, row.workspace_id, row.webhook_id);
    // What the receiver at the old address said is no verdict on the one that was set meanwhile.
    if (webhook?.state !== 'active' || webhook.url !== tried.url) return;
    const now = clock.now();
    const { id, description } = webhook;
    const { host } = new URL(webhook.url);
    await updateWebhook(tx, {
      ...webhook,
      state: 'disabled',
      disabledReason: reason,
      updatedAt: now,
      version: webhook.version + 1,
    });
    await audit.record(tx, systemCaller(workspace, 'webhooks'), {
      action: 'webhook.disabled',
      target: { kind: 'webhook', id, name: host },
      detail: { reason, deliveryId: row.id, eventType: row.event_type, attempts: row.attempts },
    });
    const pageUrl = `${workspace.url}/webhooks/${id}`;
    const story = { host, description, reason, at: now, lastStatus, pageUrl };
    await accountNotices.tellAdmins(tx, workspace.id, 'webhook.disabled', story);
  }

  #log({ row, webhook }: ClaimedDelivery, settled: Settled, outcome: TryOutcome): void {
    const { logger } = this.#deps;
    const details = {
      delivery: row.id,
      webhook: webhook.id,
      workspace: row.workspace_id,
      event: row.event_type,
      attempt: row.attempts,
      state: settled,
      status: outcome.status,
    };
    if (settled === 'sent') logger.info(details, 'a webhook was delivered');
    else
      logger.warn(
        { ...details, error: outcome.kind === 'failed' ? outcome.error : null },
        'a webhook was not delivered',
      );
  }
}

export function createWebhookSender(deps: Deps): WebhookSender {
  return new Sender(deps);
}
