import type { Context, MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { checkRule, createGuard, type GuardRule, type GuardSource, type Identity } from './guard.ts';
import { readFetchHeaders } from './presented.ts';

export type { GuardOptions, GuardRule, Identity, KeyIdentity, TokenIdentity } from './guard.ts';

/** Of an application whose handlers read `c.get('keyreeve')`; null when anonymous requests may pass. */
export interface KeyreeveVariables {
  keyreeve: Identity | null;
}

type Call = readonly [context: Context];

/** Makes a middleware for each rule. All of them share one cache and one set of keys. */
export interface HonoKeyreeve {
  (rule: GuardRule<Call>): MiddlewareHandler<{ Variables: KeyreeveVariables }>;
  /** Ends what runs in the background. */
  close(): Promise<void>;
}

/**
 * For Hono 4: `app.get('/reports/:id', keyreeve({ action: 'report:read' }), handler)`; the handler finds the caller by
 * `c.get('keyreeve')`. Refusals are answered with problem documents (RFC 9457); what goes wrong for other reasons goes
 * to `app.onError`.
 *
 * @param options or a function that is called at the first request
 * @throws TypeError when an option cannot be used
 */
export function createKeyreeve(options: GuardSource<Call>): HonoKeyreeve {
  const guard = createGuard(options);
  const build = (rule: GuardRule<Call>): MiddlewareHandler<{ Variables: KeyreeveVariables }> => {
    checkRule(rule);
    return async (context, next) => {
      const view = { readHeader: readFetchHeaders(context.req.raw.headers) };
      const verdict = await guard.check(rule, view, [context]);
      if ('identity' in verdict) {
        context.set('keyreeve', verdict.identity);
        return await next();
      }
      const { status, headers, body } = verdict.refusal;
      return context.body(body, status as ContentfulStatusCode, { ...headers });
    };
  };
  return Object.assign(build, { close: () => guard.close() });
}
