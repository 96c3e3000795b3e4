import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { type FieldFault, requestErrors } from '../../errors/index.ts';
import { problemResponse, refTo } from '../../http/index.ts';
import { Secret } from '../../lib/secret.ts';
import type { EpochGuard } from '../../storage/index.ts';
import type { PresentedKey } from '../keys/index.ts';
import { cacheHeaders, LimitAnswerSchema } from '../limits/index.ts';
import { registerAuthorizeRoutes } from './authorize.routes.ts';
import { FreshnessSchema } from './freshness.ts';
import { readClientIp, readQuestion } from './question.ts';
import { presentVerifyAnswer } from './verification.present.ts';
import { VerifyAnswerSchema, VerifyBodySchema } from './verification.schema.ts';
import type { VerificationService } from './verification.service.ts';

function findKeyFault(body: Static<typeof VerifyBodySchema>): FieldFault | null {
  const { key, apiKey, secretKey } = body;
  if (key !== undefined) {
    return apiKey === undefined && secretKey === undefined
      ? null
      : { field: 'key', message: 'and apiKey with secretKey exclude each other' };
  }
  if (apiKey === undefined)
    return { field: secretKey === undefined ? 'key' : 'apiKey', message: 'is required' };
  return secretKey === undefined ? { field: 'secretKey', message: 'is required' } : null;
}

/** @throws request.invalid unless there is exactly one credential */
function readPresented(body: Static<typeof VerifyBodySchema>): PresentedKey {
  const fault = findKeyFault(body);
  if (fault !== null) {
    throw requestErrors.invalid({
      fields: [fault],
      detail: `${fault.field} ${fault.message}. Send either key, or apiKey and secretKey.`,
    });
  }
  const { key, apiKey = '', secretKey = '' } = body;
  return key === undefined ? { apiKey, secretKey: new Secret(secretKey) } : { fullKey: new Secret(key) };
}

/** What services and gateways ask: is this key good, and may it do this? */
export function registerVerificationRoutes(
  root: FastifyInstance,
  service: VerificationService,
  epochGuard: EpochGuard,
): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(LimitAnswerSchema);
  app.addSchema(VerifyBodySchema);
  app.addSchema(FreshnessSchema);
  app.addSchema(VerifyAnswerSchema);
  app.post(
    '/v1/keys/verify',
    {
      config: { auth: { kinds: ['key', 'token', 'session'], action: 'iam:keys:verify', isAdminOnly: true } },
      schema: {
        operationId: 'verifyKey',
        tags: ['verification'],
        summary: 'Is this key good, and may it do this?',
        description:
          'Always 200 for an answered question; `code` says why a key is refused. An unknown key, a wrong secret and a key of an account that the caller may not verify are all `not_found`.',
        body: refTo(VerifyBodySchema),
        response: { 200: refTo(VerifyAnswerSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const { action, resource, ip } = request.body;
      const input = {
        presented: readPresented(request.body),
        question: readQuestion({ action, resource }),
        clientIp: readClientIp(ip),
      };
      const answer = await service.verify(request.caller, input);
      if (answer.limits !== null) reply.headers(cacheHeaders(answer.limits));
      return presentVerifyAnswer(answer, epochGuard.freshness(request.caller.workspace.id));
    },
  );
  registerAuthorizeRoutes(root, service, epochGuard);
}
