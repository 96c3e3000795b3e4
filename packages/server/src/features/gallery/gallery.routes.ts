import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { AppError } from '../../errors/index.ts';
import { EmptyResponse, type RouteAuth, readCredential, toAppError } from '../../http/index.ts';
import { readNugetDeprecation } from './deprecations/nuget-body.ts';
import { sendGalleryError, toPlainText } from './gallery.answer.ts';
import { PART_OF_PACKAGE, sendPackage } from './gallery.download.ts';
import { packageErrors } from './gallery.errors.ts';
import type { GalleryService, PushPlan } from './gallery.service.ts';
import { PushCheckSchema, presentPlan, readsDryRun, refuseDryRun, toPlanText } from './push-check.ts';
import type { KeyCaller } from './push-rights.ts';
import { GALLERY_DOOR } from './reading/gallery-reading.ts';
import { drainLimits, readUploadBody, UPLOAD_DEADLINE_MS } from './upload/upload-body.ts';

export interface GalleryRouteOptions {
  /** 250 MB unless told; the same as for the service. */
  readonly packageBytesMax?: number;
  /** How long an upload may take. */
  readonly uploadDeadlineMs?: number;
  /** How long the rest of a refused body is read before the connection is closed. */
  readonly drainDeadlineMs?: number;
}

// What a key must hold depends on the package, so the service asks for the action once it knows it.
const KEY: RouteAuth = { kinds: ['key'], action: null, isDeferred: true, countsUse: true };
// A session is no key: a browser that happens to send its cookie has not sent one.
const NO_KEY = ['auth.required', 'auth.session_ended', 'auth.cross_site'];
const NOT_A_KEY = ['auth.kind_not_accepted', 'auth.insufficient_scope', 'auth.forbidden'];

const VersionParams = Type.Object(
  { id: Type.String({ maxLength: 300 }), version: Type.String({ maxLength: 300 }) },
  { additionalProperties: false },
);
type VersionParams = Type.Static<typeof VersionParams>;
const IdParams = Type.Object({ id: Type.String({ maxLength: 300 }) }, { additionalProperties: false });
type IdParams = Type.Static<typeof IdParams>;

const PUSH_PATHS = ['/api/v2/package', '/api/v2', '/nuget'];
const VERSION_PATHS = ['/api/v2/package/:id/:version', '/api/v2/:id/:version', '/nuget/:id/:version'];
const tags = ['gallery'];
const textResponse = {
  description: 'The reason, the same as in the reason phrase of the status line.',
  content: { 'text/plain': { schema: Type.String() } },
};

/** The NuGet protocol, writing side, and the download by exact version. */
export function registerGalleryRoutes(
  root: FastifyInstance,
  gallery: GalleryService,
  options: GalleryRouteOptions = {},
): void {
  const limits = drainLimits(options.packageBytesMax, options.drainDeadlineMs);
  const config = { auth: KEY, bodyDeadlineMs: options.uploadDeadlineMs ?? UPLOAD_DEADLINE_MS };
  void root.register((app, _options, done) => {
    // Bodies are streams of any type; nobody but the handler reads them.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    // The framework refuses a type that it cannot read; here the type is only asked whether it is multipart, and
    // the handler takes it from `raw`.
    app.addHook('onRequest', (request, _reply, next) => {
      if (request.headers['content-type'] !== undefined)
        request.headers = { 'content-type': 'application/octet-stream' };
      next();
    });
    app.setErrorHandler(async (error, request, reply) => {
      const fault = await toGalleryError(toAppError(error), request, gallery);
      return await sendGalleryError(fault, request, reply, limits);
    });
    registerPush(app, gallery, config);
    registerListing(app, gallery, config);
    registerDeprecation(app, gallery, config);
    registerDownload(app, gallery);
    done();
  });
}

interface KeyRouteConfig {
  readonly auth: RouteAuth;
  readonly bodyDeadlineMs: number;
}

