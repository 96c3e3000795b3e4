export { createMailTransport } from './mail-transport.ts';
export { registerMailboxRoutes } from './mailbox.routes.ts';
export { createMailboxService, type MailboxService } from './mailbox.service.ts';
export { registerPageRoutes } from './pages.routes.ts';
export { createNoticeSender, type NoticeSender } from './sender.service.ts';
export {
  createAddressRules,
  createDeliveryQueue,
  createFanOut,
  createWebhookSender,
  createWebhooksService,
  createWebhookTransport,
  type FanOut,
  registerWebhookRoutes,
  type WebhookSender,
  type WebhooksService,
} from './webhooks/index.ts';
