import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { EmptyResponse, problemResponse, type RouteAuth, refTo } from '../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { DeprecationSchema } from './deprecations/deprecations.schema.ts';
import { registerOwnerRoutes } from './owners/owners.routes.ts';
import {
  presentCoverage,
  presentPackage,
  presentPackageDetail,
  presentPackageKeys,
} from './packages.present.ts';
import {
  CoverageBodySchema,
  CoverageSchema,
  PackageDetailSchema,
  PackageKeySchema,
  PackageKeysSchema,
  PackagePageSchema,
  PackageParams,
  PackageSchema,
  PackageSummarySchema,
  PackagesQuerySchema,
  PackageVersionSchema,
  SummaryQuerySchema,
  VersionParams,
  VersionsQuerySchema,
} from './packages.schema.ts';
import type { PackagesService } from './packages.service.ts';
import { registerRuleRoutes } from './rules.routes.ts';

const READ: RouteAuth = { kinds: ['session', 'key', 'token'], action: 'package:read' };
const MANAGE: RouteAuth = { kinds: ['session'], action: null };
const tags = ['packages'];

/** Packages as their managers see them: lists, versions, owners. */
export function registerPackageRoutes(root: FastifyInstance, service: PackagesService): void {
  root.addSchema(PackageSchema);
  root.addSchema(DeprecationSchema);
  root.addSchema(PackageVersionSchema);
  root.addSchema(PackageDetailSchema);
  root.addSchema(PackageSummarySchema);
  root.addSchema(CoverageSchema);
  root.addSchema(PackageKeySchema);
  registerReading(root, service);
  registerQuestions(root, service);
  registerListing(root, service);
  registerOwnerRoutes(root, service);
  registerRuleRoutes(root, service);
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
      const { q, owner, mine, listed, sort, limit, cursor } = request.query;
      const page = await service.list(
        request.caller,
        { q, ownerId: owner, mine, listed, sort },
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

function registerQuestions(root: FastifyInstance, service: PackagesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/package-summary',
    {
      config: { auth: READ },
      schema: {
        operationId: 'summarizePackages',
        tags,
        summary: 'How many packages are yours, and how many you may see',
        querystring: SummaryQuerySchema,
        response: { 200: refTo(PackageSummarySchema), default: problemResponse },
      },
    },
    async (request) => {
      const { mine, all, isPartial } = await service.summarize(request.caller, request.query.q);
      return { mine, all, isPartial };
    },
  );
  app.post(
    '/v1/packages/coverage',
    {
      config: { auth: READ },
      schema: {
        operationId: 'findCoverage',
        tags,
        summary: 'Which packages of an owner some patterns match now',
        description: 'Changes nothing: the preview of the scopes of a key.',
        body: CoverageBodySchema,
        response: { 200: refTo(CoverageSchema), default: problemResponse },
      },
    },
    async (request) => presentCoverage(await service.findCoverage(request.caller, request.body)),
  );
  app.get(
    '/v1/packages/:id/keys',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'listPackageKeys',
        tags,
        summary: 'The keys that can push a package now',
        description: 'For owners, managers of an owning service account, and administrators.',
        params: PackageParams,
        response: { 200: PackageKeysSchema, default: problemResponse },
      },
    },
    async (request) => presentPackageKeys(await service.findKeys(request.caller, request.params.id)),
  );
}

function registerListing(root: FastifyInstance, service: PackagesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  for (const [verb, isListed] of [
    ['unlist', false],
    ['relist', true],
  ] as const) {
    app.post(
      `/v1/packages/:id/versions/:version/${verb}`,
      {
        config: { auth: MANAGE },
        schema: {
          operationId: `${verb}Version`,
          tags,
          summary: isListed ? 'Show a version in searches again' : 'Hide a version from searches',
          description:
            'Owners, managers of an owning service account, and administrators whose account is granted `package:unlist` on the package. It can still be installed by its exact version.',
          params: VersionParams,
          response: { 204: EmptyResponse, default: problemResponse },
        },
      },
      async (request, reply) => {
        await service.setListed(request.caller, request.params.id, request.params.version, isListed);
        return reply.code(204).send(null);
      },
    );
  }
}
