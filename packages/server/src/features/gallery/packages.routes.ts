import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { EmptyResponse, problemResponse, type RouteAuth, refTo } from '../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { presentPackage, presentPackageDetail } from './packages.present.ts';
import {
  OwnerParams,
  PackageDetailSchema,
  PackagePageSchema,
  PackageParams,
  PackageSchema,
  PackagesQuerySchema,
  PackageVersionSchema,
  VersionsQuerySchema,
} from './packages.schema.ts';
import type { PackagesService } from './packages.service.ts';

const READ: RouteAuth = { kinds: ['session', 'key', 'token'], action: 'package:read' };
const OWNERS: RouteAuth = { kinds: ['session'], action: null };
const tags = ['packages'];

/** Packages as their managers see them: lists, versions, owners. */
export function registerPackageRoutes(root: FastifyInstance, service: PackagesService): void {
  root.addSchema(PackageSchema);
  root.addSchema(PackageVersionSchema);
  root.addSchema(PackageDetailSchema);
  registerReading(root, service);
  registerOwners(root, service);
}

function registerReading(root: FastifyInstance, service: PackagesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/packages',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listPackages',
        tags,
        summary: 'Packages that you may see',
        querystring: PackagesQuerySchema,
        response: { 200: PackagePageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { q, owner, limit, cursor } = request.query;
      const page = await service.list(
        request.caller,
        { q, ownerId: owner },
        { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor },
      );
      return { items: page.items.map(presentPackage), nextCursor: page.nextCursor };
    },
  );
  app.get(
    '/v1/packages/:id',
    {
      config: { auth: READ },
      schema: {
        operationId: 'getPackage',
        tags,
        summary: 'A package with its versions',
        params: PackageParams,
        querystring: VersionsQuerySchema,
        response: { 200: refTo(PackageDetailSchema), default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor };
      return presentPackageDetail(await service.get(request.caller, request.params.id, page));
    },
  );
}

function registerOwners(root: FastifyInstance, service: PackagesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const response = { 204: EmptyResponse, default: problemResponse };
  const description = 'Owners, managers of an owning service account, and administrators.';
  app.put(
    '/v1/packages/:id/owners/:accountId',
    {
      config: { auth: OWNERS },
      schema: {
        operationId: 'addPackageOwner',
        tags,
        summary: 'Add an owner',
        description,
        params: OwnerParams,
        response,
      },
    },
    async (request, reply) => {
      await service.addOwner(request.caller, request.params.id, request.params.accountId);
      return reply.code(204).send(null);
    },
  );
  app.delete(
    '/v1/packages/:id/owners/:accountId',
    {
      config: { auth: OWNERS },
      schema: {
        operationId: 'removePackageOwner',
        tags,
        summary: 'Remove an owner, but never the last one',
        description,
        params: OwnerParams,
        response,
      },
    },
    async (request, reply) => {
      await service.removeOwner(request.caller, request.params.id, request.params.accountId);
      return reply.code(204).send(null);
    },
  );
}
