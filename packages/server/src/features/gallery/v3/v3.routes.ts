import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { AppError } from '../../../errors/index.ts';
import { EmptyResponse, toAppError } from '../../../http/index.ts';
import { asciiLower } from '../../../lib/ascii.ts';
import type { BlobStore } from '../../../storage/blobs/blob-store.ts';
import type { FeedService } from '../feed.service.ts';
import { sendGalleryError } from '../gallery.answer.ts';
import { sendDocument } from '../gallery.document.ts';
import { PART_OF_PACKAGE, sendPackage } from '../gallery.download.ts';
import { packageErrors } from '../gallery.errors.ts';
import type { GalleryService } from '../gallery.service.ts';
import { GALLERY_DOOR } from '../reading/gallery-reading.ts';
import { createReadPackageFile, FILE_TYPES, type FileKind, type ReadPackageFile } from './package-files.ts';
import { readRegistrationIndex, readRegistrationLeaf, readRegistrationPage } from './registration.ts';
import { registerSearchRoutes } from './search.routes.ts';
import type { RegisterGet } from './v3.get.ts';
import { presentServiceIndex } from './v3.index.ts';
import { jsonWithList } from './v3.json.ts';
import { FileParams, IdParams, LeafParams, PageParams } from './v3.schema.ts';
import { HIVES } from './v3.urls.ts';

export interface V3Deps {
  readonly gallery: GalleryService;
  readonly packageFeed: FeedService;
  readonly blobs: BlobStore;
}

const DRAIN = { bytesMax: 64 * 1024, deadlineMs: 1_000 };
const FILE_KINDS: readonly FileKind[] = ['readme', 'icon', 'license'];
const tags = ['gallery'];
const JSON_BODY = {
  200: {
    description: 'The document.',
    content: { 'application/json': { schema: Type.Any() } },
  },
  304: EmptyResponse,
  default: {
    description: 'The reason, the same as in the reason phrase of the status line.',
    content: { 'text/plain': { schema: Type.String() } },
  },
};

/** The V3 protocol, reading side: what NuGet clients since 3.0 and PSResourceGet find, read and download by. */
export function registerV3Routes(root: FastifyInstance, deps: V3Deps): void {
  void root.register((app, _options, done) => {
    app.setErrorHandler(
      async (error, request, reply) => await sendGalleryError(toAppError(error), request, reply, DRAIN),
    );
    const get: RegisterGet = (url, schema, handler) => {
      const common = { config: { auth: GALLERY_DOOR }, exposeHeadRoute: false };
      const described = { tags, response: JSON_BODY, ...schema };
      const { operationId: _, ...withoutId } = described;
      app.get(url, { ...common, schema: described }, handler as never);
      app.head(url, { ...common, schema: { ...withoutId, hide: true } }, handler as never);
    };
    registerIndex(get);
    registerFlat(get, deps);
    for (const { level, path } of HIVES) registerRegistration(get, deps.packageFeed, level, path);
    registerSearchRoutes(get, deps.packageFeed);
    done();
  });
}

function registerIndex(get: RegisterGet): void {
  get(
    '/v3/index.json',
    {
      operationId: 'getServiceIndex',
      summary: 'Service index (NuGet V3)',
      description: 'The address that people configure as the source: where each service of the protocol is.',
    },
    async (request, reply) =>
      await sendDocument(request, reply, [JSON.stringify(presentServiceIndex(request.caller.workspace.url))]),
  );
}

function registerFlat(get: RegisterGet, { gallery, packageFeed, blobs }: V3Deps): void {
  const readFile = createReadPackageFile({ feed: packageFeed, blobs });
  get<{ Params: Type.Static<typeof IdParams> }>(
    '/v3/flat/:id/index.json',
    {
      operationId: 'listPackageVersions',
      summary: 'The versions of a package (NuGet V3)',
      description: 'From the lowest to the highest, unlisted ones too.',
      params: IdParams,
    },
    async (request, reply) =>
      await sendDocument(
        request,
        reply,
        await versionsIndex(packageFeed, request, asciiLower(request.params.id)),
      ),
  );
  get<{ Params: Type.Static<typeof FileParams> }>(
    '/v3/flat/:id/:version/:file',
    {
      operationId: 'getPackageFile',
      summary: 'A package, or a file out of it (NuGet V3)',
      description:
        'Unlisted versions too. For packages `Range`, `If-Range` and `If-None-Match` are understood.',
      params: FileParams,
      response: {
        200: {
          description: 'The file.',
          content: Object.fromEntries(FILE_TYPES.map((type) => [type, { schema: Type.Any() }])),
        },
        206: PART_OF_PACKAGE,
        304: EmptyResponse,
        default: JSON_BODY.default,
      },
    },
    async (request, reply) => {
      const { id, version, file } = lowerParams(request.params);
      if (file === `${id}.${version}.nupkg`)
        return sendPackage(await openPackage(gallery, request, id, version), request, reply);
      return await sendFile(readFile, request, reply, { id, version, file });
    },
  );
}

