import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logFault, problemResponse, type RouteAuth, refTo, toAppError } from '../../../http/index.ts';
import { Secret } from '../../../lib/secret.ts';
import { EXPIRY_HEADER, type ExpiryHint, type KeyAuthenticator } from '../../keys/index.ts';
import type { TokensService } from '../tokens.service.ts';
import { type ClientAuthenticator, type PresentedClient, readClient } from './client-authentication.ts';
import { type Form, parseForm, refuseCredentialsInQuery, requireParameter } from './form.ts';
import type { Introspection } from './introspection.ts';
import {
  FORM_TYPE,
  presentIntrospection,
  presentOAuthError,
  presentServerMetadata,
  presentToken,
  toOAuthStatus,
} from './oauth.present.ts';
import {
  IntrospectionSchema,
  IntrospectRequestSchema,
  OAuthErrorSchema,
  RevokeRequestSchema,
  ServerMetadataSchema,
  TokenAnswerSchema,
  TokenRequestSchema,
} from './oauth.schema.ts';
import { revokeToken } from './revocation.ts';
import type { TokenGrants } from './token-grants.ts';

const BODY_BYTES_MAX = 64 * 1024;

/**
 * Anonymous for the auth hook: a client authenticates in ways that the hook does not know, and is answered in the
 * shape of OAuth. A session never counts here.
 */
const SELF_AUTHENTICATED: RouteAuth = { kinds: ['anonymous'], action: null };

export interface OAuthRouteDeps {
  readonly grants: TokenGrants;
  readonly introspection: Introspection;
  readonly clients: ClientAuthenticator;
  readonly tokens: TokensService;
  readonly keyAuthenticator: KeyAuthenticator;
  readonly expiryHint: ExpiryHint;
}

function registerFormBody(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    FORM_TYPE,
    { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
    (_request, body, done) => {
      done(null, body);
    },
  );
}

function registerErrorShape(scope: FastifyInstance): void {
  scope.setErrorHandler((thrown, request, reply) => {
    const error = toAppError(thrown, BODY_BYTES_MAX);
    logFault(error, request);
    const status = toOAuthStatus(error);
    reply.code(status).headers(error.headers);
    // RFC 9110 11.6.1 wants a challenge with each 401. Scripts of a browser that did not try Basic are spared its
    // window.
    if (status === 401 && reply.getHeader('www-authenticate') === undefined) {
      const isScript = request.headers['sec-fetch-site'] !== undefined;
      reply.header('www-authenticate', `${isScript ? 'Bearer' : 'Basic'} realm="keyreeve"`);
    }
    return reply
      .type('application/json; charset=utf-8')
      .send(presentOAuthError(error, request.caller.workspace));
  });
}

