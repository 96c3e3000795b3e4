import { type AppError, type FieldFault, requestErrors } from '../../../errors/index.ts';
import { type Caller, readCursor, requireAuthenticated } from '../../../http/index.ts';
import type { EventType } from '../../../jobs/index.ts';
import { type Clock, HOUR_MS, toIso } from '../../../lib/clock.ts';
import { newId } from '../../../lib/ids.ts';
import { type Page, toPage } from '../../../lib/page.ts';
import type { Random } from '../../../lib/random.ts';
import type { Secret } from '../../../lib/secret.ts';
import { hasHiddenText } from '../../../lib/text.ts';
import { inTransaction, type Keyring, type Storage, type Tx } from '../../../storage/index.ts';
import type { AuditService } from '../../audit/index.ts';
import type { AddressRules, TargetFault } from './address-rules.ts';
import {
  type DeliveryRow,
  findDelivery,
  insertDeliveries,
  insertEvent,
  listDeliveries,
  reviveDelivery,
} from './deliveries.repo.ts';
import { newDelivery } from './fan-out.ts';
import { newWebhookSecret } from './signature.ts';
import { webhookErrors } from './webhooks.errors.ts';
import {
  countWebhooks,
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  updateWebhook,
  type Webhook,
  type WebhookState,
} from './webhooks.repo.ts';
import { TEST_EVENT, URL_CHARACTERS_MAX, WEBHOOKS_MAX } from './webhooks.schema.ts';

export interface WebhookInput {
  readonly url: string;
  readonly description?: string | undefined;
  readonly eventTypes?: readonly EventType[] | undefined;
}

interface WebhookPatch {
  readonly url?: string | undefined;
  readonly description?: string | undefined;
  readonly eventTypes?: readonly EventType[] | undefined;
  readonly state?: WebhookState | undefined;
}

export interface WebhookWithSecret {
  readonly webhook: Webhook;
  readonly secret: Secret;
}

interface PageWish {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Webhooks of the caller's workspace. The route has decided that the caller may; every change is audited. */
export interface WebhooksService {
  list(caller: Caller, page: PageWish): Promise<Page<Webhook>>;
  /** @throws request.not_found */
  get(caller: Caller, id: string): Promise<Webhook>;
  /**
   * A new webhook with its secret, which is in this answer only.
   *
   * @throws request.invalid, webhook.too_many
   */
  create(caller: Caller, input: WebhookInput): Promise<WebhookWithSecret>;
  /**
   * Changes what is given. Enabling begins with new events; what was given up is replayed one by one.
   *
   * @throws request.not_found, request.invalid, request.precondition_failed
   */
  update(caller: Caller, id: string, patch: WebhookPatch, ifMatch: number | null): Promise<Webhook>;
  /** @throws request.not_found */
  remove(caller: Caller, id: string): Promise<void>;
  /**
   * A new secret. The one before it signs too for `overlapHours`; an older one ends at once.
   *
   * @throws request.not_found
   */
  rotateSecret(caller: Caller, id: string, overlapHours: number): Promise<WebhookWithSecret>;
  /**
   * Sends an event `webhook.test`, once. How it fared stands in the log of deliveries.
   *
   * @throws request.not_found, webhook.disabled
   */
  test(caller: Caller, id: string): Promise<DeliveryRow>;
  /** Deliveries of the last 30 days, newest first. @throws request.not_found */
  listDeliveries(caller: Caller, id: string, page: PageWish): Promise<Page<DeliveryRow>>;
  /**
   * Sends a delivery that has ended once more, under the same id and with all tries.
   *
   * @throws request.not_found, webhook.disabled, webhook.delivery_pending
   */
  replay(caller: Caller, id: string, deliveryId: string): Promise<DeliveryRow>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly audit: AuditService;
  readonly rules: AddressRules;
}

const URL_FAULTS: Readonly<Record<TargetFault, FieldFault>> = {
  unreadable: { field: 'url', message: 'must be an address like https://hooks.example.com/keyreeve' },
  scheme: { field: 'url', message: 'must start with https://' },
  credentials: { field: 'url', message: 'must have no user, password or fragment' },
  port: { field: 'url', message: 'has a port that webhooks may not go to' },
  network: { field: 'url', message: 'leads to an address that webhooks may not go to' },
};

/** Sealed secrets open in their place only. */
export function secretPlace(webhookId: string): string {
  return `webhooks/${webhookId}/secret`;
}

/** Paths and queries of such addresses are often secrets themselves. */
function hostOf({ url }: Webhook): string {
  return new URL(url).host;
}

function describe({ field, message }: FieldFault): string {
  return `${field} ${message}.`;
}

function invalid(fault: FieldFault): AppError {
  return requestErrors.invalid({ detail: describe(fault), fields: [fault] });
}

function checkDescription(text: string): string {
  if (!hasHiddenText(text)) return text;
  throw invalid({
    field: 'description',
    message: 'contains control or text-direction characters; remove them',
  });
}

function changesOf(before: Webhook, after: Webhook): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  if (before.url !== after.url) changes['host'] = { from: hostOf(before), to: hostOf(after) };
  for (const name of ['description', 'eventTypes', 'state'] as const) {
    if (JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      changes[name] = { from: before[name], to: after[name] };
  }
  return changes;
}

class Webhooks implements WebhooksService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(caller: Caller, page: PageWish): Promise<Page<Webhook>> {
    const after = readCursor(page.cursor, [0, '']);
    const rows = await listWebhooks(this.#deps.storage.read, caller.workspace.id, after, page.limit + 1);
    return toPage(rows, page.limit, (row) => [row.createdAt, row.id]);
  }

