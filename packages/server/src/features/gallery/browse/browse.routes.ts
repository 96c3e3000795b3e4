import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse, refTo } from '../../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../../lib/page.ts';
import { GALLERY_DOOR } from '../reading/gallery-reading.ts';
import { presentGalleryPackage, presentGalleryVersion, presentVersionLine } from './browse.present.ts';
import {
  BrowsePackageParams,
  BrowsePageSchema,
  BrowseQuerySchema,
  BrowseVersionParams,
  GalleryPackagePageSchema,
  GalleryPackageSchema,
  GalleryReadmeSchema,
  GalleryVersionLineSchema,
  GalleryVersionPageSchema,
  GalleryVersionSchema,
} from './browse.schema.ts';
import type { BrowseService } from './browse.service.ts';

const config = { auth: GALLERY_DOOR };
const tags = ['gallery'];
const FOR_WHOM = 'For everybody while the setting `galleryRead` is `anonymous`.';

/** The gallery as the pages for people read it. */
export function registerBrowseRoutes(root: FastifyInstance, service: BrowseService): void {
  root.addSchema(GalleryPackageSchema);
  root.addSchema(GalleryVersionSchema);
  root.addSchema(GalleryVersionLineSchema);
  root.addSchema(GalleryReadmeSchema);
  registerList(root, service);
  registerPackage(root, service);
  registerVersion(root, service);
}

function registerList(root: FastifyInstance, service: BrowseService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/gallery/packages',
    {
      config,
      schema: {
        operationId: 'browsePackages',
        tags,
        summary: 'Search the gallery',
        description: `${FOR_WHOM} \`q\` takes words, \`tag:\`, \`id:\` and texts in quotes: all must be found. First come ids that begin with the first word.`,
        querystring: BrowseQuerySchema,
        response: { 200: GalleryPackagePageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { q, kind, limit, cursor } = request.query;
      const page = await service.list(
        request.caller,
        { q, kind },
        { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor },
      );
      return { items: page.items.map(presentGalleryPackage), nextCursor: page.nextCursor };
    },
  );
}

function registerPackage(root: FastifyInstance, service: BrowseService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/gallery/packages/:id',
    {
      config,
      schema: {
        operationId: 'browsePackage',
        tags,
        summary: 'A package by its latest version',
        description: FOR_WHOM,
        params: BrowsePackageParams,
        response: { 200: refTo(GalleryVersionSchema), default: problemResponse },
      },
    },
    async (request) => presentGalleryVersion(await service.get(request.caller, request.params.id, null)),
  );
  app.get(
    '/v1/gallery/packages/:id/versions',
    {
      config,
      schema: {
        operationId: 'browseVersions',
        tags,
        summary: 'The listed versions of a package, highest first',
        description: FOR_WHOM,
        params: BrowsePackageParams,
        querystring: BrowsePageSchema,
        response: { 200: GalleryVersionPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor };
      const { items, nextCursor } = await service.listVersions(request.caller, request.params.id, page);
      return { items: items.map(presentVersionLine), nextCursor };
    },
  );
}

function registerVersion(root: FastifyInstance, service: BrowseService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/gallery/packages/:id/:version',
    {
      config,
      schema: {
        operationId: 'browseVersion',
        tags,
        summary: 'A version of a package, unlisted ones too',
        description: FOR_WHOM,
        params: BrowseVersionParams,
        response: { 200: refTo(GalleryVersionSchema), default: problemResponse },
      },
    },
    async (request) => {
      const { id, version } = request.params;
      return presentGalleryVersion(await service.get(request.caller, id, version));
    },
  );
  app.get(
    '/v1/gallery/packages/:id/:version/readme',
    {
      config,
      schema: {
        operationId: 'readReadme',
        tags,
        summary: 'The readme of a version',
        description: `${FOR_WHOM} 404 when the package has none.`,
        params: BrowseVersionParams,
        response: { 200: refTo(GalleryReadmeSchema), default: problemResponse },
      },
    },
    async (request) => {
      const { id, version } = request.params;
      const { text, isCut } = await service.readReadme(request.caller, id, version);
      return { text, isCut };
    },
  );
}