/** @throws oauth.invalid_request, oauth.invalid_client */
function readRequest(request: FastifyRequest): { form: Form; presented: PresentedClient | null } {
  refuseCredentialsInQuery(request.raw.url ?? '');
  const form = parseForm(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  return { form, presented: readClient(request.headers.authorization, form) };
}

/** RFC 6749, 7009, 7662, 8414, 8693: how programs that know OAuth get, ask about and end tokens. */
export function registerOAuthRoutes(root: FastifyInstance, deps: OAuthRouteDeps): void {
  for (const schema of [
    TokenRequestSchema,
    TokenAnswerSchema,
    IntrospectRequestSchema,
    IntrospectionSchema,
    RevokeRequestSchema,
    OAuthErrorSchema,
    ServerMetadataSchema,
  ])
    root.addSchema(schema);
  registerMetadata(root);
  void root.register(async (scope) => {
    registerFormBody(scope);
    registerErrorShape(scope);
    scope.addHook('onSend', async (_request, reply) => {
      reply.header('pragma', 'no-cache');
    });
    registerToken(scope, deps);
    registerIntrospect(scope, deps);
    registerRevoke(scope, deps);
  });
}

function registerMetadata(root: FastifyInstance): void {
  root.get(
    '/.well-known/oauth-authorization-server',
    {
      config: { auth: { kinds: ['anonymous'], action: null } },
      schema: {
        operationId: 'getOAuthMetadata',
        tags: ['tokens'],
        summary: 'What OAuth clients need to know of this server',
        response: { 200: refTo(ServerMetadataSchema), default: problemResponse },
      },
    },
    async (request, reply) =>
      reply
        .header('cache-control', 'public, max-age=300')
        .header('access-control-allow-origin', '*')
        .header('cross-origin-resource-policy', 'cross-origin')
        .send(presentServerMetadata(request.caller.workspace)),
  );
}

async function setExpiry(
  request: FastifyRequest,
  reply: FastifyReply,
  { expiryHint }: OAuthRouteDeps,
  keyExpiresAt: number | null,
): Promise<void> {
  const expires = await expiryHint.find(request.caller.workspace.id, keyExpiresAt);
  if (expires !== null) reply.header(EXPIRY_HEADER, expires);
}

function registerToken(scope: FastifyInstance, deps: OAuthRouteDeps): void {
  scope.post(
    '/oauth2/token',
    {
      config: { auth: SELF_AUTHENTICATED },
      // The form was read by our own rules, which name the parameter.
      validatorCompiler: () => () => true,
      schema: {
        operationId: 'oauthToken',
        tags: ['tokens'],
        summary: 'Get a token for a key, or a narrower one for a token',
        description:
          'RFC 6749 4.4 and RFC 8693. The API key is the client id and the secret key the client secret, with Basic or in the body. A narrower token carries only what `scope` and `authorization_details` name.',
        consumes: [FORM_TYPE],
        body: refTo(TokenRequestSchema),
        response: { 200: refTo(TokenAnswerSchema), default: refTo(OAuthErrorSchema) },
      },
    },
    async (request, reply) => {
      const { form, presented } = readRequest(request);
      const granted = await deps.grants.grant(request.caller, form, presented);
      await setExpiry(request, reply, deps, granted.keyExpiresAt);
      return presentToken(granted);
    },
  );
}

function registerIntrospect(scope: FastifyInstance, deps: OAuthRouteDeps): void {
  scope.post(
    '/oauth2/introspect',
    {
      config: { auth: SELF_AUTHENTICATED },
      validatorCompiler: () => () => true,
      schema: {
        operationId: 'oauthIntrospect',
        tags: ['tokens'],
        summary: 'Is this token good, and what may it do?',
        description:
          'RFC 7662. The asker authenticates as a client or with a bearer key or token, and needs the action `iam:keys:verify` on the account of the token, unless he got the token himself. Whatever is no good is `{"active":false}`.',
        consumes: [FORM_TYPE],
        body: refTo(IntrospectRequestSchema),
        response: { 200: refTo(IntrospectionSchema), default: refTo(OAuthErrorSchema) },
      },
    },
    async (request) => {
      const { form, presented } = readRequest(request);
      const asker = await deps.introspection.requireAsker(request.caller, presented);
      const credential = new Secret(requireParameter(form, 'token'));
      const found = await deps.introspection.ask(request.caller, asker, credential, form);
      return presentIntrospection(request.caller.workspace, found);
    },
  );
}

function registerRevoke(scope: FastifyInstance, deps: OAuthRouteDeps): void {
  scope.post(
    '/oauth2/revoke',
    {
      config: { auth: SELF_AUTHENTICATED },
      validatorCompiler: () => () => true,
      schema: {
        operationId: 'oauthRevoke',
        tags: ['tokens'],
        summary: 'End a token, and all that were exchanged for it',
        description:
          'RFC 7009. A client ends the tokens that it got. 200 also for a token that is no good or another’s; 503 when it may still be alive.',
        consumes: [FORM_TYPE],
        body: refTo(RevokeRequestSchema),
        response: { 200: { type: 'null', description: 'Done; no body.' }, default: refTo(OAuthErrorSchema) },
      },
    },
    async (request, reply) => {
      const { form, presented } = readRequest(request);
      const client = await deps.clients.require(request.caller, presented, '/oauth2/revoke');
      const token = new Secret(requireParameter(form, 'token'));
      await revokeToken(deps, request.caller, client, token);
      return reply.code(200).send();
    },
  );
}