function registerPush(app: FastifyInstance, gallery: GalleryService, config: KeyRouteConfig): void {
  const push = async (request: FastifyRequest, reply: FastifyReply) => {
    const by = requireKey(request);
    const isDryRun = readsDryRun(request.url);
    const body = readUploadBody(request);
    try {
      if (isDryRun) return sendPlan(await gallery.checkPush(by, body), reply);
      await gallery.push(by, body);
    } catch (error) {
      // A body that came too late was answered when its time was up; that it then breaks off is no news.
      if (reply.sent) return reply;
      throw error;
    }
    await addWarning(reply, gallery, by);
    return reply.code(201).send();
  };
  const schema = {
    tags,
    summary: 'Push a package (NuGet)',
    description:
      'The body is a .nupkg, raw or as the first part of a multipart form. Needs `package:pushnew` for a new id, `package:pushversion` for a new version of an existing one; `package:push` is both. Also at `/api/v2`, `/nuget` and `/`, with POST instead of PUT, with a slash at the end, and in any letter case. With `?dryRun=true` everything is checked and nothing stored: the answer is 200 with what a push would do, or the error that it would get.',
    response: { 200: PushCheckSchema, 201: EmptyResponse, default: textResponse },
  };
  for (const url of PUSH_PATHS) {
    const isShown = url === PUSH_PATHS[0];
    const shown = isShown ? { ...schema, operationId: 'pushPackage' } : { ...schema, hide: true };
    app.put(url, { config, schema: shown }, push);
    app.post(url, { config, schema: { ...schema, hide: true } }, push);
  }
  app.put('/', { config, schema: { ...schema, hide: true } }, push);
}

/** A client that takes the answer for that of a push shows the header as a warning. */
function sendPlan(plan: PushPlan, reply: FastifyReply): FastifyReply {
  return reply
    .code(200)
    .header('x-nuget-warning', toPlainText(toPlanText(plan)))
    .send(presentPlan(plan));
}

function registerListing(app: FastifyInstance, gallery: GalleryService, config: KeyRouteConfig): void {
  const setListed = async (
    request: FastifyRequest<{ Params: VersionParams }>,
    reply: FastifyReply,
    isListed: boolean,
  ) => {
    const by = requireKey(request);
    refuseDryRun(request.url);
    const { id, version } = request.params;
    await gallery.setListed(by, id, version, isListed);
    await addWarning(reply, gallery, by);
    return reply.code(isListed ? 200 : 204).send();
  };
  const description = 'Needs `package:unlist`. Also at `/api/v2/{id}/{version}` and `/nuget/{id}/{version}`.';
  for (const url of VERSION_PATHS) {
    const isHidden = url !== VERSION_PATHS[0];
    const common = { tags, description, params: VersionParams };
    app.delete<{ Params: VersionParams }>(
      url,
      {
        config,
        schema: {
          ...common,
          ...(isHidden ? { hide: true } : { operationId: 'unlistPackageVersion' }),
          summary: 'Unlist a version (NuGet)',
          response: { 204: EmptyResponse, default: textResponse },
        },
      },
      (request, reply) => setListed(request, reply, false),
    );
    app.post<{ Params: VersionParams }>(
      url,
      {
        config,
        schema: {
          ...common,
          ...(isHidden ? { hide: true } : { operationId: 'relistPackageVersion' }),
          summary: 'Relist a version (NuGet)',
          response: { 200: EmptyResponse, default: textResponse },
        },
      },
      (request, reply) => setListed(request, reply, true),
    );
  }
}

function registerDeprecation(app: FastifyInstance, gallery: GalleryService, config: KeyRouteConfig): void {
  app.put<{ Params: IdParams }>(
    '/api/v2/package/:id/deprecations',
    {
      config,
      schema: {
        operationId: 'deprecatePackageVersions',
        tags,
        summary: 'Deprecate versions (NuGet)',
        description:
          'Needs `package:unlist`. The JSON of nuget.org: `versions`, `isLegacy`, `hasCriticalBugs`, `isOther`, `alternatePackageId`, `alternatePackageVersion`, `message`. Without any reason, the versions are deprecated no more.',
        params: IdParams,
        response: { 200: EmptyResponse, default: textResponse },
      },
    },
    async (request, reply) => {
      const by = requireKey(request);
      refuseDryRun(request.url);
      const wish = await readNugetDeprecation(request.raw.iterator({ destroyOnReturn: false }));
      await gallery.deprecate(by, request.params.id, wish);
      await addWarning(reply, gallery, by);
      return reply.code(200).send();
    },
  );
}

