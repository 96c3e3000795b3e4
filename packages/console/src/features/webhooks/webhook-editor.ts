import { queryClient } from '../../api/query-client.ts';
import { type AccountEditor, type AccountKit, toPatch } from '../accounts/use-account-editor.ts';
import type { EventType } from './event-texts.ts';
import { WEBHOOK_FIELDS, type WebhookValues } from './webhook-fields.tsx';
import { updateWebhook, type Webhook, type WebhookPatch, webhookQuery } from './webhooks-queries.ts';

export type WebhookEditor = AccountEditor<Webhook, WebhookValues>;

/** How a webhook becomes fields of a form and back. */
export const WEBHOOK_KIT: AccountKit<Webhook, WebhookValues> = {
  fields: WEBHOOK_FIELDS,
  toValues: ({ url, description, eventTypes }) => ({
    url,
    description,
    // A newer server may know more types; they are kept as they are.
    eventTypes: eventTypes as readonly EventType[],
  }),
  save: (seen, values, changed) => updateWebhook(seen, toPatch(values, changed, []) as WebhookPatch),
  reload: (id) => queryClient.fetchQuery({ ...webhookQuery(id), staleTime: 0 }),
};
