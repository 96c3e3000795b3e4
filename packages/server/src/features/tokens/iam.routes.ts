import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { authErrors, logFault, type RouteAuth, refTo, toAppError } from '../../http/index.ts';
import { Secret } from '../../lib/secret.ts';
import { EXPIRY_HEADER, type ExpiryHint } from '../keys/index.ts';
import { presentIamError, presentIamSession } from './iam.present.ts';
import {
  IamDoneSchema,
  IamErrorSchema,
  IamQuerySchema,
  IamSessionSchema,
  LoginBodySchema,
} from './iam.schema.ts';
import type { IamService, IamSession } from './iam.service.ts';
import { type LoginFields, parseLoginBody } from './login-body.ts';

type IamQuery = Static<typeof IamQuerySchema>;

const BODY_BYTES_MAX = 16 * 1024;

/**
 * Anonymous for the auth hook: the credential is in the body or the query string, where the hook does not look,
 * and a wrong one is answered in the shape that clients of this contract read.
 */
const SELF_AUTHENTICATED: RouteAuth = { kinds: ['anonymous'], action: null };

const LOGIN_PATHS = [
  { path: '/iam/login', operationId: 'iamLogin' },
  { path: '/iam/v4/login', operationId: 'iamLoginV4' },
  { path: '/cam/login', operationId: 'camLogin' },
  { path: '/cam/v4/login', operationId: 'camLoginV4' },
] as const;
const CHECK_PATHS = [
  { path: '/iam/checkSession', operationId: 'iamCheckSession' },
  { path: '/iam/v4/checkSession', operationId: 'iamCheckSessionV4' },
  { path: '/cam/v4/checkSession', operationId: 'camCheckSessionV4' },
] as const;
const LOGOUT_PATHS = [
  { path: '/iam/logout', operationId: 'iamLogout' },
  { path: '/iam/v4/logout', operationId: 'iamLogoutV4' },
  { path: '/cam/logout', operationId: 'camLogout' },
] as const;

function durationOf(reply: FastifyReply): number {
  return Math.round(reply.elapsedTime) / 1_000;
}

/**
 * The token of `Authorization: Bearer` or `?token=`; some clients send both, which must then be the same.
 *
 * @throws auth.ambiguous_credentials
 */
function readToken(request: FastifyRequest<{ Querystring: IamQuery }>): Secret | null {
  const fromHeader = /^bearer +(\S{1,8192}) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const fromQuery = request.query.token === '' ? undefined : request.query.token;
  if (fromHeader !== undefined && fromQuery !== undefined && fromHeader !== fromQuery)
    throw authErrors.ambiguous_credentials();
  const token = fromHeader ?? fromQuery;
  return token === undefined ? null : new Secret(token);
}

/** Which grammar a body has is told by its first character, not by its header, so the header is not even read. */
function registerRawBody(scope: FastifyInstance): void {
  scope.addHook('onRequest', async (request) => {
    delete request.headers['content-type'];
  });
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
    (_request, body, done) => {
      done(null, body);
    },
  );
}

function registerErrorShape(scope: FastifyInstance): void {
  scope.setErrorHandler((thrown, request, reply) => {
    const error = toAppError(thrown);
    logFault(error, request);
    reply.code(error.status).headers(error.headers);
    // Without a `Basic` challenge: to that one a browser would open a sign-in window over the page whose
    // script asked.
    if (error.status === 401) reply.header('www-authenticate', 'Bearer realm="keyreeve"');
    return reply.type('application/json; charset=utf-8').send(presentIamError(error, durationOf(reply)));
  });
}

interface IamRouteDeps {
  readonly iam: IamService;
  readonly now: () => number;
  readonly expiryHint: ExpiryHint;
}

/** The contract of the first seed: login, session check and logout, under every path that its clients know. */
export function registerIamRoutes(root: FastifyInstance, deps: IamRouteDeps): void {
  for (const schema of [IamSessionSchema, IamErrorSchema, IamDoneSchema, LoginBodySchema])
    root.addSchema(schema);
  void root.register(async (scope) => {
    registerRawBody(scope);
    registerErrorShape(scope);
    scope.addHook('onSend', async (_request, reply) => {
      reply.header('pragma', 'no-cache');
    });
    registerLogin(scope, deps);
    registerSession(scope, deps);
  });
}

/** These routes look at the credential themselves, so the common header is theirs to set too. */
async function sendSession(
  request: FastifyRequest,
  reply: FastifyReply,
  session: IamSession,
  { now, expiryHint }: IamRouteDeps,
) {
  const expires = await expiryHint.find(request.caller.workspace.id, session.keyExpiresAt);
  if (expires !== null) reply.header(EXPIRY_HEADER, expires);
  return presentIamSession(session, now());
}

function registerLogin(scope: FastifyInstance, deps: IamRouteDeps): void {
  for (const { path, operationId } of LOGIN_PATHS) {
    scope.post<{ Body: LoginFields }>(
      path,
      {
        config: { auth: SELF_AUTHENTICATED },
        preValidation: async (request) => {
          request.body = parseLoginBody(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
        },
        schema: {
          operationId,
          tags: ['tokens'],
          summary: 'Exchange API key and secret key for a token',
          description: 'JSON or a form; the header may say either, the first character of the body decides.',
          consumes: ['application/json', 'application/x-www-form-urlencoded'],
          querystring: IamQuerySchema,
          body: refTo(LoginBodySchema),
          response: { 200: refTo(IamSessionSchema), default: refTo(IamErrorSchema) },
        },
      },
      async (request, reply) => {
        const { apikey, secretkey } = request.body;
        const session = await deps.iam.login(request.caller, apikey, new Secret(secretkey));
        return await sendSession(request, reply, session, deps);
      },
    );
  }
}

function registerSession(scope: FastifyInstance, deps: IamRouteDeps): void {
  const { iam } = deps;
  for (const { path, operationId } of CHECK_PATHS) {
    scope.get<{ Querystring: IamQuery }>(
      path,
      {
        config: { auth: SELF_AUTHENTICATED },
        schema: {
          operationId,
          tags: ['tokens'],
          summary: 'The session of a token',
          querystring: IamQuerySchema,
          response: { 200: refTo(IamSessionSchema), default: refTo(IamErrorSchema) },
        },
      },
      async (request, reply) =>
        await sendSession(request, reply, await iam.checkSession(request.caller, readToken(request)), deps),
    );
  }
  for (const { path, operationId } of LOGOUT_PATHS) {
    scope.delete<{ Querystring: IamQuery }>(
      path,
      {
        config: { auth: SELF_AUTHENTICATED },
        schema: {
          operationId,
          tags: ['tokens'],
          summary: 'End a token',
          querystring: IamQuerySchema,
          response: { 200: refTo(IamDoneSchema), default: refTo(IamErrorSchema) },
        },
      },
      async (request, reply) => {
        await iam.logout(request.caller, readToken(request));
        return { success: true as const, status: 200 as const, duration: durationOf(reply) };
      },
    );
  }
}
