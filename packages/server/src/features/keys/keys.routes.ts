import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  EmptyResponse,
  problemResponse,
  type RouteAuth,
  readIfMatch,
  refTo,
  toEtag,
} from '../../http/index.ts';
import { parseInstant, toIsoOrNull } from '../../lib/clock.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { Secret } from '../../lib/secret.ts';
import { KeyAllowanceSchema } from '../limits/index.ts';
import type { KeyDelivery } from './key-delivery.ts';
import type { KeyImporter } from './key-import.ts';
import type { KeyLister, KeyQuery } from './key-list.ts';
import { presentKey, presentMintedKey } from './keys.present.ts';
import {
  AccountKeysParams,
  AccountKeysQuerySchema,
  CreateKeySchema,
  DisableKeySchema,
  ImportedKeysSchema,
  ImportKeysSchema,
  KeyPageSchema,
  KeyParams,
  KeySchema,
  KeysQuerySchema,
  MintedKeySchema,
  OpenedKeySchema,
  OpenLinkSchema,
  RegenerateKeySchema,
  UpdateKeySchema,
} from './keys.schema.ts';
import type { KeysService } from './keys.service.ts';
import { KeyRefusalSchema } from './usage.schema.ts';

export interface KeyRouteDeps {
  readonly keys: KeysService;
  readonly lister: KeyLister;
  readonly delivery: KeyDelivery;
  readonly importer: KeyImporter;
}

const READ: RouteAuth = { kinds: ['session', 'key', 'token'], action: 'iam:keys:read' };
const WRITE: RouteAuth = { kinds: ['session', 'key', 'token'], action: 'iam:keys:write' };
const tags = ['keys'];

export function registerKeyRoutes(root: FastifyInstance, deps: KeyRouteDeps): void {
  root.addSchema(KeyRefusalSchema);
  root.addSchema(KeyAllowanceSchema);
  root.addSchema(KeySchema);
  root.addSchema(MintedKeySchema);
  root.addSchema(OpenedKeySchema);
  root.addSchema(ImportedKeysSchema);
  registerLists(root, deps);
  registerOneKey(root, deps);
  registerLifecycle(root, deps);
  registerSwitches(root, deps);
  registerLinkAndImport(root, deps);
}

function toKeyQuery(query: Static<typeof KeysQuerySchema>): KeyQuery {
  const { account, expiresBefore, unusedSince, stillCalledSince, ...filters } = query;
  return {
    ...filters,
    accountId: account,
    expiresBefore: parseInstant(expiresBefore),
    unusedSince: parseInstant(unusedSince),
    stillCalledSince: parseInstant(stillCalledSince),
  };
}

function registerLists(root: FastifyInstance, { keys, lister }: KeyRouteDeps): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/accounts/:id/keys',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listAccountKeys',
        tags,
        summary: 'Keys of an account',
        params: AccountKeysParams,
        querystring: AccountKeysQuerySchema,
        response: { 200: KeyPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const page = await lister.listOfAccount(request.caller, request.params.id, {
        ...request.query,
        limit: request.query.limit ?? PAGE_LIMIT_DEFAULT,
      });
      return { items: page.items.map(presentKey), nextCursor: page.nextCursor };
    },
  );
  app.get(
    '/v1/keys',
    {
      config: { auth: READ },
      schema: {
        operationId: 'listKeys',
        tags,
        summary: 'Keys of the workspace',
        querystring: KeysQuerySchema,
        response: { 200: KeyPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = await lister.list(request.caller, toKeyQuery(request.query), {
        limit: limit ?? PAGE_LIMIT_DEFAULT,
        cursor,
      });
      return { items: page.items.map(presentKey), nextCursor: page.nextCursor };
    },
  );
  app.post(
    '/v1/accounts/:id/keys',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'createKey',
        tags,
        summary: 'Create a key; the secret is in this answer only',
        params: AccountKeysParams,
        body: CreateKeySchema,
        response: { 201: refTo(MintedKeySchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const minted = await keys.create(request.caller, request.params.id, request.body);
      return reply
        .code(201)
        .header('etag', toEtag(minted.key.version))
        .send(presentMintedKey(minted, await lister.view(request.caller, minted.key)));
    },
  );
}

function registerOneKey(root: FastifyInstance, { keys, lister }: KeyRouteDeps): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const response = { 200: refTo(KeySchema), default: problemResponse };
  app.get(
    '/v1/keys/:keyId',
    {
      config: { auth: READ },
      schema: { operationId: 'getKey', tags, summary: 'Read a key', params: KeyParams, response },
    },
    async (request, reply) => {
      const key = await keys.get(request.caller, request.params.keyId);
      return reply
        .header('etag', toEtag(key.version))
        .send(presentKey(await lister.view(request.caller, key)));
    },
  );
  app.patch(
    '/v1/keys/:keyId',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'updateKey',
        tags,
        summary: 'Change comment, patterns or allow list',
        params: KeyParams,
        body: UpdateKeySchema,
        response,
      },
    },
    async (request, reply) => {
      const key = await keys.update(request.caller, request.params.keyId, request.body, readIfMatch(request));
      return reply
        .header('etag', toEtag(key.version))
        .send(presentKey(await lister.view(request.caller, key)));
    },
  );
  app.delete(
    '/v1/keys/:keyId',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'deleteKey',
        tags,
        summary: 'Delete a key for good',
        params: KeyParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await keys.remove(request.caller, request.params.keyId);
      return reply.code(204).send(null);
    },
  );
}

