import { Readable } from 'node:stream';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { problemResponse, type RouteAuth, whileAdmitted } from '../../http/index.ts';
import { parseInstant, toIso } from '../../lib/clock.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { presentAuditEntry } from './audit.present.ts';
import {
  AuditActionsSchema,
  AuditChainSchema,
  AuditEntrySchema,
  AuditExportQuerySchema,
  AuditPageSchema,
  AuditQuerySchema,
} from './audit.schema.ts';
import type { AuditService } from './audit.service.ts';
import { AUDIT_ACTIONS } from './audit-actions.ts';
import type { AuditQuery } from './audit-reader.ts';

const READ: RouteAuth = {
  kinds: ['session', 'key', 'token'],
  action: 'iam:audit:read',
  resource: 'audit',
  isAdminOnly: true,
};
const tags = ['audit'];

function toQuery(wire: Static<typeof AuditExportQuerySchema>): AuditQuery {
  return {
    q: wire.q,
    accountId: wire.account,
    actorId: wire.actor,
    keyId: wire.key,
    action: wire.action,
    outcome: wire.outcome,
    since: parseInstant(wire.since),
    until: parseInstant(wire.until),
  };
}

export function registerAuditRoutes(root: FastifyInstance, service: AuditService): void {
  root.addSchema(AuditEntrySchema);
  registerReading(root, service);
  registerExport(root, service);
  registerChain(root, service);
}

function registerReading(root: FastifyInstance, service: AuditService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/audit',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listAudit',
        tags,
        summary: 'Who did what when',
        querystring: AuditQuerySchema,
        response: { 200: AuditPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor, ...filters } = request.query;
      const page = await service.list(request.caller, toQuery(filters), {
        limit: limit ?? PAGE_LIMIT_DEFAULT,
        cursor,
      });
      return { items: page.items.map(presentAuditEntry), nextCursor: page.nextCursor };
    },
  );
  app.get(
    '/v1/audit/actions',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listAuditActions',
        tags,
        summary: 'The actions that the log can hold',
        response: { 200: AuditActionsSchema, default: problemResponse },
      },
    },
    async () => ({ actions: [...AUDIT_ACTIONS] }),
  );
}

function registerExport(root: FastifyInstance, service: AuditService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/audit/export',
    {
      config: { auth: READ },
      // An answer without its body would be read from the database and thrown away.
      exposeHeadRoute: false,
      schema: {
        operationId: 'exportAudit',
        tags,
        summary: 'The log as a CSV file',
        description:
          'Newest first, at most 100,000 rows; UTF-8 with a byte order mark. Cells that a spreadsheet would take for formulas begin with an apostrophe. The export is itself recorded. It breaks off when the caller loses the right to it.',
        querystring: AuditExportQuerySchema,
        response: {
          200: {
            description: 'The file.',
            content: { 'text/csv': { schema: Type.Unsafe<Readable>(Type.String()) } },
          },
          default: problemResponse,
        },
      },
    },
    async (request, reply) => {
      const { at, pieces } = await service.exportCsv(request.caller, toQuery(request.query));
      const fileName = `keyreeve-audit-${toIso(at).slice(0, 10)}.csv`;
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${fileName}"`)
        .send(Readable.from(whileAdmitted(request, pieces), { objectMode: false }));
    },
  );
}

function registerChain(root: FastifyInstance, service: AuditService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/audit/chain',
    {
      config: { auth: READ },
      schema: {
        operationId: 'getAuditChain',
        tags,
        summary: 'Where the log ends, and who has signed it',
        description:
          'Each row carries the hash of the one before it. Keep checkpoints and the fingerprint of the key elsewhere: whoever changes the log later cannot change those.',
        response: { 200: AuditChainSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { publicKeys, checkpoints, ...rest } = await service.getChain(request.caller);
      return { ...rest, publicKeys: [...publicKeys], checkpoints: [...checkpoints] };
    },
  );
  app.get(
    '/v1/audit/chain/export',
    {
      config: { auth: READ },
      exposeHeadRoute: false,
      schema: {
        operationId: 'exportAuditChain',
        tags,
        summary: 'The whole log, to be verified without a server',
        description:
          'JSON Lines: all rows, oldest first, with their hashes, the signed checkpoints and the public keys. `keyreeve audit verify --file` checks it. There are no filters, since a part of a log cannot be verified. The export is itself recorded, and its last row is signed.',
        querystring: Type.Object({}, { additionalProperties: false }),
        response: {
          200: {
            description: 'The file.',
            content: { 'application/jsonl': { schema: Type.Unsafe<Readable>(Type.String()) } },
          },
          default: problemResponse,
        },
      },
    },
    async (request, reply) => {
      const { at, pieces } = await service.exportChain(request.caller);
      const fileName = `keyreeve-audit-chain-${toIso(at).slice(0, 10)}.jsonl`;
      return reply
        .type('application/jsonl; charset=utf-8')
        .header('content-disposition', `attachment; filename="${fileName}"`)
        .send(Readable.from(whileAdmitted(request, pieces), { objectMode: false }));
    },
  );
}
