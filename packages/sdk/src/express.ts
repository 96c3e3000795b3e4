import type { NextFunction, Request, Response } from 'express';
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

/** Parameters of paths are texts; those of a wildcard are several, and a rule that gives them on is refused. */
type Call = readonly [request: Request<Readonly<Record<string, string>>>];

/** Fits every route, and leaves the types of its parameters, body and query as they are. */
export type ExpressGuard = <Params, ResBody, ReqBody, Query, Locals extends Record<string, unknown>>(
  request: Request<Params, ResBody, ReqBody, Query, Locals>,
  response: Response<ResBody, Locals>,
  next: NextFunction,
) => Promise<void>;

/** Makes a middleware for each rule. All of them share one cache and one set of keys. */
export interface ExpressKeyreeve {
  (rule: GuardRule<Call>): ExpressGuard;
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
  const build = (rule: GuardRule<Call>): ExpressGuard => {
    checkRule(rule);
    return async (request, response, next) => {
      let verdict: Verdict;
      try {
        const view = { readHeader: readRawHeaders(request.rawHeaders) };
        verdict = await guard.check(rule, view, [request as unknown as Call[0]]);
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
