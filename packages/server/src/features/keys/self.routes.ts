import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { requestErrors } from '../../errors/index.ts';
import { EmptyResponse, problemResponse, refTo, requireAuthenticated } from '../../http/index.ts';
import { presentPermissions } from '../accounts/index.ts';
import { effectivePermissions } from '../scopes/index.ts';
import type { ApiKey } from './api-key.ts';
import type { KeyLister } from './key-list.ts';
import { presentKey } from './keys.present.ts';
import { SelfSchema } from './keys.schema.ts';
import type { KeysService } from './keys.service.ts';

/** What a key says about itself: its holder can always ask what it is and may do, and can always kill it. */
export function registerSelfRoutes(
  root: FastifyInstance,
  deps: {
    keys: KeysService;
    lister: KeyLister;
    findKey: (workspaceId: string, keyId: string) => Promise<ApiKey | null>;
  },
): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(SelfSchema);
  app.get(
    '/v1/keys/self',
    {
      config: { auth: { kinds: ['key', 'token'], action: null } },
      schema: {
        operationId: 'getOwnKey',
        tags: ['keys'],
        summary: 'What this key is and may do',
        response: { 200: refTo(SelfSchema), default: problemResponse },
      },
    },
    async (request) => {
      const { principal, workspace } = requireAuthenticated(request.caller);
      if (principal.kind === 'session') throw requestErrors.not_found();
      const { id, kind, displayName, login } = principal.account;
      const key = await deps.findKey(workspace.id, principal.key.id);
      if (key === null) throw requestErrors.not_found();
      return {
        key: presentKey(await deps.lister.view(request.caller, key)),
        account: { id, kind, displayName, login },
        permissions: presentPermissions(effectivePermissions(principal.account, principal.key)),
      };
    },
  );
  app.post(
    '/v1/keys/self/revoke',
    {
      config: { auth: { kinds: ['key'], action: null, isUnlimited: true } },
      schema: {
        operationId: 'revokeOwnKey',
        tags: ['keys'],
        summary: 'Kill the secret of this key for good',
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await deps.keys.revokeSelf(request.caller);
      return reply.code(204).send(null);
    },
  );
}
