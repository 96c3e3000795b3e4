import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { problemResponse, type RouteAuth, refTo } from '../../../http/index.ts';
import { toIso } from '../../../lib/clock.ts';
import { PAGE_LIMIT_DEFAULT } from '../../../lib/page.ts';
import {
  RetiredSigningKeySchema,
  SigningKeyPageSchema,
  SigningKeyParams,
  SigningKeyQuerySchema,
  SigningKeySchema,
} from './signing-keys.schema.ts';
import type { SigningKeysService, SigningKeyView } from './signing-keys.service.ts';

const FOR_ADMINS = {
  kinds: ['session', 'key', 'token'],
  resource: 'signing-keys',
  isAdminOnly: true,
} as const;
const READ: RouteAuth = { ...FOR_ADMINS, action: 'iam:signing-keys:read' };
const WRITE: RouteAuth = { ...FOR_ADMINS, action: 'iam:signing-keys:write' };
const tags = ['tokens'];

function presentSigningKey(view: SigningKeyView): Static<typeof SigningKeySchema> {
  const { kid, algorithm, state, createdAt, activatesAt, rotatesAt, retiresAt } = view;
  return {
    kid,
    algorithm,
    state,
    createdAt: toIso(createdAt),
    activatesAt: toIso(activatesAt),
    rotatesAt: rotatesAt === null ? null : toIso(rotatesAt),
    retiresAt: retiresAt === null ? null : toIso(retiresAt),
  };
}

export function registerSigningKeyRoutes(root: FastifyInstance, service: SigningKeysService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(SigningKeySchema);
  app.get(
    '/v1/signing-keys',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listSigningKeys',
        tags,
        summary: 'Keys that sign the tokens of the workspace',
        description: 'Newest first. Retired keys stay in the list for 30 days. Private keys are never shown.',
        querystring: SigningKeyQuerySchema,
        response: { 200: SigningKeyPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = request.query;
      const page = await service.list(request.caller, { limit, cursor });
      return { items: page.items.map(presentSigningKey), nextCursor: page.nextCursor };
    },
  );
  app.post(
    '/v1/signing-keys/rotate',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'rotateSigningKeys',
        tags,
        summary: 'Publish the next signing key',
        description:
          'The new key is published now and signs after 20 minutes, when every cached JWKS has it. The present key verifies for a day longer. No token becomes invalid.',
        response: { 201: refTo(SigningKeySchema), default: problemResponse },
      },
    },
    async (request, reply) => reply.code(201).send(presentSigningKey(await service.rotate(request.caller))),
  );
  app.post(
    '/v1/signing-keys/:kid/retire',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'retireSigningKey',
        tags,
        summary: 'Retire a signing key at once',
        description:
          'For emergencies. No token of this key is accepted here any more; its holders get a new one for their key. When it was the one that signs, another signs at once. Services that check tokens offline refuse the old ones when they next fetch the JWKS, and may refuse the new ones until then.',
        params: SigningKeyParams,
        response: { 200: RetiredSigningKeySchema, default: problemResponse },
      },
    },
    async (request) => {
      const { retired, signing } = await service.retire(request.caller, request.params.kid);
      return { retired: presentSigningKey(retired), signing: presentSigningKey(signing) };
    },
  );
}
