import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse, readIfMatch, refTo, toEtag } from '../../http/index.ts';
import { SettingsPatchSchema, SettingsSchema } from './settings.schema.ts';
import type { SettingsService } from './settings.service.ts';

export function registerSettingsRoutes(root: FastifyInstance, service: SettingsService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(SettingsSchema);
  const response = { 200: refTo(SettingsSchema), default: problemResponse };
  app.get(
    '/v1/settings',
    {
      config: {
        auth: { kinds: ['session', 'key', 'token'], action: 'iam:settings:read', resource: 'settings' },
      },
      schema: {
        operationId: 'getSettings',
        tags: ['settings'],
        summary: 'Settings of the workspace',
        response,
      },
    },
    async (request, reply) => {
      const stored = await service.getStored(request.caller);
      return reply.header('etag', toEtag(stored.version)).send(stored.settings);
    },
  );
  app.patch(
    '/v1/settings',
    {
      config: {
        auth: {
          kinds: ['session', 'key', 'token'],
          action: 'iam:settings:write',
          resource: 'settings',
          isAdminOnly: true,
        },
      },
      schema: {
        operationId: 'updateSettings',
        tags: ['settings'],
        summary: 'Change settings',
        body: SettingsPatchSchema,
        response,
      },
    },
    async (request, reply) => {
      const stored = await service.update(request.caller, request.body, readIfMatch(request));
      return reply.header('etag', toEtag(stored.version)).send(stored.settings);
    },
  );
}
