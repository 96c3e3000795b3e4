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
import { toIso } from '../../../lib/clock.ts';
import { PAGE_LIMIT_DEFAULT } from '../../../lib/page.ts';
import { presentAccountName } from '../../accounts/index.ts';
import {
  CreatePrefixSchema,
  PackagePrefixPageSchema,
  PackagePrefixSchema,
  PrefixParams,
  PrefixPatchSchema,
  PrefixQuerySchema,
} from './prefixes.schema.ts';
import type { PrefixesService, PrefixView } from './prefixes.service.ts';

const FOR_ADMINS = {
  kinds: ['session', 'key', 'token'],
  resource: 'package-prefixes',
  isAdminOnly: true,
} as const;
const READ: RouteAuth = { ...FOR_ADMINS, action: 'iam:prefixes:read' };
const WRITE: RouteAuth = { ...FOR_ADMINS, action: 'iam:prefixes:write' };
const tags = ['packages'];

function presentPrefix({ prefix, accounts }: PrefixView) {
  return {
    id: prefix.id,
    pattern: prefix.pattern,
    accounts: accounts.map(presentAccountName),
    createdAt: toIso(prefix.createdAt),
    createdBy: prefix.createdBy,
    version: prefix.version,
  };
}

/** Ids reserved for accounts, by administrators. */
export function registerPrefixRoutes(root: FastifyInstance, service: PrefixesService): void {
  root.addSchema(PackagePrefixSchema);
  registerReading(root, service);
  registerChanging(root, service);
}

function registerReading(root: FastifyInstance, service: PrefixesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/package-prefixes',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listPackagePrefixes',
        tags,
        summary: 'Reserved package ids',
        querystring: PrefixQuerySchema,
        response: { 200: PackagePrefixPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = await service.list(request.caller, { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor });
      return { items: page.items.map(presentPrefix), nextCursor: page.nextCursor };
    },
  );
  app.get(
    '/v1/package-prefixes/:id',
    {
      config: { auth: READ },
      schema: {
        operationId: 'getPackagePrefix',
        tags,
        summary: 'A reservation of package ids',
        params: PrefixParams,
        response: { 200: refTo(PackagePrefixSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const view = await service.get(request.caller, request.params.id);
      return reply.header('etag', toEtag(view.prefix.version)).send(presentPrefix(view));
    },
  );
}

function registerChanging(root: FastifyInstance, service: PrefixesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/v1/package-prefixes',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'createPackagePrefix',
        tags,
        summary: 'Reserve package ids for accounts',
        description:
          'From now on, new ids that match are pushed in the name of these accounts alone. Where several reservations match an id, the longest decides. Existing packages keep their owners and take new versions.',
        body: CreatePrefixSchema,
        response: { 201: refTo(PackagePrefixSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const view = await service.create(request.caller, request.body);
      return reply.code(201).header('etag', toEtag(view.prefix.version)).send(presentPrefix(view));
    },
  );
  app.patch(
    '/v1/package-prefixes/:id',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'updatePackagePrefix',
        tags,
        summary: 'Reserve the same ids for other accounts',
        params: PrefixParams,
        body: PrefixPatchSchema,
        response: { 200: refTo(PackagePrefixSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const ifMatch = readIfMatch(request);
      const view = await service.update(request.caller, request.params.id, request.body.accountIds, ifMatch);
      return reply.header('etag', toEtag(view.prefix.version)).send(presentPrefix(view));
    },
  );
  app.delete(
    '/v1/package-prefixes/:id',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'deletePackagePrefix',
        tags,
        summary: 'Let everybody use reserved package ids again',
        params: PrefixParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.remove(request.caller, request.params.id);
      return reply.code(204).send(null);
    },
  );
}
