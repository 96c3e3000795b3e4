import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { AppError } from '../../errors/index.ts';
import { authErrors, challengeHeaders, problemResponse, type RouteAuth } from '../../http/index.ts';
import type { EpochGuard } from '../../storage/index.ts';
import { cacheHeaders, limitHeaders } from '../limits/index.ts';
import { freshnessHeaders } from './freshness.ts';
import { readQuestion } from './question.ts';
import { presentReason, presentSubjectHeaders } from './verification.present.ts';
import { AUTHORIZE_ANSWERS, AuthorizeQuerySchema } from './verification.schema.ts';
import type { VerificationService } from './verification.service.ts';

/** Gateways ask with the method of the request that they hold back, whatever it is. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const BODY_BYTES_MAX = 64 * 1024;

/**
 * Deferred, since gateways read the status and headers and nothing else: no problem document, but
 * `X-Keyreeve-Reason`. Session cookies are refused: whatever page a browser shows would be let through.
 */
const AUTH: RouteAuth = { kinds: ['key', 'token'], action: null, isDeferred: true, countsUse: true };

const DESCRIPTION = [
  'For `auth_request` of nginx, `forward_auth` of Traefik and Caddy, and HAProxy. A key or token comes in `Authorization` (Bearer or Basic), `X-API-Key` or `X-NuGet-ApiKey`; two different ones are refused with 400.',
  'Without `action` the credential is only authenticated, unless the setting `requireAction` is on. An action without `resource` must be held on everything (`*`).',
  '`X-Keyreeve-Reason` says why a credential was refused; it is precise only when the secret was right. The body is ignored.',
].join('\n\n');

type Query = Static<typeof AuthorizeQuerySchema>;

/** The answer of a gateway to a credential that the auth hook did not accept. @throws what is no such refusal */
function refuse(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.status !== 401 && error.status !== 403) throw error;
  return reply
    .code(401)
    .headers(challengeHeaders(authErrors.required(), request))
    .header('x-keyreeve-reason', presentReason(error.code))
    .send();
}

async function answer(
  service: VerificationService,
  epochGuard: EpochGuard,
  request: FastifyRequest<{ Querystring: Query }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { caller, refusal } = request;
  const question = readQuestion(request.query);
  if (refusal !== null) return refuse(refusal, request, reply);
  const { principal, workspace } = caller;
  if (principal.kind !== 'key' && principal.kind !== 'token')
    return refuse(authErrors.required(), request, reply);
  const { code, limits } = await service.authorize(caller, principal, question);
  reply.headers(limitHeaders(limits)).headers(cacheHeaders(limits));
  reply.headers(freshnessHeaders(epochGuard.freshness(workspace.id)));
  reply.headers(presentSubjectHeaders(workspace, principal.account, principal.key));
  return code === 'valid' ? reply.code(204).send() : reply.code(403).header('x-keyreeve-reason', code).send();
}

function isBodyOutstanding({ headers, raw }: FastifyRequest): boolean {
  const isAnnounced =
    headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  return isAnnounced && !raw.complete;
}

export function registerAuthorizeRoutes(
  root: FastifyInstance,
  service: VerificationService,
  epochGuard: EpochGuard,
): void {
  void root.register(async (scope) => {
    // What the held-back request carries is none of our business, nor is what it says that it carries.
    scope.addHook('onRequest', async (request) => {
      delete request.headers['content-type'];
    });
    // A gateway may announce the body that it holds back. Its next question on this connection, another client's,
    // would be read as that body.
    scope.addHook('onSend', async (request, reply) => {
      if (isBodyOutstanding(request)) reply.header('connection', 'close');
    });
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
      (_request, _body, done) => {
        done(null, undefined);
      },
    );
    for (const method of METHODS) {
      scope.route<{ Querystring: Query }>({
        method,
        url: '/v1/authorize',
        exposeHeadRoute: false,
        config: { auth: AUTH, ignoresForwardedHost: true },
        schema: {
          operationId: `authorize${method}`,
          tags: ['verification'],
          summary: 'May the request of this credential pass?',
          description: DESCRIPTION,
          querystring: AuthorizeQuerySchema,
          response: {
            ...AUTHORIZE_ANSWERS,
            default: problemResponse,
          },
        },
        handler: (request, reply) => answer(service, epochGuard, request, reply),
      });
    }
  });
}
