import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse } from '../../http/index.ts';
import { parseInstant } from '../../lib/clock.ts';
import { KeyParams } from './keys.schema.ts';
import type { KeysService } from './keys.service.ts';
import { presentUsage } from './usage.present.ts';
import { KeyUsageQuerySchema, KeyUsageSchema, keyUsageRef } from './usage.schema.ts';
import type { UsageReader } from './usage-history.ts';

export function registerUsageRoutes(
  root: FastifyInstance,
  { keys, usageReader }: { readonly keys: KeysService; readonly usageReader: UsageReader },
): void {
  root.addSchema(KeyUsageSchema);
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/keys/:keyId/usage',
    {
      config: { auth: { kinds: ['session', 'key', 'token'], action: 'iam:keys:read' } },
      schema: {
        operationId: 'getKeyUsage',
        tags: ['keys'],
        summary: 'Uses of a key over time, and by action',
        params: KeyParams,
        querystring: KeyUsageQuerySchema,
        response: { 200: keyUsageRef, default: problemResponse },
      },
    },
    async (request) => {
      const key = await keys.get(request.caller, request.params.keyId);
      const { by, from, to } = request.query;
      return presentUsage(
        await usageReader.read(key, { by, from: parseInstant(from), to: parseInstant(to) }),
      );
    },
  );
}
