import type { IncomingMessage, RequestListener, Server } from 'node:http';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { requestErrors } from '../errors/index.ts';
import { parseStrictJson } from '../lib/strict-json.ts';
import { type AuthHookDeps, registerAuthHook } from './auth-hook.ts';
import { registerBodyDeadline } from './body-deadline.ts';
import { answerUnreadable, newRequestId } from './client-errors.ts';
import { refuseRepeatedHeaders } from './credentials.ts';
import { createLimitedServer, type ServerLimits } from './http-server.ts';
import { registerMethodNotAllowed } from './method-not-allowed.ts';
import { registerOpenApi } from './openapi.ts';
import type { PlainLane } from './plain-lane.ts';
import { registerProblems, sendProblem, toAppError } from './problem.ts';
import { RequestLane } from './request-lane.ts';
import { isTrustworthyOrigin } from './secure-request.ts';
import { HTTPS_HEADERS, SECURITY_HEADERS, TRUSTWORTHY_HEADERS } from './security-headers.ts';
import { takeConnections } from './socket-lane.ts';
import { endUnreadAnswers } from './unread-answers.ts';
import { schemaController } from './validation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Gateways ask here, and say in `X-Forwarded-Host` which host the client of theirs named. Taken for ours, it
     * would let that client choose the workspace whose keys pass.
     */
    ignoresForwardedHost?: boolean;
  }
}

export interface HttpAppOptions extends AuthHookDeps {
  readonly logger: FastifyBaseLogger;
  readonly trustProxy: readonly string[];
  /** Folds the address of a request before routing; package clients spell their paths in any case. */
  readonly rewriteUrl: (url: string) => string;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Only for requests that come over a socket: `inject` does not pass it. */
  readonly lane?: PlainLane | undefined;
  /** Whether the lane reads new connections itself, or only requests that Node has read. */
  readonly hasSocketLane?: boolean;
}

const BODY_BYTES_MAX = 64 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;
// A package may take ten minutes to arrive; every other body has its own, short deadline. Whatever a client that is
// slow on purpose begins with, its connection has ended ten seconds later.
const REQUEST_TIMEOUT_MS = 660_000;
const BODY_DEADLINE_MS = 8_000;
const SERVER_LIMITS: ServerLimits = {
  headerBytesMax: HEADER_BYTES_MAX,
  headersTimeoutMs: 7_000,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  idleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 72_000,
};
const REST_TIMEOUT_MS = 1_000;
const USER_AGENT_CHARACTERS_MAX = 256;

function setSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(SECURITY_HEADERS);
  if (isTrustworthyOrigin(request)) reply.headers(TRUSTWORTHY_HEADERS);
}

function serverOptions(options: HttpAppOptions): FastifyServerOptions {
  return {
    loggerInstance: options.logger,
    // `registerRequestLog` writes our own line; the built-in ones hold the query string.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy.length > 0 ? [...options.trustProxy] : false,
    schemaController,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    rewriteUrl: (request) => options.rewriteUrl(request.url ?? '/'),
    genReqId: newRequestId,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    clientErrorHandler: (fault, socket) =>
      answerUnreadable(fault, socket, {
        baseUrl: options.defaultWorkspace().url,
        headers: SECURITY_HEADERS,
        headerBytesMax: HEADER_BYTES_MAX,
      }),
    frameworkErrors: (error, request, reply) => {
      request.caller = anonymousCaller(options, request);
      setSecurityHeaders(request, reply);
      reply.header('x-request-id', request.id);
      void sendProblem(toAppError(error), request, reply);
    },
  };
}

export function readUserAgent({ headers }: Pick<IncomingMessage, 'headers'>): string | null {
  return headers['user-agent']?.slice(0, USER_AGENT_CHARACTERS_MAX) ?? null;
}

function anonymousCaller(options: HttpAppOptions, request: FastifyRequest): FastifyRequest['caller'] {
  return {
    workspace: options.defaultWorkspace(),
    principal: { kind: 'anonymous' },
    // A connection that its client has already ended has no address, whatever the framework's own type says.
    ip: request.socket.remoteAddress === undefined ? null : request.ip,
    userAgent: readUserAgent(request.raw),
    requestId: request.id,
  };
}

/** JSON only, parsed strictly. A body that is empty is none, whatever its type says: many clients send one so. */
function registerBodyParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : parseStrictJson(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
}

/**
 * The framework refuses bad escapes in the path and takes them as they are in the query. U+0000 is no character
 * of any id or search text, and PostgreSQL refuses it in the middle of a query.
 */
