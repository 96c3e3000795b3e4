import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { checkRule, createGuard, type GuardOptions, type GuardRule, type Identity } from './guard.ts';
import { readRawHeaders } from './presented.ts';

export type { GuardOptions, GuardRule, Identity, KeyIdentity, TokenIdentity } from './guard.ts';

type Call = readonly [request: FastifyRequest<{ Params: Readonly<Record<string, string>> }>];
type Options = GuardOptions<Call>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, behind `requireKey`; null when that lets anonymous requests pass, and without it. */
    keyreeve: Identity | null;
  }
  interface FastifyInstance {
    /** A hook for `onRequest` of a route, or for `addHook`. @throws TypeError for a rule that cannot be used */
    requireKey(rule: GuardRule<Call>): onRequestAsyncHookHandler;
  }
}

async function register(app: FastifyInstance, options: Options): Promise<void> {
  const guard = createGuard(options);
  app.decorateRequest('keyreeve', null);
  app.decorate('requireKey', (rule) => {
    checkRule(rule);
    return async (request, reply) => {
      const view = { readHeader: readRawHeaders(request.raw.rawHeaders) };
      const verdict = await guard.check(rule, view, [request as Call[0]]);
      if ('refusal' in verdict) {
        const { status, headers, body } = verdict.refusal;
        return reply.code(status).headers(headers).send(body);
      }
      request.keyreeve = verdict.identity;
      return undefined;
    };
  });
  app.addHook('onClose', () => guard.close());
}

/**
 * For Fastify 5: `await app.register(keyreeve, options)`, then
 * `app.get('/reports/:id', { onRequest: app.requireKey({ action: 'report:read' }) }, handler)`; the handler finds the
 * caller at `request.keyreeve`. Refusals are answered with problem documents (RFC 9457); what goes wrong for other
 * reasons goes to the error handler of the application. Register it where all its routes lie below.
 *
 * @throws TypeError when an option cannot be used
 */
export const keyreeve: FastifyPluginAsync<Options> = Object.assign(register, {
  // What `fastify-plugin` sets: the decorators are for the scope that registers this, not for one within.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@keyreeve/sdk',
  [Symbol.for('plugin-meta')]: { name: '@keyreeve/sdk', fastify: '5.x' },
});
