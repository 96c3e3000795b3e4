export { createAddressRules } from './address-rules.ts';
export { createDeliveryQueue } from './delivery-queue.ts';
export { createFanOut, type FanOut } from './fan-out.ts';
export { createWebhookSender, type WebhookSender } from './sender.service.ts';
export { createWebhookTransport } from './transport.ts';
export { registerWebhookRoutes } from './webhooks.routes.ts';
export { createWebhooksService, type WebhooksService } from './webhooks.service.ts';
