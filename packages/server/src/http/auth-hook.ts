import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/index.ts';
import { authErrors } from './auth-errors.ts';
import type { Caller, Workspace } from './caller.ts';
import { type PresentedCredential, readCredential } from './credentials.ts';
import type { AuthenticatedPrincipal, CredentialKind, Principal, SystemPrincipal } from './principal.ts';
import { withBasicChallenge } from './problem.ts';
import { isSecureRequest } from './secure-request.ts';

/** What a route demands. Without one, the server refuses to start: deny by default. */
export interface RouteAuth {
  readonly kinds: readonly CredentialKind[];
  /** The action that keys and tokens must hold on something; null when being somebody is enough. */
  readonly action: string | null;
  /** A fixed resource that the action must be held on; without one, the service checks the object. */
  readonly resource?: string;
  /** Sessions: administrators of the workspace only. */
  readonly isAdminOnly?: boolean;
  /** Administrators of the default workspace only. */
  readonly isSystemOnly?: boolean;
  /** The route answers bad credentials itself, in the form that its clients know; see `request.refusal`. */
  readonly isDeferred?: boolean;
  /** The route decides more about a key than the hook can, and counts itself what came of each that gets to it. */
  readonly countsUse?: boolean;
  /** For what somebody must be able to do with a key that is over its limits: ending it. */
  readonly isUnlimited?: boolean;
  /**
   * A door that each workspace opens or closes. While it is open, everybody is served and no credential is looked
   * at; while it is closed, `kinds` hold, and no answer is for caches that others share.
   */
  readonly door?: Door;
}

export type Door = 'gallery';

/** What came of counting the use of a key with limits. */
export interface LimitedUse {
  /** Why it is over one of them. */
  readonly refusal: AppError | null;
  readonly headers: Readonly<Record<string, string>>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    auth?: RouteAuth;
  }
  interface FastifyRequest {
    caller: Caller;
    /** On deferred routes: why the presented credential was not accepted. */
    refusal: AppError | null;
    /** The caller was known before all of the body had come. */
    isDecidedEarly: boolean;
    /** What the answer tells of the limits of the caller's key; null for keys without. */
    limitHeaders: Readonly<Record<string, string>> | null;
    /** The route has a door, and it is closed. */
    isBehindDoor: boolean;
    /** Looks at the credential once more, which is no second use. @throws auth.* when it is no good any more */
    readmit(): Promise<void>;
  }
}

export interface AuthHookDeps {
  readonly findWorkspace: (host: string) => Promise<Workspace | null>;
  readonly defaultWorkspace: () => Workspace;
  /**
   * The principal behind a credential; throws an `auth.*` error when it is no good, and then counts the refusal
   * of a known key if `isCounted`.
   */
  readonly authenticate: (
    credential: PresentedCredential,
    request: {
      workspace: Workspace;
      ip: string | null;
      userAgent: string | null;
      isCounted: boolean;
      /** The action of the route. */
      action: string | null;
    },
  ) => Promise<AuthenticatedPrincipal>;
  /** True when a key or token holds the action on the resource, or, without one, on anything at all. */
  readonly isPermitted: (
    principal: AuthenticatedPrincipal,
    action: string,
    resource: string | undefined,
  ) => boolean;
  /**
   * A good credential came to a route that is for it, or not: once for each request. Null for a key without limits;
   * `isFree` leaves them out.
   */
  readonly onUse: (
    caller: Caller,
    use: { readonly isLetIn: boolean; readonly action: string | null; readonly isFree: boolean },
  ) => Promise<LimitedUse> | null;
  readonly onRefusal: (caller: Caller, error: AppError, route: string) => void;
  /** Without it all doors are closed. */
  readonly isOpen?: (workspace: Workspace, door: Door) => Promise<boolean>;
}

/**
 * The account that a page was drawn for. All tabs of a browser share one cookie: after a sign-in as somebody else
 * in one of them, the others would go on in the new person's name.
 */
const EXPECTED_ACCOUNT_HEADER = 'keyreeve-expected-account';
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
/** All that an answer behind a door depends on, beside what its route names. */
const CREDENTIAL_HEADERS = 'authorization, cookie, x-api-key, x-nuget-apikey';

/** Decides who calls and whether this route is for him at all; the services decide about the object. */
export function registerAuthHook(app: FastifyInstance, deps: AuthHookDeps): void {
  // Stryker disable CallExpression, StringLiteral, BooleanLiteral: all requests have one shape; what is not there is falsy
  app.decorateRequest('refusal', null);
  app.decorateRequest('isDecidedEarly', false);
  app.decorateRequest('limitHeaders', null);
  app.decorateRequest('isBehindDoor', false);
  // Stryker restore CallExpression, StringLiteral, BooleanLiteral
  app.decorateRequest('readmit', async function readmit(this: FastifyRequest) {
    const auth = this.routeOptions.config.auth;
    // Stryker disable next-line ConditionalExpression: each route has one, and nothing else calls this
    if (auth !== undefined) await admit(this, auth, deps, true);
    if (this.refusal !== null) throw this.refusal;
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.auth === undefined) {
      throw new Error(
        `The route ${String(route.method)} ${route.url} has no \`auth\` setting; every route must say who may call it.`,
      );
    }
  });
  app.addHook('onRequest', async (request) => {
    const auth = request.routeOptions.config.auth;
    if (auth === undefined) return;
    // Node hands on a body that came with its head later in this turn of its loop. Later turns may be after a
    // revocation that this look is too early for, also when the look takes longer than the body.
    let wasWholeThisTurn: boolean | null = null;
    setImmediate(() => {
      wasWholeThisTurn = request.raw.complete;
    });
    await admit(request, auth, deps, false);
    request.isDecidedEarly = !(wasWholeThisTurn ?? request.raw.complete);
  });
  // A body may take its time, and its sender decides how long: without a second look, a request begun with a
  // stolen credential and finished after its revocation would still be carried out.
  app.addHook('preHandler', async (request) => {
    const auth = request.routeOptions.config.auth;
    // Stryker disable next-line ConditionalExpression: without one nothing was decided, early or late
    if (auth === undefined) return;
    const isKnown = request.refusal === null && request.caller.principal.kind !== 'anonymous';
    if (request.isDecidedEarly && isKnown) await admit(request, auth, deps, true);
  });
  app.addHook('onSend', async (request, reply) => {
    if (request.isBehindDoor) keepFromSharedCaches(reply);
    if (request.limitHeaders !== null) reply.headers(request.limitHeaders);
  });
}