  async get(caller: Caller, id: string): Promise<Webhook> {
    const webhook = await findWebhook(this.#deps.storage.read, caller.workspace.id, id);
    if (webhook === undefined) throw requestErrors.not_found();
    return webhook;
  }

  async create(caller: Caller, input: WebhookInput): Promise<WebhookWithSecret> {
    const { storage, clock, random, keyring } = this.#deps;
    const { principal, workspace } = requireAuthenticated(caller);
    const url = this.#checkUrl(input.url);
    const id = newId(random, 'webhook');
    const secret = newWebhookSecret(random);
    const now = clock.now();
    const webhook: Webhook = {
      id,
      workspaceId: workspace.id,
      url,
      description: checkDescription(input.description ?? ''),
      eventTypes: input.eventTypes ?? [],
      state: 'active',
      disabledReason: null,
      sealedSecret: keyring.seal(secret.reveal(), secretPlace(id)),
      sealedOldSecret: null,
      oldSecretUntil: null,
      createdAt: now,
      createdBy: principal.account.id,
      updatedAt: now,
      version: 1,
    };
    await inTransaction(storage, async (tx) => {
      if ((await countWebhooks(tx, workspace.id)) >= WEBHOOKS_MAX) throw webhookErrors.too_many();
      await insertWebhook(tx, webhook);
      const { description, eventTypes } = webhook;
      await this.#record(tx, caller, 'webhook.created', webhook, { description, eventTypes });
    });
    return { webhook, secret };
  }

  async update(caller: Caller, id: string, patch: WebhookPatch, ifMatch: number | null): Promise<Webhook> {
    const { storage, clock } = this.#deps;
    const url = patch.url === undefined ? undefined : this.#checkUrl(patch.url);
    const description = patch.description === undefined ? undefined : checkDescription(patch.description);
    return await inTransaction(storage, async (tx) => {
      const stored = await this.#find(tx, caller, id);
      if (ifMatch !== null && ifMatch !== stored.version)
        throw requestErrors.precondition_failed({ extra: { version: stored.version } });
      const state = patch.state ?? stored.state;
      const disabledReason = stored.state === 'disabled' ? stored.disabledReason : 'manual';
      const changed: Webhook = {
        ...stored,
        url: url ?? stored.url,
        description: description ?? stored.description,
        eventTypes: patch.eventTypes ?? stored.eventTypes,
        state,
        disabledReason: state === 'active' ? null : disabledReason,
        updatedAt: clock.now(),
        version: stored.version + 1,
      };
      const detail = changesOf(stored, changed);
      if (Object.keys(detail).length === 0 && changed.url === stored.url) return stored;
      await updateWebhook(tx, changed);
      await this.#record(tx, caller, 'webhook.changed', changed, detail);
      return changed;
    });
  }

  async remove(caller: Caller, id: string): Promise<void> {
    await inTransaction(this.#deps.storage, async (tx) => {
      const webhook = await this.#find(tx, caller, id);
      await deleteWebhook(tx, caller.workspace.id, id);
      await this.#record(tx, caller, 'webhook.deleted', webhook, {});
    });
  }

