import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { EmptyResponse, problemResponse, type RouteAuth, refTo } from '../../../http/index.ts';
import { toIso } from '../../../lib/clock.ts';
import { PAGE_LIMIT_DEFAULT, type Page } from '../../../lib/page.ts';
import { presentAccountName } from '../../accounts/index.ts';
import { OwnerParams, PackageParams } from '../packages.schema.ts';
import type { OwnerRequest } from './owner-requests.repo.ts';
import {
  AskOwnerSchema,
  OwnerChangeSchema,
  OwnerRequestPageSchema,
  OwnerRequestSchema,
  RequestParams,
  RequestsOfPackageQuerySchema,
  RequestsQuerySchema,
  TransferSchema,
} from './owners.schema.ts';
import type { PackageOwners } from './package-owners.ts';
import type { OwnerRequestView } from './request-book.ts';

const MANAGE: RouteAuth = { kinds: ['session'], action: null };
const tags = ['packages'];
const FOR_OWNERS = 'Owners, managers of an owning service account, and administrators.';

function presentRequest({ request, found, account, from, requestedBy, isForCaller }: OwnerRequestView) {
  return {
    id: request.id,
    package: { id: found.idLower, displayId: found.displayId },
    account: presentAccountName(account),
    from: from === null ? null : presentAccountName(from),
    requestedBy: requestedBy === null ? null : presentAccountName(requestedBy),
    createdAt: toIso(request.createdAt),
    expiresAt: toIso(request.expiresAt),
    isForYou: isForCaller,
  };
}

function presentPage(page: Page<OwnerRequestView>) {
  return { items: page.items.map(presentRequest), nextCursor: page.nextCursor };
}

function presentChange(request: OwnerRequest | null) {
  return request === null
    ? { state: 'done' as const, requestId: null }
    : { state: 'requested' as const, requestId: request.id };
}

/** Who owns a package: adding, handing over, removing, and the requests for it. */
export function registerOwnerRoutes(root: FastifyInstance, service: PackageOwners): void {
  root.addSchema(OwnerRequestSchema);
  root.addSchema(OwnerChangeSchema);
  registerOwners(root, service);
  registerAsking(root, service);
  registerLists(root, service);
  registerAnswers(root, service);
}

function registerOwners(root: FastifyInstance, service: PackageOwners): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.put(
    '/v1/packages/:id/owners/:accountId',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'addPackageOwner',
        tags,
        summary: 'Add an owner, or ask an account to become one',
        description: `${FOR_OWNERS} 204 when it is an owner now: administrators add anybody, others the accounts that they act for. 202 when the account was asked.`,
        params: OwnerParams,
        response: { 202: refTo(OwnerChangeSchema), 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      const { id, accountId } = request.params;
      const asked = await service.addOwner(request.caller, id, accountId);
      return asked === null
        ? await reply.code(204).send(null)
        : await reply.code(202).send(presentChange(asked));
    },
  );
  app.delete(
    '/v1/packages/:id/owners/:accountId',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'removePackageOwner',
        tags,
        summary: 'Remove an owner, but never the last one',
        description: FOR_OWNERS,
        params: OwnerParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.removeOwner(request.caller, request.params.id, request.params.accountId);
      return reply.code(204).send(null);
    },
  );
}

function registerAsking(root: FastifyInstance, service: PackageOwners): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const response = { 200: refTo(OwnerChangeSchema), default: problemResponse };
  app.post(
    '/v1/packages/:id/owner-requests',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'requestPackageOwner',
        tags,
        summary: 'Ask an account to become an owner',
        description: `${FOR_OWNERS} The account, a manager of it or an administrator accepts within 30 days. Whoever may do that himself adds it at once.`,
        params: PackageParams,
        body: AskOwnerSchema,
        response,
      },
    },
    async (request) =>
      presentChange(await service.addOwner(request.caller, request.params.id, request.body.account)),
  );
  app.post(
    '/v1/packages/:id/transfer',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'transferPackage',
        tags,
        summary: 'Hand your ownership over to another account',
        description:
          'The other account becomes an owner in your place once it accepts, in one step. Other owners stay.',
        params: PackageParams,
        body: TransferSchema,
        response,
      },
    },
    async (request) => {
      const { account, from } = request.body;
      return presentChange(
        await service.transfer(request.caller, request.params.id, { account, fromId: from }),
      );
    },
  );
}

function registerLists(root: FastifyInstance, service: PackageOwners): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const response = { 200: OwnerRequestPageSchema, default: problemResponse };
  app.get(
    '/v1/packages/:id/owner-requests',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'listOwnerRequestsOfPackage',
        tags,
        summary: 'Open requests to own a package',
        description: FOR_OWNERS,
        params: PackageParams,
        querystring: RequestsOfPackageQuerySchema,
        response,
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const query = { packageId: request.params.id, limit: limit ?? PAGE_LIMIT_DEFAULT, cursor };
      return presentPage(await service.listRequests(request.caller, query));
    },
  );
  app.get(
    '/v1/owner-requests',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'listOwnerRequests',
        tags,
        summary: 'Open requests to own packages, asked of you or by you',
        querystring: RequestsQuerySchema,
        response,
      },
    },
    async (request) => {
      const { limit, cursor, direction } = request.query;
      const query = { direction, limit: limit ?? PAGE_LIMIT_DEFAULT, cursor };
      return presentPage(await service.listRequests(request.caller, query));
    },
  );
}

function registerAnswers(root: FastifyInstance, service: PackageOwners): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const FOR_ASKED = 'For the account that is asked, its managers, and administrators.';
  for (const [verb, operationId, summary] of [
    ['accept', 'acceptOwnerRequest', 'Become an owner'],
    ['decline', 'declineOwnerRequest', 'Refuse to become an owner'],
  ] as const) {
    app.post(
      `/v1/owner-requests/:requestId/${verb}`,
      {
        config: { auth: MANAGE },
        schema: {
          operationId,
          tags,
          summary,
          description: FOR_ASKED,
          params: RequestParams,
          response: { 204: EmptyResponse, default: problemResponse },
        },
      },
      async (request, reply) => {
        await service[verb](request.caller, request.params.requestId);
        return reply.code(204).send(null);
      },
    );
  }
  app.delete(
    '/v1/owner-requests/:requestId',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'withdrawOwnerRequest',
        tags,
        summary: 'Take a request back',
        description: 'For whoever made it, and for whoever manages the package.',
        params: RequestParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.withdraw(request.caller, request.params.requestId);
      return reply.code(204).send(null);
    },
  );
}
