import { type BodyOf, type components, ifMatch } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { boxSecret, type SecretBox } from '../keys/secret-box.ts';

export type Webhook = components['schemas']['Webhook'];
export type Delivery = components['schemas']['WebhookDelivery'];
export type WebhookPatch = BodyOf<'updateWebhook'>;

/** A workspace has at most 20, so one page holds them. */
const WEBHOOKS_LISTED = 200;
const PENDING_REFETCH_MS = 2_000;

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks', 'list'],
  queryFn: async ({ signal }): Promise<readonly Webhook[]> =>
    (await api.GET('/v1/webhooks', { params: { query: { limit: WEBHOOKS_LISTED } }, signal })).data.items,
});

export function webhookQuery(id: string) {
  return queryOptions({
    queryKey: ['webhooks', 'one', id],
    queryFn: async ({ signal }): Promise<Webhook> =>
      (await api.GET('/v1/webhooks/{id}', { params: { path: { id } }, signal })).data,
  });
}

export interface DeliveryPage {
  readonly items: readonly Delivery[];
  readonly nextCursor: string | null;
}

export function deliveriesQuery(id: string, limit: number, cursor: string | undefined) {
  return queryOptions({
    queryKey: ['webhooks', 'deliveries', id, limit, cursor],
    queryFn: async ({ signal }): Promise<DeliveryPage> => {
      const query = { limit, ...(cursor === undefined ? {} : { cursor }) };
      const init = { params: { path: { id }, query }, signal };
      return (await api.GET('/v1/webhooks/{id}/deliveries', init)).data;
    },
    refetchInterval: ({ state }) =>
      state.data?.items.some((delivery) => delivery.state === 'pending') === true
        ? PENDING_REFETCH_MS
        : false,
  });
}

/** Keeps what the server has answered to a change, and lets the list ask again. */
function adopt(webhook: Webhook): Webhook {
  queryClient.setQueryData(webhookQuery(webhook.id).queryKey, webhook);
  void queryClient.invalidateQueries(webhooksQuery);
  return webhook;
}

/** A webhook without its fresh secret, and the box that holds that. */
export interface SealedWebhook {
  readonly webhook: Webhook;
  readonly box: SecretBox;
}

function seal(answer: components['schemas']['WebhookSecret']): SealedWebhook {
  const box = boxSecret(answer.webhook.id, answer.secret);
  answer.secret = '';
  return { webhook: adopt(answer.webhook), box };
}

export async function createWebhook(body: BodyOf<'createWebhook'>): Promise<SealedWebhook> {
  return seal((await api.POST('/v1/webhooks', { body })).data);
}

export async function rotateSecret(id: string, overlapHours: number): Promise<SealedWebhook> {
  const init = { params: { path: { id } }, body: { overlapHours } };
  return seal((await api.POST('/v1/webhooks/{id}/rotate-secret', init)).data);
}

/** @throws KeyreeveError request.precondition_failed when it is no longer in the version that was seen */
export async function updateWebhook(
  seen: { readonly id: string; readonly version: number },
  body: WebhookPatch,
): Promise<Webhook> {
  const init = { params: { path: { id: seen.id } }, headers: ifMatch(seen.version), body };
  return adopt((await api.PATCH('/v1/webhooks/{id}', init)).data);
}

export async function deleteWebhook(id: string): Promise<void> {
  await api.DELETE('/v1/webhooks/{id}', { params: { path: { id } } });
  queryClient.removeQueries(webhookQuery(id));
  await queryClient.invalidateQueries({ queryKey: ['webhooks'] });
}

async function refreshDeliveries(id: string): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: ['webhooks', 'deliveries', id] });
}

export async function sendTest(id: string): Promise<void> {
  await api.POST('/v1/webhooks/{id}/test', { params: { path: { id } } });
  await refreshDeliveries(id);
}

export async function replayDelivery(id: string, deliveryId: string): Promise<void> {
  await api.POST('/v1/webhooks/{id}/deliveries/{deliveryId}/replay', {
    params: { path: { id, deliveryId } },
  });
  await refreshDeliveries(id);
}
