import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static, TSchema } from 'typebox';
import {
  type Caller,
  EmptyResponse,
  problemResponse,
  type RouteAuth,
  readIfMatch,
  refTo,
  toEtag,
} from '../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { Secret } from '../../lib/secret.ts';
import { KeyLimitsInputSchema, KeyLimitsSchema } from '../limits/index.ts';
import { presentServiceAccount, presentUser } from './accounts.present.ts';
import {
  AccountListQuery,
  AccountNameSchema,
  AccountParams,
  AccountSummaryQuery,
  AccountSummarySchema,
  CreateServiceAccountSchema,
  CreateUserSchema,
  KeyCountsSchema,
  ServiceAccountPageSchema,
  ServiceAccountSchema,
  UpdateServiceAccountSchema,
  UpdateUserSchema,
  UserPageSchema,
  UserSchema,
} from './accounts.schema.ts';
import type { AccountPatch, AccountsService, AccountView, ListedAccount } from './accounts.types.ts';

/** Passwords belong to the sessions feature; `app.ts` hands its part in. */
export interface UserPasswords {
  /** Judges and hashes a password. @throws account.password_weak, request.too_many */
  readonly hash: (password: Secret, contextWords: readonly string[]) => Promise<string>;
}

const READ: RouteAuth = { kinds: ['session', 'key', 'token'], action: 'iam:accounts:read' };
const WRITE: RouteAuth = { kinds: ['session', 'key', 'token'], action: 'iam:accounts:write' };
const CREATE: RouteAuth = { ...WRITE, resource: '*', isAdminOnly: true };

export function registerAccountRoutes(
  root: FastifyInstance,
  service: AccountsService,
  passwords: UserPasswords,
): void {
  root.addSchema(AccountNameSchema);
  root.addSchema(KeyCountsSchema);
  root.addSchema(KeyLimitsInputSchema);
  root.addSchema(KeyLimitsSchema);
  root.addSchema(AccountSummarySchema);
  root.addSchema(UserSchema);
  root.addSchema(ServiceAccountSchema);
  registerCreation(root, service, passwords);
  registerKind(root, service, {
    kind: 'user',
    path: '/v1/users',
    noun: 'User',
    item: UserSchema,
    page: UserPageSchema,
    patch: UpdateUserSchema,
    present: presentUser,
  });
  registerKind(root, service, {
    kind: 'service',
    path: '/v1/service-accounts',
    noun: 'ServiceAccount',
    item: ServiceAccountSchema,
    page: ServiceAccountPageSchema,
    patch: UpdateServiceAccountSchema,
    present: presentServiceAccount,
  });
}

