import { checkRule, createGuard, type GuardRule, type GuardSource, type Identity } from './guard.ts';
import { readFetchHeaders } from './presented.ts';

export type { GuardOptions, GuardRule, Identity, KeyIdentity, TokenIdentity } from './guard.ts';

/** What a handler gets in its second argument besides `params`; null when anonymous requests may pass. */
export interface KeyreeveContext {
  readonly keyreeve: Identity | null;
}

/** What Next hands to every route handler. */
export interface RouteContext {
  readonly params: Promise<Readonly<Record<string, string>>>;
}

/** What the functions of options and rules get. */
type Call = readonly [request: Request, context: RouteContext];

/** Wraps a handler of a route. All of them share one cache and one set of keys. */
export interface NextKeyreeve {
  /**
   * @param handler the type of its second argument, if it names one, contains `KeyreeveContext`
   * @throws TypeError for a rule that cannot be used
   */
  <R extends Request, Context extends KeyreeveContext = RouteContext & KeyreeveContext>(
    rule: GuardRule<Call>,
    handler: (request: R, context: Context) => Response | Promise<Response>,
  ): (request: R, context: Omit<Context, 'keyreeve'>) => Promise<Response>;
  /** Ends what runs in the background. */
  close(): Promise<void>;
}

/**
 * For route handlers of Next 16, and whatever else answers a `Request` with a `Response`:
 * `export const GET = withKeyreeve({ action: 'report:read' }, handler)`; the handler finds the caller at `keyreeve` of
 * its second argument. Refusals are answered with problem documents (RFC 9457); everything else that goes wrong is
 * thrown on.
 *
 * @param options or, since `next build` runs the modules of routes where no secrets are, a function that is called at
 * the first request
 * @throws TypeError when an option cannot be used
 */
export function createKeyreeve(options: GuardSource<Call>): NextKeyreeve {
  const guard = createGuard(options);
  const wrap = <R extends Request, Context extends KeyreeveContext>(
    rule: GuardRule<Call>,
    handler: (request: R, context: Context) => Response | Promise<Response>,
  ) => {
    checkRule(rule);
    return async (request: R, context: Omit<Context, 'keyreeve'>): Promise<Response> => {
      const view = { readHeader: readFetchHeaders(request.headers) };
      const call = [request, context as unknown as RouteContext] as const;
      const verdict = await guard.check(rule, view, call);
      if ('identity' in verdict)
        return await handler(request, { ...context, keyreeve: verdict.identity } as Context);
      const { status, headers, body } = verdict.refusal;
      return new Response(request.method === 'HEAD' ? null : body, { status, headers });
    };
  };
  return Object.assign(wrap, { close: () => guard.close() });
}