function keepFromSharedCaches(reply: FastifyReply): void {
  const vary = reply.getHeader('vary');
  reply.header('vary', vary === undefined ? CREDENTIAL_HEADERS : `${String(vary)}, ${CREDENTIAL_HEADERS}`);
  if (reply.getHeader('cache-control') !== 'no-store') reply.header('cache-control', 'private, no-cache');
}

/** Sets the principal of the request, or the refusal where the route answers that itself. */
async function admit(
  request: FastifyRequest,
  auth: RouteAuth,
  deps: AuthHookDeps,
  isRecheck: boolean,
): Promise<void> {
  const countsUse = auth.countsUse === true;
  request.isBehindDoor =
    auth.door !== undefined && (await deps.isOpen?.(request.caller.workspace, auth.door)) !== true;
  if (auth.door !== undefined && !request.isBehindDoor) return;
  // A second look within one request is no second use; a route that counts uses itself has not counted this one yet.
  const isCounted = !isRecheck || countsUse;
  try {
    const principal = await resolvePrincipal(request, auth, deps, isCounted);
    request.caller = { ...request.caller, principal };
    const refusal = findRouteRefusal(request, principal, auth, deps);
    if (isCounted && (refusal !== null || !countsUse)) {
      const isFree = isRecheck || auth.isUnlimited === true;
      const use = deps.onUse(request.caller, { isLetIn: refusal === null, action: auth.action, isFree });
      if (use !== null) {
        const { refusal: over, headers } = await use;
        request.limitHeaders = headers;
        if (over !== null) throw over;
      }
    }
    if (refusal !== null) throw refusal;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Package clients knock without a credential first, each time: that is no refusal worth counting.
    const isKnock = request.isBehindDoor && error.code === 'auth.required';
    // Stryker disable next-line StringLiteral: only routes have a setting, and each has an address
    if (!isKnock) deps.onRefusal(request.caller, error, request.routeOptions.url ?? '');
    if (request.isBehindDoor) throw withBasicChallenge(error, request);
    if (auth.isDeferred !== true) throw error;
    request.refusal = error;
  }
}

type RequestPrincipal = Exclude<Principal, SystemPrincipal>;

async function resolvePrincipal(
  request: FastifyRequest,
  auth: RouteAuth,
  deps: AuthHookDeps,
  isCounted: boolean,
): Promise<RequestPrincipal> {
  if (auth.kinds.every((kind) => kind === 'anonymous')) return { kind: 'anonymous' };
  const credential = readCredential(request.headers, isSecureRequest(request));
  if (credential === null) {
    if (auth.kinds.includes('anonymous')) return { kind: 'anonymous' };
    throw request.isBehindDoor ? behindDoor() : authErrors.required();
  }
  if (credential.kind === 'cookie') {
    refuseCrossSite(request);
    if (request.isBehindDoor && isFromElsewhere(request)) throw behindDoor();
  }
  const { workspace, ip, userAgent } = request.caller;
  const { action } = auth;
  return await deps.authenticate(credential, { workspace, ip, userAgent, isCounted, action });
}

/** Why the route is not for this caller, or null. */
function findRouteRefusal(
  request: FastifyRequest,
  principal: RequestPrincipal,
  auth: RouteAuth,
  deps: AuthHookDeps,
): AppError | null {
  if (principal.kind === 'anonymous') return null;
  if (principal.kind === 'session') {
    const expected = request.headers[EXPECTED_ACCOUNT_HEADER];
    if (expected !== undefined && expected !== principal.account.id) return authErrors.other_account();
  }
  if (!auth.kinds.includes(principal.kind))
    return authErrors.kind_not_accepted({ extra: { accepted: auth.kinds } });
  if (auth.isSystemOnly === true && !request.caller.workspace.isDefault) return authErrors.forbidden();
  if (principal.kind === 'session') {
    const isAdmin = principal.account.role === 'admin';
    const isForAdmins = auth.isAdminOnly === true || auth.isSystemOnly === true;
    return isForAdmins && !isAdmin ? authErrors.forbidden() : null;
  }
  if (auth.action === null || deps.isPermitted(principal, auth.action, auth.resource)) return null;
  return authErrors.insufficient_scope({
    detail: `This needs the action ${auth.action}, which this key does not hold.`,
    extra: { action: auth.action },
  });
}

/**
 * Browsers attach the cookie to requests that other sites start. Such a request says so in
 * `Sec-Fetch-Site`, and older browsers in `Origin`; both are out of reach of scripts.
 */
export function refuseCrossSite(request: FastifyRequest): void {
  if (!SAFE_METHODS.includes(request.method) && isFromElsewhere(request)) throw authErrors.cross_site();
}

function isFromElsewhere(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = request.headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== request.host;
}

function behindDoor(): AppError {
  return authErrors.required({
    detail:
      'This gallery is private. Set up the source with an API key as the user name and its secret key as the password.',
  });
}
