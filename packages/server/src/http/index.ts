export { acceptsEncoding } from './accepts-encoding.ts';
export { authErrors } from './auth-errors.ts';
export { type RouteAuth, refuseCrossSite } from './auth-hook.ts';
export {
  type Caller,
  requireAuthenticated,
  systemCaller,
  type Workspace,
} from './caller.ts';
export { newRequestId } from './client-errors.ts';
export { registerConsoleRoutes } from './console.routes.ts';
export { readConsoleFiles } from './console-files.ts';
export {
  fromPair,
  parseBasic,
  readCredential,
  SECURE_SESSION_COOKIE,
  SESSION_COOKIE,
} from './credentials.ts';
export { registerDocsRoutes } from './docs.routes.ts';
export { createHttpApp, type HttpAppOptions, readUserAgent } from './http-app.ts';
export { readIfMatch, toEtag } from './if-match.ts';
export { matchesEtag } from './if-none-match.ts';
export { registerOperationsRoutes } from './operations.routes.ts';
export { PlainLane, type PlainRequest, type PlainRoute, type ReadyAnswer } from './plain-lane.ts';
export type {
  AccountIdentity,
  AccountKind,
  AccountRole,
  AuthenticatedPrincipal,
  KeyAccess,
  KeyIdentity,
  Principal,
  SessionPrincipal,
  TokenPrincipal,
} from './principal.ts';
export { challengeHeaders, logFault, problemResponse, toAppError } from './problem.ts';
export { readCursor } from './read-cursor.ts';
export { RequestDurations } from './request-durations.ts';
export { createRequestFacts, type RequestFacts } from './request-facts.ts';
export { EmptyResponse, ListQuery, pageOf, refTo } from './schemas.ts';
export { isLoopbackHost, isSecureRequest } from './secure-request.ts';
export { HTTPS_HEADERS, SECURITY_HEADERS, TRUSTWORTHY_HEADERS } from './security-headers.ts';
export { registerSecurityTxtRoute } from './security-txt.routes.ts';
export { LAST_ANSWERS } from './socket-lane.ts';
export { whileAdmitted } from './while-admitted.ts';