function registerDownload(app: FastifyInstance, gallery: GalleryService): void {
  const schema = {
    tags,
    summary: 'Download a package by exact version',
    description: 'Unlisted versions too. `Range`, `If-Range` and `If-None-Match` are understood.',
    params: VersionParams,
    response: {
      200: { description: 'The package.', content: { 'application/octet-stream': { schema: Type.Any() } } },
      206: PART_OF_PACKAGE,
      304: EmptyResponse,
      default: textResponse,
    },
  };
  const handler = async (request: FastifyRequest<{ Params: VersionParams }>, reply: FastifyReply) => {
    const { id, version } = request.params;
    return sendPackage(await gallery.openVersion(request.caller, id, version), request, reply);
  };
  const url = '/api/v2/package/:id/:version';
  app.get<{ Params: VersionParams }>(
    url,
    {
      config: { auth: GALLERY_DOOR },
      exposeHeadRoute: false,
      schema: { ...schema, operationId: 'downloadPackage' },
    },
    handler,
  );
  app.head<{ Params: VersionParams }>(
    url,
    { config: { auth: GALLERY_DOOR }, schema: { ...schema, hide: true } },
    handler,
  );
}

function requireKey(request: FastifyRequest): KeyCaller {
  if (request.refusal !== null) throw request.refusal;
  const { caller } = request;
  const credential = readCredential(request.headers);
  if (caller.principal.kind !== 'key' || credential === null || credential.kind === 'cookie') {
    throw packageErrors.key_required();
  }
  const { account, key } = caller.principal;
  return { caller, actor: { account, key }, credential: toPresentedKey(credential) };
}

type KeyCredential = Exclude<NonNullable<ReturnType<typeof readCredential>>, { kind: 'cookie' }>;

function toPresentedKey(credential: KeyCredential): KeyCaller['credential'] {
  return credential.kind === 'pair'
    ? { apiKey: credential.apiKey, secretKey: credential.secretKey }
    : { fullKey: credential.value };
}

/** The errors of the hook in the words of the protocol: 401 only without any key, 403 for one that is no good. */
async function toGalleryError(
  error: AppError,
  request: FastifyRequest,
  gallery: GalleryService,
): Promise<AppError> {
  // Of the download: the hook has told how to come in.
  if (request.isBehindDoor) return error;
  if (NO_KEY.includes(error.code) || error.code === 'package.key_required') return challenge(request);
  if (NOT_A_KEY.includes(error.code)) {
    return request.caller.principal.kind === 'session'
      ? challenge(request)
      : packageErrors.key_refused({ cause: error });
  }
  // A header that cannot even be read is a key that is no good; what it is, nobody can say more precisely.
  if (error.status !== 401) return error;
  const credential = readCredentialOrNull(request);
  return credential === null
    ? packageErrors.key_refused({ cause: error })
    : await gallery.explainRefusal(request.caller, toPresentedKey(credential));
}

function readCredentialOrNull(request: FastifyRequest): KeyCredential | null {
  try {
    const credential = readCredential(request.headers);
    return credential?.kind === 'cookie' ? null : credential;
  } catch {
    return null;
  }
}

function challenge(request: FastifyRequest): AppError {
  const realm = new URL(request.caller.workspace.url).host;
  return packageErrors.key_required({ headers: { 'www-authenticate': `ApiKey realm="${realm}"` } });
}

/** Clients print this header as a warning. */
async function addWarning(reply: FastifyReply, gallery: GalleryService, by: KeyCaller): Promise<void> {
  const warning = await gallery.findExpiryWarning(by);
  if (warning !== null) reply.header('x-nuget-warning', toPlainText(warning));
}
