import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse, refTo } from '../../http/index.ts';
import { presentOverview } from './overview.present.ts';
import { OverviewQuery, OverviewSchema } from './overview.schema.ts';
import type { OverviewService } from './overview.service.ts';

const HOURS_DEFAULT = 168;

export function registerOverviewRoutes(root: FastifyInstance, service: OverviewService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(OverviewSchema);
  app.get(
    '/v1/overview',
    {
      config: { auth: { kinds: ['session', 'key', 'token'], action: 'iam:keys:read' } },
      schema: {
        operationId: 'getOverview',
        tags: ['keys'],
        summary: 'Keys and verifications in numbers',
        description: 'Covers the keys that the caller may see.',
        querystring: OverviewQuery,
        response: { 200: refTo(OverviewSchema), default: problemResponse },
      },
    },
    async (request) =>
      presentOverview(await service.read(request.caller, request.query.hours ?? HOURS_DEFAULT)),
  );
}
