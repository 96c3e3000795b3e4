import Type from 'typebox';
import { ListQuery, pageOf, refTo } from '../../../http/index.ts';
import { EVENT_TYPES } from '../../../jobs/index.ts';

export const WEBHOOKS_MAX = 20;
export const URL_CHARACTERS_MAX = 512;
const DESCRIPTION_CHARACTERS_MAX = 256;
/** Sent on request, to one webhook, whatever types it wants. */
export const TEST_EVENT = 'webhook.test';

const Instant = Type.String({ format: 'date-time' });
const NullableInstant = Type.Union([Instant, Type.Null()]);

const Url = Type.String({
  minLength: 1,
  maxLength: URL_CHARACTERS_MAX,
  description:
    'An https address without user, password and fragment. It must lead to public addresses, unless the operator allows a private network.',
});
const Description = Type.String({ maxLength: DESCRIPTION_CHARACTERS_MAX });
const EventTypes = Type.Array(Type.Enum(EVENT_TYPES), {
  maxItems: EVENT_TYPES.length,
  uniqueItems: true,
  description: 'Types of events that are sent; empty for all, also those of later releases.',
});
const State = Type.Union([Type.Literal('active'), Type.Literal('disabled')]);

export const WebhookSchema = Type.Object(
  {
    id: Type.String(),
    url: Type.String(),
    description: Type.String(),
    eventTypes: Type.Array(Type.String()),
    state: State,
    disabledReason: Type.Union(
      [Type.Literal('manual'), Type.Literal('gone'), Type.Literal('failures'), Type.Null()],
      {
        description:
          '`manual`: by an administrator; `gone`: the receiver answered 410; `failures`: all tries of a delivery failed.',
      },
    ),
    oldSecretUntil: Type.Union([Instant, Type.Null()], {
      description: 'Until then messages are also signed by the secret before the last rotation.',
    }),
    createdAt: Instant,
    createdBy: Type.Union([Type.String(), Type.Null()], { description: 'Id of an account.' }),
    updatedAt: Instant,
    version: Type.Integer(),
  },
  { $id: 'Webhook', additionalProperties: false },
);
export const WebhookPageSchema = pageOf(refTo(WebhookSchema));

export const WebhookSecretSchema = Type.Object(
  {
    webhook: refTo(WebhookSchema),
    secret: Type.String({
      description:
        '`whsec_` and 32 bytes in base64, by which the receiver checks signatures. Shown this once.',
    }),
  },
  { $id: 'WebhookSecret', additionalProperties: false },
);

export const CreateWebhookSchema = Type.Object(
  {
    url: Url,
    description: Type.Optional(Description),
    eventTypes: Type.Optional(EventTypes),
  },
  { additionalProperties: false },
);
export const WebhookPatchSchema = Type.Object(
  {
    url: Type.Optional(Url),
    description: Type.Optional(Description),
    eventTypes: Type.Optional(EventTypes),
    state: Type.Optional(State),
  },
  { additionalProperties: false, minProperties: 1 },
);
export const RotateSecretSchema = Type.Object(
  {
    overlapHours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 168,
        default: 24,
        description: 'Hours for which messages are signed by the old secret too.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const WebhookDeliverySchema = Type.Object(
  {
    id: Type.String(),
    eventId: Type.String({ description: 'The `webhook-id` of the message, the same over all tries.' }),
    eventType: Type.String(),
    state: Type.Union([Type.Literal('pending'), Type.Literal('sent'), Type.Literal('failed')], {
      description: '`pending`: on its way; `sent`: the receiver answered 2xx; `failed`: given up.',
    }),
    attempts: Type.Integer({ description: 'Tries so far.' }),
    lastStatus: Type.Union([Type.Integer(), Type.Null()], {
      description: 'Status of the last answer; null without one.',
    }),
    lastError: Type.Union([Type.String(), Type.Null()], {
      description:
        'Why the last try failed: `refused_address`, `unreachable`, `timeout`, `tls`, `status` (no 2xx), `disabled` (the webhook was), or `internal`.',
    }),
    createdAt: Instant,
    lastAttemptAt: NullableInstant,
    nextAttemptAt: Type.Union([Instant, Type.Null()], { description: 'Null once it has ended.' }),
    doneAt: NullableInstant,
  },
  { $id: 'WebhookDelivery', additionalProperties: false },
);
export const WebhookDeliveryPageSchema = pageOf(refTo(WebhookDeliverySchema));

export const WebhookParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const DeliveryParams = Type.Object({
  id: Type.String({ maxLength: 64 }),
  deliveryId: Type.String({ maxLength: 64 }),
});
export const PageQuerySchema = Type.Object(
  { limit: ListQuery.limit, cursor: ListQuery.cursor },
  { additionalProperties: false },
);