function registerCreation(root: FastifyInstance, service: AccountsService, passwords: UserPasswords): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/v1/users',
    {
      config: { auth: CREATE },
      schema: {
        operationId: 'createUser',
        tags: ['accounts'],
        summary: 'Create a user',
        body: CreateUserSchema,
        response: { 201: refTo(UserSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const { password, ...fields } = request.body;
      const passwordHash =
        password === undefined
          ? null
          : await passwords.hash(new Secret(password), [fields.email, fields.displayName]);
      const view = await service.create(request.caller, { ...fields, kind: 'user', passwordHash });
      const listed = await withKeys(service, request.caller, view);
      return reply.code(201).header('etag', toEtag(view.account.version)).send(presentUser(listed));
    },
  );
  app.post(
    '/v1/service-accounts',
    {
      config: { auth: CREATE },
      schema: {
        operationId: 'createServiceAccount',
        tags: ['accounts'],
        summary: 'Create a service account',
        body: CreateServiceAccountSchema,
        response: { 201: refTo(ServiceAccountSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const view = await service.create(request.caller, { ...request.body, kind: 'service' });
      const listed = await withKeys(service, request.caller, view);
      return reply.code(201).header('etag', toEtag(view.account.version)).send(presentServiceAccount(listed));
    },
  );
}

async function withKeys(service: AccountsService, caller: Caller, view: AccountView): Promise<ListedAccount> {
  const [listed] = await service.withKeys(caller, [view]);
  if (listed === undefined) throw new Error('An account has exactly one view.');
  return listed;
}

interface KindRoutes<Item extends TSchema & { $id?: string }> {
  readonly kind: 'user' | 'service';
  readonly path: string;
  readonly noun: string;
  readonly item: Item;
  readonly page: TSchema;
  readonly patch: typeof UpdateUserSchema | typeof UpdateServiceAccountSchema;
  readonly present: (listed: ListedAccount) => Static<Item>;
}

/** List, count, read, edit and delete are the same for both kinds of account. */
function registerKind<Item extends TSchema & { $id?: string }>(
  app: FastifyInstance,
  service: AccountsService,
  routes: KindRoutes<Item>,
): void {
  const { kind, path, noun, present } = routes;
  const tags = ['accounts'];
  app.get<{ Querystring: Static<typeof AccountListQuery> }>(
    path,
    {
      config: { auth: READ },
      schema: {
        operationId: `list${noun}s`,
        tags,
        summary: 'List and search',
        querystring: AccountListQuery,
        response: { 200: routes.page, default: problemResponse },
      },
    },
    async (request) => {
      const page = await service.list(request.caller, kind, {
        ...request.query,
        limit: request.query.limit ?? PAGE_LIMIT_DEFAULT,
      });
      return { items: page.items.map(present), nextCursor: page.nextCursor };
    },
  );
  app.get<{ Querystring: Static<typeof AccountSummaryQuery> }>(
    `${path}/summary`,
    {
      config: { auth: READ },
      schema: {
        operationId: `summarize${noun}s`,
        tags,
        summary: 'How many there are',
        querystring: AccountSummaryQuery,
        response: { 200: refTo(AccountSummarySchema), default: problemResponse },
      },
    },
    async (request) => {
      const { all, active, disabled, attention } = await service.summarize(
        request.caller,
        kind,
        request.query.q,
      );
      return { all, active, disabled, attention };
    },
  );
  app.get<{ Params: Static<typeof AccountParams> }>(
    `${path}/:id`,
    {
      config: { auth: READ },
      schema: {
        operationId: `get${noun}`,
        tags,
        summary: 'Read one',
        params: AccountParams,
        response: { 200: refTo(routes.item), default: problemResponse },
      },
    },
    async (request, reply) => {
      const view = await service.get(request.caller, kind, request.params.id);
      const listed = await withKeys(service, request.caller, view);
      return reply.header('etag', toEtag(view.account.version)).send(present(listed));
    },
  );
  registerEdits(app, service, routes);
}

function registerEdits<Item extends TSchema & { $id?: string }>(
  app: FastifyInstance,
  service: AccountsService,
  routes: KindRoutes<Item>,
): void {
  const { kind, path, noun, present } = routes;
  const tags = ['accounts'];
  app.patch<{ Params: Static<typeof AccountParams>; Body: AccountPatch }>(
    `${path}/:id`,
    {
      config: { auth: WRITE },
      schema: {
        operationId: `update${noun}`,
        tags,
        summary: 'Edit, disable, enable',
        params: AccountParams,
        body: routes.patch,
        response: { 200: refTo(routes.item), default: problemResponse },
      },
    },
    async (request, reply) => {
      const view = await service.update(
        request.caller,
        kind,
        request.params.id,
        request.body,
        readIfMatch(request),
      );
      const listed = await withKeys(service, request.caller, view);
      return reply.header('etag', toEtag(view.account.version)).send(present(listed));
    },
  );
  app.delete<{ Params: Static<typeof AccountParams> }>(
    `${path}/:id`,
    {
      config: { auth: WRITE },
      schema: {
        operationId: `delete${noun}`,
        tags,
        summary: 'Delete with all its keys',
        params: AccountParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.remove(request.caller, kind, request.params.id);
      return reply.code(204).send(null);
    },
  );
}