function refuseUnreadableUrl(url: string): void {
  if (!url.includes('%')) return;
  if (/%00/.test(url))
    throw requestErrors.malformed({ detail: 'The address contains the character U+0000 (%00).' });
  try {
    decodeURIComponent(url);
  } catch {
    throw requestErrors.malformed({
      detail: 'The address cannot be read: its percent signs do not spell UTF-8.',
    });
  }
}

/** RFC 9112 3.2. Clients of HTTP/1.0 may leave it out, and then name no workspace. */
function refuseMissingHost({ raw }: FastifyRequest): void {
  if (raw.httpVersion === '1.1' && raw.headers.host === undefined)
    throw requestErrors.malformed({
      detail: 'The Host header is missing. Every HTTP/1.1 request names its host.',
    });
}

/**
 * RFC 9112 3.2.2: where the address names a host, that one counts, and a proxy may have decided by it. Two names would
 * be two workspaces.
 */
function refuseOtherHost({ originalUrl, raw }: FastifyRequest): void {
  const named = /^https?:\/\/([^/?#]*)/i.exec(originalUrl)?.[1];
  if (named !== undefined && named.toLowerCase() !== raw.headers.host?.toLowerCase())
    throw requestErrors.malformed({ detail: 'The address names another host than the Host header.' });
}

/** Node takes a first line without a version for HTTP/0.9, whose requests have no headers, and reads headers. */
function refuseOldVersion({ raw }: FastifyRequest): void {
  if (raw.httpVersionMajor < 1)
    throw requestErrors.malformed({ detail: 'The first line names no version; send HTTP/1.1.' });
}

function registerWorkspaceHook(app: FastifyInstance, options: HttpAppOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    request.caller = anonymousCaller(options, request);
    setSecurityHeaders(request, reply);
    reply.header('x-request-id', request.id);
    if (request.protocol === 'https') reply.headers(HTTPS_HEADERS);
    refuseRepeatedHeaders(request.raw.rawHeaders);
    refuseUnreadableUrl(request.url);
    refuseOldVersion(request);
    refuseMissingHost(request);
    refuseOtherHost(request);
    const isForwardedHostIgnored = request.routeOptions.config.ignoresForwardedHost === true;
    const host = isForwardedHostIgnored ? (request.headers.host ?? '') : request.host;
    const workspace = await options.findWorkspace(host);
    if (workspace === null) throw requestErrors.unknown_host();
    request.caller = { ...request.caller, workspace };
  });
}

/** A missing body is an empty one: the answer then names the fields that are missing, or there are none. */
function registerEmptyBody(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && request.routeOptions.schema?.body !== undefined) request.body = {};
  });
}

/** One line a request, without the query string: tokens travel there by the first seed's contract. */
function registerRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const { principal, workspace, ip } = request.caller;
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? '(none)',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip,
        workspace: workspace.id,
        actor: principal.kind === 'anonymous' || principal.kind === 'system' ? null : principal.account.id,
      },
      'request',
    );
  });
}

/** The server, with the lane before the framework for as long as nobody closes it. */
function createServerFactory(options: HttpAppOptions, isClosing: () => boolean) {
  const { tls, lane, hasSocketLane = true } = options;
  return (framework: RequestListener): Server => {
    if (lane === undefined) return createLimitedServer(framework, SERVER_LIMITS, tls);
    const requests = new RequestLane(lane);
    const listener: RequestListener = (request, response) => {
      const isTaken =
        !isClosing() && requests.tryAnswer(request, response, () => framework(request, response));
      if (!isTaken) framework(request, response);
    };
    const server = createLimitedServer(listener, SERVER_LIMITS, tls);
    if (hasSocketLane)
      takeConnections(server, lane, () => !isClosing(), { ...SERVER_LIMITS, restTimeoutMs: REST_TIMEOUT_MS });
    return server;
  };
}

/** The HTTP side of the server, without any feature: hooks, parsers, problems, OpenAPI. */
export async function createHttpApp(options: HttpAppOptions): Promise<FastifyInstance> {
  let isClosing = false;
  const app: FastifyInstance = Fastify({
    ...serverOptions(options),
    serverFactory: createServerFactory(options, () => isClosing),
  });
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.decorateRequest('caller');
  registerBodyDeadline(app, { defaultMs: BODY_DEADLINE_MS });
  endUnreadAnswers(app, app.server);
  registerProblems(app);
  registerBodyParser(app);
  registerWorkspaceHook(app, options);
  registerAuthHook(app, options);
  registerEmptyBody(app);
  registerRequestLog(app);
  registerMethodNotAllowed(app);
  await registerOpenApi(app);
  return app;
}
