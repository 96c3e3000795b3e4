import { createHash } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { EmptyResponse, matchesEtag, problemResponse, refTo } from '../../http/index.ts';
import { JwksSchema } from './iam.schema.ts';
import type { PublicJwk } from './signing-keys/index.ts';
import type { TokensService } from './tokens.service.ts';

function presentJwk(jwk: PublicJwk): Static<typeof JwksSchema>['keys'][number] {
  const { kid, alg, use, kty = '', crv, x, y, n, e } = jwk;
  const members = Object.entries({ crv, x, y, n, e }).filter(([, value]) => value !== undefined);
  return { kid, alg, use, kty, ...Object.fromEntries(members) };
}

/** RFC 7517: how others check our tokens without asking us. Public by nature, also for scripts of other origins. */
export function registerJwksRoutes(root: FastifyInstance, tokens: TokensService): void {
  root.addSchema(JwksSchema);
  root.withTypeProvider<TypeBoxTypeProvider>().get(
    '/.well-known/jwks.json',
    {
      config: { auth: { kinds: ['anonymous'], action: null } },
      schema: {
        operationId: 'getJwks',
        tags: ['tokens'],
        summary: 'Public keys that check tokens',
        response: { 200: refTo(JwksSchema), 304: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      const document = { keys: (await tokens.listPublicKeys(request.caller.workspace)).map(presentJwk) };
      const digest = createHash('sha256').update(JSON.stringify(document)).digest('base64url');
      const etag = `"${digest.slice(0, 32)}"`;
      reply
        // A key is published 20 minutes before it signs (ACTIVATION_DELAY_MS): 5 in caches, 10 in libraries that ask
        // us, and 5 to spare for clocks. Longer here would let a token arrive before its key.
        .header('cache-control', 'public, max-age=300')
        .header('etag', etag)
        .header('access-control-allow-origin', '*')
        .header('cross-origin-resource-policy', 'cross-origin');
      return matchesEtag(request.headers['if-none-match'], etag)
        ? reply.code(304).send(null)
        : reply.send(document);
    },
  );
}
