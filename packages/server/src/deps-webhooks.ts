import type { Config } from './config/index.ts';
import {
  createAddressRules,
  createDeliveryQueue,
  createFanOut,
  createWebhookSender,
  createWebhooksService,
  createWebhookTransport,
  type FanOut,
  type WebhookSender,
  type WebhooksService,
} from './features/notices/index.ts';

export interface WebhookServices {
  readonly webhooks: WebhooksService;
  readonly fanOut: FanOut;
  readonly webhookSender: WebhookSender;
}

/** What they stand on. */
type Base = Omit<Parameters<typeof createWebhooksService>[0], 'rules'> &
  Omit<Parameters<typeof createWebhookSender>[0], 'queue' | 'transport'> &
  Parameters<typeof createDeliveryQueue>[0] &
  Parameters<typeof createFanOut>[0] & { readonly config: Config };

/** The part of the composition root that tells programs of events. */
export function createWebhookServices(base: Base): WebhookServices {
  const { host, port, webhooks: limits } = base.config;
  const rules = createAddressRules({ ...limits, own: { host, port } });
  const queue = createDeliveryQueue(base);
  const transport = createWebhookTransport({ rules });
  return {
    webhooks: createWebhooksService({ ...base, rules }),
    fanOut: createFanOut(base),
    webhookSender: createWebhookSender({ ...base, queue, transport }),
  };
}
