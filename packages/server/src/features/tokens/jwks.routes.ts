import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { problemResponse, refTo } from '../../http/index.ts';
import { JwksSchema } from './iam.schema.ts';
import type { PublicJwk } from './signing-keys.ts';
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
        response: { 200: refTo(JwksSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const keys = await tokens.listPublicKeys(request.caller.workspace);
      return reply
        .header('cache-control', 'public, max-age=300')
        .header('access-control-allow-origin', '*')
        .header('cross-origin-resource-policy', 'cross-origin')
        .send({ keys: keys.map(presentJwk) });
    },
  );
}
