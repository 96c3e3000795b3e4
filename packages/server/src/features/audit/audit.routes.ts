import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse } from '../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { presentAuditEntry } from './audit.present.ts';
import { AuditEntrySchema, AuditPageSchema, AuditQuerySchema } from './audit.schema.ts';
import type { AuditService } from './audit.service.ts';

export function registerAuditRoutes(root: FastifyInstance, service: AuditService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(AuditEntrySchema);
  app.get(
    '/v1/audit',
    {
      config: { auth: { kinds: ['session', 'key', 'token'], action: 'iam:audit:read', resource: 'audit', isAdminOnly: true } },
      schema: { operationId: 'listAudit', tags: ['audit'], summary: 'Who did what when', querystring: AuditQuerySchema, response: { 200: AuditPageSchema, default: problemResponse } },
    },
    async (request) => {
      const { account, key, action, since, until, limit, cursor } = request.query;
      const page = await service.list(
        request.caller,
        {
          accountId: account,
          keyId: key,
          action,
          since: since === undefined ? undefined : Date.parse(since),
          until: until === undefined ? undefined : Date.parse(until),
        },
        { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor },
      );
      return { items: page.items.map(presentAuditEntry), nextCursor: page.nextCursor };
    },
  );
}