function registerLifecycle(root: FastifyInstance, { keys, lister }: KeyRouteDeps): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/v1/keys/:keyId/regenerate',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'regenerateKey',
        tags,
        summary: 'A new secret for the same key',
        params: KeyParams,
        body: RegenerateKeySchema,
        response: { 200: refTo(MintedKeySchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const minted = await keys.regenerate(request.caller, request.params.keyId, request.body);
      return reply
        .header('etag', toEtag(minted.key.version))
        .send(presentMintedKey(minted, await lister.view(request.caller, minted.key)));
    },
  );
  app.post(
    '/v1/keys/:keyId/end-overlap',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'endKeyOverlap',
        tags,
        summary: 'End the old secret now',
        params: KeyParams,
        response: { 200: refTo(KeySchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const key = await keys.endOverlap(request.caller, request.params.keyId);
      return reply
        .header('etag', toEtag(key.version))
        .send(presentKey(await lister.view(request.caller, key)));
    },
  );
}

function registerSwitches(root: FastifyInstance, { keys, lister }: KeyRouteDeps): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const response = { 200: refTo(KeySchema), default: problemResponse };
  app.post(
    '/v1/keys/:keyId/disable',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'disableKey',
        tags,
        summary: 'Switch a key off',
        params: KeyParams,
        body: DisableKeySchema,
        response,
      },
    },
    async (request, reply) => {
      const key = await keys.disable(
        request.caller,
        request.params.keyId,
        request.body.reason?.trim() || null,
      );
      return reply
        .header('etag', toEtag(key.version))
        .send(presentKey(await lister.view(request.caller, key)));
    },
  );
  app.post(
    '/v1/keys/:keyId/enable',
    {
      config: { auth: WRITE },
      schema: {
        operationId: 'enableKey',
        tags,
        summary: 'Switch a key on again',
        params: KeyParams,
        response,
      },
    },
    async (request, reply) => {
      const key = await keys.enable(request.caller, request.params.keyId);
      return reply
        .header('etag', toEtag(key.version))
        .send(presentKey(await lister.view(request.caller, key)));
    },
  );
}

function registerLinkAndImport(root: FastifyInstance, { delivery, importer }: KeyRouteDeps): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/v1/key-links/open',
    {
      config: { auth: { kinds: ['anonymous'], action: null } },
      schema: {
        operationId: 'openKeyLink',
        tags,
        summary: 'Open a one-time link from a key mail',
        body: OpenLinkSchema,
        response: { 200: refTo(OpenedKeySchema), default: problemResponse },
      },
    },
    async (request) => {
      const opened = await delivery.open(request.caller, new Secret(request.body.token));
      return {
        keyId: opened.keyId,
        comment: opened.comment,
        expiresAt: toIsoOrNull(opened.expiresAt),
        apiKey: opened.keyId,
        secretKey: opened.secretKey.reveal(),
        fullKey: opened.fullKey.reveal(),
      };
    },
  );
  app.post(
    '/v1/key-imports',
    {
      config: {
        auth: {
          kinds: ['session', 'key', 'token'],
          action: 'iam:keys:import',
          resource: '*',
          isAdminOnly: true,
        },
      },
      bodyLimit: 2 * 1024 * 1024,
      schema: {
        operationId: 'importKeys',
        tags,
        summary: 'Import full-access and foreign keys',
        body: ImportKeysSchema,
        response: { 200: refTo(ImportedKeysSchema), default: problemResponse },
      },
    },
    async (request) => {
      const { rows, dryRun = false } = request.body;
      const parsed = rows.map((row) => ({
        ...row,
        expiresAt: row.expiresAt === null ? null : Date.parse(row.expiresAt),
      }));
      const keyIds = await importer.importKeys(request.caller, parsed, dryRun);
      return { dryRun, count: rows.length, keyIds: [...keyIds] };
    },
  );
}
