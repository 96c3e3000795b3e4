import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { requestErrors } from '../../errors/index.ts';
import { problemResponse } from '../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { presentAuditEntry } from './audit.present.ts';
import { AuditEntrySchema, AuditPageSchema, AuditQuerySchema } from './audit.schema.ts';
import type { AuditService } from './audit.service.ts';

/** The format also allows instants that no clock of ours shows: the 60th second of a leap minute. */
function toInstant(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw requestErrors.invalid({
      fields: [{ field, message: 'is not an instant like 2027-03-01T09:00:00Z' }],
    });
  return at;
}

export function registerAuditRoutes(root: FastifyInstance, service: AuditService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(AuditEntrySchema);
  app.get(
    '/v1/audit',
    {
      config: {
        auth: {
          kinds: ['session', 'key', 'token'],
          action: 'iam:audit:read',
          resource: 'audit',
          isAdminOnly: true,
        },
      },
      schema: {
        operationId: 'listAudit',
        tags: ['audit'],
        summary: 'Who did what when',
        querystring: AuditQuerySchema,
        response: { 200: AuditPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { account, key, action, since, until, limit, cursor } = request.query;
      const page = await service.list(
        request.caller,
        {
          accountId: account,
          keyId: key,
          action,
          since: toInstant('since', since),
          until: toInstant('until', until),
        },
        { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor },
      );
      return { items: page.items.map(presentAuditEntry), nextCursor: page.nextCursor };
    },
  );
}
