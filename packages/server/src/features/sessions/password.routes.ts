import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import {
  type Caller,
  EmptyResponse,
  problemResponse,
  type RouteAuth,
  refTo,
  refuseCrossSite,
} from '../../http/index.ts';
import { Secret } from '../../lib/secret.ts';
import type { LinkInput, PasswordService } from './password.service.ts';
import { readSessionCookie, setSessionCookie } from './session-cookie.ts';
import { presentSignedIn } from './sessions.present.ts';
import {
  ChangePasswordSchema,
  RequestPasswordSchema,
  SetPasswordSchema,
  SignedInSchema,
} from './sessions.schema.ts';
import type { StartedSession } from './sessions.service.ts';

const ANYBODY: RouteAuth = { kinds: ['anonymous'], action: null };
const SIGNED_IN = { 200: refTo(SignedInSchema), default: problemResponse };
const tags = ['sessions'];

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  started: StartedSession,
): Static<typeof SignedInSchema> {
  setSessionCookie(request, reply, started.cookie);
  return presentSignedIn(started, request.caller.workspace);
}

export function registerPasswordRoutes(root: FastifyInstance, service: PasswordService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/v1/password/change',
    {
      config: { auth: { kinds: ['session'], action: null } },
      schema: {
        operationId: 'changePassword',
        tags,
        summary: 'Change the own password',
        description: 'Ends all sessions and tokens of the user; this browser gets a new session.',
        body: ChangePasswordSchema,
        response: SIGNED_IN,
      },
    },
    async (request, reply) => {
      const { currentPassword, newPassword } = request.body;
      const input = { currentPassword: new Secret(currentPassword), newPassword: new Secret(newPassword) };
      return answer(request, reply, await service.change(request.caller, input));
    },
  );
  app.post(
    '/v1/password/request',
    {
      onRequest: async (request) => refuseCrossSite(request),
      config: { auth: ANYBODY },
      schema: {
        operationId: 'requestPasswordReset',
        tags,
        summary: 'Ask for a mail with a link to set a new password',
        description: 'The answer is the same whether or not the address has an account.',
        body: RequestPasswordSchema,
        response: { 202: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.requestReset(request.caller, request.body.email);
      // Null would be sent as the text `null`: only a 204 has no body whatever is sent.
      return await (reply.code(202) as FastifyReply).send();
    },
  );
  registerLinkRoute(root, {
    path: '/v1/password/reset',
    operationId: 'resetPassword',
    summary: 'Set a new password by a mailed link, and sign in',
    use: (caller, input) => service.reset(caller, input),
  });
  registerLinkRoute(root, {
    path: '/v1/invitations/accept',
    operationId: 'acceptInvitation',
    summary: 'Set the first password by the link of an invitation, and sign in',
    use: (caller, input) => service.acceptInvitation(caller, input),
  });
}

interface LinkRoute {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly use: (caller: Caller, input: LinkInput) => Promise<StartedSession>;
}

function registerLinkRoute(root: FastifyInstance, route: LinkRoute): void {
  const { path, operationId, summary } = route;
  root.withTypeProvider<TypeBoxTypeProvider>().post(
    path,
    {
      onRequest: async (request) => refuseCrossSite(request),
      config: { auth: ANYBODY },
      schema: { operationId, tags, summary, body: SetPasswordSchema, response: SIGNED_IN },
    },
    async (request, reply) => {
      const input = {
        token: new Secret(request.body.token),
        password: new Secret(request.body.password),
        oldCookie: readSessionCookie(request),
      };
      return answer(request, reply, await route.use(request.caller, input));
    },
  );
}