  async rotateSecret(caller: Caller, id: string, overlapHours: number): Promise<WebhookWithSecret> {
    const { storage, clock, random, keyring } = this.#deps;
    const secret = newWebhookSecret(random);
    const webhook = await inTransaction(storage, async (tx) => {
      const stored = await this.#find(tx, caller, id);
      const now = clock.now();
      const rotated: Webhook = {
        ...stored,
        sealedSecret: keyring.seal(secret.reveal(), secretPlace(id)),
        sealedOldSecret: overlapHours === 0 ? null : stored.sealedSecret,
        oldSecretUntil: overlapHours === 0 ? null : now + overlapHours * HOUR_MS,
        updatedAt: now,
        version: stored.version + 1,
      };
      await updateWebhook(tx, rotated);
      await this.#record(tx, caller, 'webhook.secret_rotated', rotated, { overlapHours });
      return rotated;
    });
    return { webhook, secret };
  }

  async test(caller: Caller, id: string): Promise<DeliveryRow> {
    const { storage, clock, random } = this.#deps;
    const { account } = requireAuthenticated(caller).principal;
    return await inTransaction(storage, async (tx) => {
      const webhook = await this.#find(tx, caller, id);
      if (webhook.state !== 'active') throw webhookErrors.disabled();
      const now = clock.now();
      const event = {
        id: newId(random, 'event'),
        workspace_id: webhook.workspaceId,
        type: TEST_EVENT,
        created_at: now,
      };
      const data = { webhook: { id }, actor: { id: account.id, displayName: account.displayName } };
      const body = JSON.stringify({ type: TEST_EVENT, timestamp: toIso(now), data });
      await insertEvent(tx, { ...event, body, is_fanned_out: 1 });
      const delivery = newDelivery(random, now, id, event);
      await insertDeliveries(tx, [delivery]);
      await this.#record(tx, caller, 'webhook.tested', webhook, { deliveryId: delivery.id });
      return delivery;
    });
  }

  async listDeliveries(caller: Caller, id: string, page: PageWish): Promise<Page<DeliveryRow>> {
    const { read } = this.#deps.storage;
    const after = readCursor(page.cursor, [0, '']);
    const { workspaceId } = await this.get(caller, id);
    const rows = await listDeliveries(read, workspaceId, id, after, page.limit + 1);
    return toPage(rows, page.limit, (row) => [row.created_at, row.id]);
  }

  async replay(caller: Caller, id: string, deliveryId: string): Promise<DeliveryRow> {
    const { storage, clock } = this.#deps;
    return await inTransaction(storage, async (tx) => {
      const webhook = await this.#find(tx, caller, id);
      const delivery = await findDelivery(tx, caller.workspace.id, id, deliveryId);
      if (delivery === undefined) throw requestErrors.not_found();
      if (webhook.state !== 'active') throw webhookErrors.disabled();
      if (delivery.state === 'pending') throw webhookErrors.delivery_pending();
      const revived = await reviveDelivery(tx, delivery, clock.now());
      await this.#record(tx, caller, 'webhook.replayed', webhook, { deliveryId });
      return revived;
    });
  }

  #checkUrl(text: string): string {
    const target = this.#deps.rules.read(text);
    if (typeof target === 'string') throw invalid(URL_FAULTS[target]);
    // Spelled out, letters beyond ASCII take more room than they were typed in.
    if (target.url.length > URL_CHARACTERS_MAX)
      throw invalid({ field: 'url', message: `is longer than ${URL_CHARACTERS_MAX} characters` });
    return target.url;
  }

  async #find(tx: Tx, caller: Caller, id: string): Promise<Webhook> {
    const webhook = await findWebhook(tx, caller.workspace.id, id);
    if (webhook === undefined) throw requestErrors.not_found();
    return webhook;
  }

  async #record(
    tx: Tx,
    caller: Caller,
    action: Parameters<AuditService['record']>[2]['action'],
    webhook: Webhook,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const target = { kind: 'webhook', id: webhook.id, name: hostOf(webhook) };
    await this.#deps.audit.record(tx, caller, { action, target, detail });
  }
}

export function createWebhooksService(deps: Deps): WebhooksService {
  return new Webhooks(deps);
}
