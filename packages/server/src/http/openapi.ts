import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { RouteAuth } from './auth-hook.ts';
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

/** OpenAPI 3.1 from the route schemas. Each operation says which credentials and which action it takes. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Keyreeve',
        version: '1',
        description: 'Self-hosted API-key authority. Errors are RFC 9457 problems with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    refResolver: { buildLocalReference: (json) => (typeof json['$id'] === 'string' ? json['$id'] : '') },
    transform: ({ schema, url, route }) => {
      const auth = route.config?.auth;
      const kinds = auth?.kinds ?? [];
      const open = auth?.door === undefined ? [] : [{}];
      const security = [...open, ...kinds.flatMap((kind) => SCHEMES_OF_KIND[kind])];
      const description = [schema?.description, auth === undefined ? null : `${describeAuth(auth)}.`]
        .filter((text) => typeof text === 'string')
        .join('\n\n');
      return { url, schema: { ...schema, description, security } };
    },
  });
  app.get(
    '/openapi.json',
    { config: { auth: { kinds: ['anonymous'], action: null } }, schema: { hide: true } },
    async (_request, reply) => {
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger()));
    },
  );
}