/** Addresses hold ids in lower case, so the fault does not repeat an id in a spelling that nobody wrote. */
async function openPackage(gallery: GalleryService, { caller }: FastifyRequest, id: string, version: string) {
  try {
    return await gallery.openVersion(caller, id, version);
  } catch (error) {
    if (error instanceof AppError && error.status === 404) throw packageErrors.not_found({ cause: error });
    throw error;
  }
}

async function sendFile(
  readFile: ReadPackageFile,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, version, file }: Type.Static<typeof FileParams>,
): Promise<FastifyReply> {
  const kind = file === `${id}.nuspec` ? 'nuspec' : FILE_KINDS.find((name) => name === file);
  if (kind === undefined) throw packageErrors.not_found({ detail: 'There is nothing at this address.' });
  const found = await readFile(request.caller, { idLower: id, version, kind });
  const { bytes, type, modifiedAt } = found;
  return await sendDocument(request, reply, bytes, { type, modifiedAt });
}

async function versionsIndex(
  feed: FeedService,
  { caller }: FastifyRequest,
  idLower: string,
): Promise<AsyncIterable<string>> {
  const versions: string[] = [];
  for await (const stretch of feed.entries(caller, idLower, 'semver2'))
    for (const { versionLower } of stretch) versions.push(versionLower);
  if (versions.length === 0) throw packageErrors.not_found({ detail: 'There is no package with this id.' });
  return jsonWithList({}, 'versions', versions);
}

function registerRegistration(
  get: RegisterGet,
  feed: FeedService,
  level: (typeof HIVES)[number]['level'],
  path: string,
): void {
  const is2 = level === 'semver2';
  const named = (operationId: string, summary: string) => ({
    operationId: is2 ? `${operationId}SemVer2` : operationId,
    summary: `${summary} (NuGet V3)`,
    description: is2
      ? 'With SemVer 2 versions.'
      : 'Without SemVer 2 versions, for clients that cannot read them.',
  });
  get<{ Params: Type.Static<typeof IdParams> }>(
    `${path}/:id/index.json`,
    { ...named('getRegistration', 'The versions of a package with their metadata'), params: IdParams },
    async (request, reply) => {
      const query = { idLower: asciiLower(request.params.id), level };
      return await sendDocument(request, reply, await readRegistrationIndex(feed, request.caller, query));
    },
  );
  get<{ Params: Type.Static<typeof PageParams> }>(
    `${path}/:id/page/:lower/:upper`,
    { ...named('getRegistrationPage', 'A page of the versions of a package'), params: PageParams },
    async (request, reply) => {
      const { id, lower, upper } = lowerParams(request.params);
      const query = { idLower: id, level, lower, upper: withoutJson(upper) };
      return await sendDocument(request, reply, await readRegistrationPage(feed, request.caller, query));
    },
  );
  get<{ Params: Type.Static<typeof LeafParams> }>(
    `${path}/:id/:leaf`,
    { ...named('getRegistrationLeaf', 'One version with its metadata'), params: LeafParams },
    async (request, reply) => {
      const { id, leaf } = lowerParams(request.params);
      const query = { idLower: id, level, version: withoutJson(leaf) };
      const found = await readRegistrationLeaf(feed, request.caller, query);
      return await sendDocument(request, reply, [JSON.stringify(found)]);
    },
  );
}

/** @throws package.not_found for any other name */
function withoutJson(name: string): string {
  if (!name.endsWith('.json')) throw packageErrors.not_found({ detail: 'There is nothing at this address.' });
  return name.slice(0, -'.json'.length);
}

function lowerParams<Params extends Record<string, string>>(params: Params): Params {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, asciiLower(value)]),
  ) as Params;
}
