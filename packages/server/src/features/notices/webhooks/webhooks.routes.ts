import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import {
  EmptyResponse,
  problemResponse,
  type RouteAuth,
  readIfMatch,
  refTo,
  toEtag,
} from '../../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../../lib/page.ts';
import { presentDelivery, presentSecret, presentWebhook } from './webhooks.present.ts';
import {
  CreateWebhookSchema,
  DeliveryParams,
  PageQuerySchema,
  RotateSecretSchema,
  WebhookDeliveryPageSchema,
  WebhookDeliverySchema,
  WebhookPageSchema,
  WebhookParams,
  WebhookPatchSchema,
  WebhookSchema,
  WebhookSecretSchema,
} from './webhooks.schema.ts';
import type { WebhooksService } from './webhooks.service.ts';

const FOR_ADMINS = {
  kinds: ['session', 'key', 'token'],
  resource: 'webhooks',
  isAdminOnly: true,
} as const;
const READ: RouteAuth = { ...FOR_ADMINS, action: 'iam:webhooks:read' };
const WRITE: RouteAuth = { ...FOR_ADMINS, action: 'iam:webhooks:write' };
const tags = ['webhooks'];
const OVERLAP_HOURS = 24;

export function registerWebhookRoutes(root: FastifyInstance, service: WebhooksService): void {
  for (const schema of [WebhookSchema, WebhookSecretSchema, WebhookDeliverySchema]) root.addSchema(schema);
  registerReading(root, service);
  registerMaking(root, service);
  registerChanging(root, service);
  registerDeliveries(root, service);
}

function registerReading(root: FastifyInstance, service: WebhooksService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/webhooks',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listWebhooks',
        tags,
        summary: 'Webhooks of the workspace',
        querystring: PageQuerySchema,
        response: { 200: WebhookPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = await service.list(request.caller, { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor });
      return { items: page.items.map(presentWebhook), nextCursor: page.nextCursor };
    },
  );
  app.get(
    '/v1/webhooks/:id',
    {
      config: { auth: READ },
      schema: {
        operationId: 'getWebhook',
        tags,
        summary: 'A webhook',
        params: WebhookParams,
        response: { 200: refTo(WebhookSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const webhook = await service.get(request.caller, request.params.id);
      return reply.header('etag', toEtag(webhook.version)).send(presentWebhook(webhook));
    },
  );
}

function registerMaking(root: FastifyInstance, service: WebhooksService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/v1/webhooks',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'createWebhook',
        tags,
        summary: 'Create a webhook',
        description:
          'Events of the chosen types are sent to the address from now on, signed by the Standard Webhooks specification. The secret is in this answer only.',
        body: CreateWebhookSchema,
        response: { 201: refTo(WebhookSecretSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const created = await service.create(request.caller, request.body);
      return reply
        .code(201)
        .header('etag', toEtag(created.webhook.version))
        .header('cache-control', 'no-store')
        .send(presentSecret(created));
    },
  );
  app.post(
    '/v1/webhooks/:id/rotate-secret',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'rotateWebhookSecret',
        tags,
        summary: 'A new secret for the same webhook',
        description:
          'Messages carry signatures by both secrets for `overlapHours`. The new secret is in this answer only.',
        params: WebhookParams,
        body: RotateSecretSchema,
        response: { 200: refTo(WebhookSecretSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const { overlapHours = OVERLAP_HOURS } = request.body;
      const rotated = await service.rotateSecret(request.caller, request.params.id, overlapHours);
      return reply
        .header('etag', toEtag(rotated.webhook.version))
        .header('cache-control', 'no-store')
        .send(presentSecret(rotated));
    },
  );
}

function registerChanging(root: FastifyInstance, service: WebhooksService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.patch(
    '/v1/webhooks/:id',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'updateWebhook',
        tags,
        summary: 'Change, disable or enable a webhook',
        description:
          'Disabling gives up what waits. Enabling begins with new events; what was given up can be replayed.',
        params: WebhookParams,
        body: WebhookPatchSchema,
        response: { 200: refTo(WebhookSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const webhook = await service.update(request.caller, id, request.body, readIfMatch(request));
      return reply.header('etag', toEtag(webhook.version)).send(presentWebhook(webhook));
    },
  );
  app.delete(
    '/v1/webhooks/:id',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'deleteWebhook',
        tags,
        summary: 'Delete a webhook',
        params: WebhookParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.remove(request.caller, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function registerDeliveries(root: FastifyInstance, service: WebhooksService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const accepted = { 202: refTo(WebhookDeliverySchema), default: problemResponse };
  app.post(
    '/v1/webhooks/:id/test',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'testWebhook',
        tags,
        summary: 'Send a test event',
        description:
          'An event `webhook.test` is sent once, within seconds. Read in the deliveries how it fared.',
        params: WebhookParams,
        response: accepted,
      },
    },
    async (request, reply) =>
      reply.code(202).send(presentDelivery(await service.test(request.caller, request.params.id))),
  );
  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listWebhookDeliveries',
        tags,
        summary: 'Deliveries of the last 30 days and how they fared',
        params: WebhookParams,
        querystring: PageQuerySchema,
        response: { 200: WebhookDeliveryPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = request.query;
      const page = await service.listDeliveries(request.caller, request.params.id, { limit, cursor });
      return { items: page.items.map(presentDelivery), nextCursor: page.nextCursor };
    },
  );
  app.post(
    '/v1/webhooks/:id/deliveries/:deliveryId/replay',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'replayWebhookDelivery',
        tags,
        summary: 'Send a delivery once more',
        description:
          'The same message under the same `webhook-id`, with all tries: a receiver that took it before can tell.',
        params: DeliveryParams,
        response: accepted,
      },
    },
    async (request, reply) => {
      const { id, deliveryId } = request.params;
      return reply.code(202).send(presentDelivery(await service.replay(request.caller, id, deliveryId)));
    },
  );
}
