import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { sha256Hex } from '../lib/mac.ts';
import { acceptsEncoding } from './accepts-encoding.ts';
import type { RouteAuth } from './auth-hook.ts';
import { matchesEtag } from './if-none-match.ts';
import { completeOperation, type Operation } from './openapi-document.ts';
import { listErrorCodes } from './openapi-errors.ts';
import type { Schemas } from './openapi-examples.ts';
import { INTRODUCTION, TAGS } from './openapi-guide.ts';
import type { CredentialKind } from './principal.ts';

const SECURITY_SCHEMES = {
  key: {
    type: 'http',
    scheme: 'bearer',
    description: 'A full key: `Authorization: Bearer kr_…`.',
  },
  keyHeader: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'A full key in a header of its own.',
  },
  keyPair: {
    type: 'http',
    scheme: 'basic',
    description:
      'The API key as the user name and the secret key as the password. Also a full key or a token as the password.',
  },
  token: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token got from `/iam/login` or `/oauth2/token`: `Authorization: Bearer eyJ…`.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'keyreeve_session',
    description:
      'Session of the console (`__Host-keyreeve_session` over https). A request that names another account in the header `Keyreeve-Expected-Account` is answered with 409 `auth.other_account`.',
  },
} as const;

/** How each kind of credential may be sent; any one of them is enough. */
const SCHEMES_OF_KIND: Readonly<Record<CredentialKind, readonly Record<string, never[]>[]>> = {
  anonymous: [{}],
  key: [{ key: [] }, { keyHeader: [] }, { keyPair: [] }],
  token: [{ token: [] }],
  session: [{ session: [] }],
};

/** Operations that authenticate the client themselves (RFC 6749 2.3.1), so that their routes are open to anybody. */
const CLIENT_AUTHENTICATED = ['oauthToken', 'oauthIntrospect', 'oauthRevoke'];

function listSecurity(operationId: string, auth: RouteAuth | undefined): readonly Record<string, never[]>[] {
  if (CLIENT_AUTHENTICATED.includes(operationId)) return [{ keyPair: [] }, {}];
  const open = auth?.door === undefined ? [] : [{}];
  return [...open, ...(auth?.kinds ?? []).flatMap((kind) => SCHEMES_OF_KIND[kind])];
}

function describeAuth(auth: RouteAuth): string {
  const named = auth.kinds.map((kind) => (kind === 'anonymous' ? 'anybody' : kind)).join(', ');
  const kinds =
    auth.door === undefined
      ? named
      : `anybody while the workspace setting \`galleryRead\` is \`anonymous\`, otherwise ${named}`;
  const limits = [
    auth.action === null ? null : `keys and tokens need the action \`${auth.action}\``,
    auth.isSystemOnly === true ? 'administrators of the default workspace only' : null,
    auth.isAdminOnly === true ? 'administrators only' : null,
  ].filter((limit) => limit !== null);
  return [`Who: ${kinds}`, ...limits].join('; ');
}

function describeOperation(schema: FastifySchema | undefined, auth: RouteAuth | undefined): string {
  return [schema?.description, auth === undefined ? null : `${describeAuth(auth)}.`]
    .filter((text) => typeof text === 'string')
    .join('\n\n');
}

/** Operations with what readers need beside the schemas; see `completeOperation`. */
function completePaths(paths: object, schemas: Schemas): object {
  const complete = (methods: object) =>
    Object.fromEntries(
      Object.entries(methods as Record<string, Operation>).map(([method, operation]) => [
        method,
        completeOperation(method.toUpperCase(), operation, schemas),
      ]),
    );
  return Object.fromEntries(
    Object.entries(paths as Record<string, object>).map(([path, methods]) => [path, complete(methods)]),
  );
}

/** OpenAPI 3.1 from the route schemas. Each operation says which credentials and which action it takes. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Keyreeve API',
        version: '1',
        description: INTRODUCTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [...TAGS],
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    refResolver: { buildLocalReference: (json) => (typeof json['$id'] === 'string' ? json['$id'] : '') },
    transform: ({ schema, url, route }) => {
      const auth = route.config?.auth;
      const operationId = schema?.operationId ?? '';
      const security = listSecurity(operationId, auth);
      const codes = listErrorCodes({
        operationId,
        method: String(route.method),
        auth,
        hasBody: schema?.body !== undefined,
        hasParameters: schema?.params !== undefined || schema?.querystring !== undefined,
      });
      const description = describeOperation(schema, auth);
      return { url, schema: { ...schema, description, security, 'x-error-codes': codes } };
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      const { openapiObject } = document;
      const schemas = (openapiObject.components?.schemas ?? {}) as Schemas;
      Object.assign(openapiObject, { paths: completePaths(openapiObject.paths ?? {}, schemas) });
      return openapiObject;
    },
  });
  registerDocument(app);
}

interface ReadyDocument {
  readonly bytes: Buffer;
  readonly etag: string;
  packed: Promise<Buffer> | null;
}

/** Each is half a megabyte; the document of a workspace beyond these is made again. */
const READY_DOCUMENTS_MAX = 8;

/**
 * The document with the address of the workspace in it, ready to be sent: anybody may ask for it as often as he likes,
 * and to put half a megabyte together each time took ten milliseconds of everybody else.
 */
function registerDocument(app: FastifyInstance): void {
  let rest: string | null = null;
  const ready = new Map<string, ReadyDocument>();
  const prepare = (url: string): ReadyDocument => {
    rest ??= JSON.stringify(app.swagger()).slice(1);
    const text = `{"servers":${JSON.stringify([{ url }])},${rest}`;
    const made = { bytes: Buffer.from(text), etag: `"${sha256Hex(text).slice(0, 32)}"`, packed: null };
    const [oldest] = ready.keys();
    if (ready.size >= READY_DOCUMENTS_MAX && oldest !== undefined) ready.delete(oldest);
    ready.set(url, made);
    return made;
  };
  app.get(
    '/openapi.json',
    { config: { auth: { kinds: ['anonymous'], action: null } }, schema: { hide: true } },
    async (request, reply) => {
      const { url } = request.caller.workspace;
      const document = ready.get(url) ?? prepare(url);
      reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'no-cache')
        .header('vary', 'accept-encoding')
        .header('etag', document.etag);
      if (matchesEtag(request.headers['if-none-match'], document.etag)) return await reply.code(304).send();
      if (!acceptsEncoding('gzip', request.headers['accept-encoding']))
        return await reply.send(document.bytes);
      document.packed ??= promisify(gzip)(document.bytes);
      return await reply.header('content-encoding', 'gzip').send(await document.packed);
    },
  );
}
