import type { Static } from 'typebox';
import { toIso, toIsoOrNull } from '../../../lib/clock.ts';
import type { DeliveryRow } from './deliveries.repo.ts';
import type { Webhook } from './webhooks.repo.ts';
import type { WebhookDeliverySchema, WebhookSchema, WebhookSecretSchema } from './webhooks.schema.ts';
import type { WebhookWithSecret } from './webhooks.service.ts';

export function presentWebhook(webhook: Webhook): Static<typeof WebhookSchema> {
  return {
    id: webhook.id,
    url: webhook.url,
    description: webhook.description,
    eventTypes: [...webhook.eventTypes],
    state: webhook.state,
    disabledReason: webhook.disabledReason,
    oldSecretUntil: toIsoOrNull(webhook.oldSecretUntil),
    createdAt: toIso(webhook.createdAt),
    createdBy: webhook.createdBy,
    updatedAt: toIso(webhook.updatedAt),
    version: webhook.version,
  };
}

/** The only way of a secret out of the server. */
export function presentSecret({ webhook, secret }: WebhookWithSecret): Static<typeof WebhookSecretSchema> {
  return { webhook: presentWebhook(webhook), secret: secret.reveal() };
}

export function presentDelivery(row: DeliveryRow): Static<typeof WebhookDeliverySchema> {
  const state = row.state as Static<typeof WebhookDeliverySchema>['state'];
  return {
    id: row.id,
    eventId: row.event_id,
    eventType: row.event_type,
    state,
    attempts: row.attempts,
    lastStatus: row.last_status,
    lastError: row.last_error,
    createdAt: toIso(row.created_at),
    lastAttemptAt: toIsoOrNull(row.last_attempt_at),
    nextAttemptAt: state === 'pending' ? toIso(row.next_attempt_at) : null,
    doneAt: toIsoOrNull(row.done_at),
  };
}
