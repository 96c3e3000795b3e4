import type { Request, RequestHandler } from 'express';
import {
  checkRule,
  createGuard,
  type GuardRule,
  type GuardSource,
  type Identity,
  type Verdict,
} from './guard.ts';
import { readRawHeaders } from './presented.ts';

export type { GuardOptions, GuardRule, Identity, KeyIdentity, TokenIdentity } from './guard.ts';

declare global {
  namespace Express {
    interface Request {
      /** Who calls, behind a middleware of Keyreeve; null when it lets anonymous requests pass. */
      keyreeve?: Identity | null;
    }
  }
}

type Call = readonly [request: Request];

/** Makes a middleware for each rule. All of them share one cache and one set of keys. */
export interface ExpressKeyreeve {
  (rule: GuardRule<Call>): RequestHandler;
  /** Ends what runs in the background. */
  close(): Promise<void>;
}

/**
 * For Express 5 (and 4): `app.get('/reports/:id', keyreeve({ action: 'report:read' }), handler)`; the handler finds
 * the caller at `request.keyreeve`. Refusals are answered with problem documents (RFC 9457); what goes wrong for other
 * reasons goes to the error handlers of the application.
 *
 * @param options or a function that is called at the first request
 * @throws TypeError when an option cannot be used
 */
export function createKeyreeve(options: GuardSource<Call>): ExpressKeyreeve {
  const guard = createGuard(options);
  const build = (rule: GuardRule<Call>): RequestHandler => {
    checkRule(rule);
    return async (request, response, next) => {
      let verdict: Verdict;
      try {
        verdict = await guard.check(rule, { readHeader: readRawHeaders(request.rawHeaders) }, [request]);
      } catch (error) {
        // Not left to the framework: Express 4 waits for no promise.
        next(error);
        return;
      }
      if ('refusal' in verdict) {
        const { status, headers, body } = verdict.refusal;
        response.writeHead(status, headers).end(body);
        return;
      }
      request.keyreeve = verdict.identity;
      next();
    };
  };
  return Object.assign(build, { close: () => guard.close() });
}
