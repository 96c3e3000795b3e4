import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { EmptyResponse, problemResponse, type RouteAuth, refTo, refuseCrossSite } from '../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { Secret } from '../../lib/secret.ts';
import { clearSessionCookie, readSessionCookie, setSessionCookie } from './session-cookie.ts';
import { presentSession, presentSignedIn } from './sessions.present.ts';
import {
  EndedSchema,
  SessionListQuery,
  SessionPageSchema,
  SessionParams,
  SessionSchema,
  SignedInSchema,
  SignInSchema,
} from './sessions.schema.ts';
import { requireSession, type SessionsService } from './sessions.service.ts';

const ANYBODY: RouteAuth = { kinds: ['anonymous'], action: null };
const SESSION: RouteAuth = { kinds: ['session'], action: null };
const tags = ['sessions'];

export function registerSessionRoutes(root: FastifyInstance, service: SessionsService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(SessionSchema);
  app.addSchema(SignedInSchema);
  registerOwnSession(root, service);
  app.get(
    '/v1/sessions',
    {
      config: { auth: SESSION },
      schema: {
        operationId: 'listSessions',
        tags,
        summary: 'Own sessions, newest first',
        querystring: SessionListQuery,
        response: { 200: SessionPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { sessionId } = requireSession(request.caller).principal;
      const page = await service.list(request.caller, { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor });
      return {
        items: page.items.map((session) => presentSession(session, sessionId)),
        nextCursor: page.nextCursor,
      };
    },
  );
  app.delete(
    '/v1/sessions/:id',
    {
      config: { auth: SESSION },
      schema: {
        operationId: 'endSession',
        tags,
        summary: 'End one of the own sessions',
        params: SessionParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.end(request.caller, request.params.id);
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/v1/sessions/end-others',
    {
      config: { auth: SESSION },
      schema: {
        operationId: 'endOtherSessions',
        tags,
        summary: 'End all own sessions but this one',
        response: { 200: EndedSchema, default: problemResponse },
      },
    },
    async (request) => ({ ended: await service.endOthers(request.caller) }),
  );
}

function registerOwnSession(root: FastifyInstance, service: SessionsService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  const response = { 200: refTo(SignedInSchema), default: problemResponse };
  app.post(
    '/v1/session',
    {
      // The answer sets a cookie: another site could sign its visitors in to an account of its own.
      onRequest: async (request) => refuseCrossSite(request),
      config: { auth: ANYBODY },
      schema: { operationId: 'signIn', tags, summary: 'Sign in', body: SignInSchema, response },
    },
    async (request, reply) => {
      const { email, password } = request.body;
      const started = await service.signIn(request.caller, {
        email,
        password: new Secret(password),
        oldCookie: readSessionCookie(request),
      });
      setSessionCookie(request, reply, started.cookie);
      return presentSignedIn(started, request.caller.workspace);
    },
  );
  app.get(
    '/v1/session',
    {
      config: { auth: SESSION },
      schema: { operationId: 'getSession', tags, summary: 'Who is signed in', response },
    },
    async (request) => presentSignedIn(await service.current(request.caller), request.caller.workspace),
  );
  app.delete(
    '/v1/session',
    {
      config: { auth: SESSION },
      schema: {
        operationId: 'signOut',
        tags,
        summary: 'Sign out',
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.signOut(request.caller);
      clearSessionCookie(request, reply);
      return reply.code(204).send(null);
    },
  );
}
