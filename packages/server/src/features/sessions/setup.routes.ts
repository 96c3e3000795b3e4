import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse, refTo, refuseCrossSite } from '../../http/index.ts';
import { Secret } from '../../lib/secret.ts';
import { readSessionCookie, setSessionCookie } from './session-cookie.ts';
import { presentSignedIn } from './sessions.present.ts';
import { SetupSchema, SignedInSchema } from './sessions.schema.ts';
import type { SetupService } from './setup.service.ts';

export function registerSetupRoutes(root: FastifyInstance, service: SetupService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/v1/setup',
    {
      onRequest: async (request) => refuseCrossSite(request),
      config: { auth: { kinds: ['anonymous'], action: null } },
      schema: {
        operationId: 'setUp',
        tags: ['sessions'],
        summary: 'Make the first administrator and sign in',
        description: 'Works while the workspace has no active administrator, with its one-time code.',
        body: SetupSchema,
        response: { 201: refTo(SignedInSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const { code, email, password, displayName } = request.body;
      const started = await service.complete(request.caller, {
        code: new Secret(code),
        email,
        password: new Secret(password),
        displayName,
        oldCookie: readSessionCookie(request),
      });
      setSessionCookie(request, reply, started.cookie);
      return reply.code(201).send(presentSignedIn(started, request.caller.workspace));
    },
  );
}
