import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { EmptyResponse, problemResponse, type RouteAuth } from '../../http/index.ts';
import { DeprecateBodySchema } from './deprecations/deprecations.schema.ts';
import { PACKAGE_BYTES_MAX } from './gallery.service.ts';
import { registerPackagePreview } from './package-preview.routes.ts';
import { PackageParams } from './packages.schema.ts';
import type { PackagesService } from './packages.service.ts';

const READ: RouteAuth = { kinds: ['session', 'key', 'token'], action: 'package:read' };
const MANAGE: RouteAuth = { kinds: ['session'], action: null };
const tags = ['packages'];

const LimitOrNull = Type.Union([Type.Integer(), Type.Null()], { description: 'Null: no limit.' });
const usedOf = (description: string) =>
  Type.Object({ used: Type.Integer(), limit: LimitOrNull }, { additionalProperties: false, description });

const GalleryUsageSchema = Type.Object(
  {
    packages: usedOf('Packages that the account owns, shared ones included.'),
    bytes: usedOf('Of all versions of these packages.'),
    versionsPerPackage: Type.Object({ limit: LimitOrNull }, { additionalProperties: false }),
    packageFile: Type.Object(
      { limitBytes: Type.Integer() },
      { additionalProperties: false, description: 'How large a package may be.' },
    ),
  },
  { additionalProperties: false },
);
const AccountParams = Type.Object({ id: Type.String({ maxLength: 64 }) }, { additionalProperties: false });

const PushQuestionSchema = Type.Object(
  {
    keyId: Type.String({ maxLength: 64, description: 'The API key to push with.' }),
    id: Type.String({ maxLength: 128 }),
    version: Type.String({ maxLength: 128 }),
    sizeBytes: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 50 })),
  },
  { additionalProperties: false },
);
const PushAnswerSchema = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    ownerId: Type.String({ description: 'The account that the key acts for.' }),
    wouldSucceed: Type.Boolean(),
    isNew: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'The id would be new; null when the push would be refused.',
    }),
    refusal: Type.Union([
      Type.Object(
        { status: Type.Integer(), code: Type.String(), detail: Type.String() },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
  },
  { additionalProperties: false },
);

/** What the rules of the gallery say: quotas, deprecations, what a push would get. */
export function registerRuleRoutes(root: FastifyInstance, service: PackagesService): void {
  registerDeprecations(root, service);
  registerQuestions(root, service);
  registerPackagePreview(root, service);
}

function registerDeprecations(root: FastifyInstance, service: PackagesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.put(
    '/v1/packages/:id/deprecations',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'deprecateVersions',
        tags,
        summary: 'Deprecate versions, or take that back',
        description:
          'For those who may unlist. Clients warn whoever uses a deprecated version and name the alternative; it can still be installed. All versions are changed, or none.',
        params: PackageParams,
        body: DeprecateBodySchema,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.deprecate(request.caller, request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
}

function registerQuestions(root: FastifyInstance, service: PackagesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/accounts/:id/gallery-usage',
    {
      config: { auth: READ },
      schema: {
        operationId: 'getGalleryUsage',
        tags,
        summary: 'What an account holds in the gallery, and how much it may',
        params: AccountParams,
        response: { 200: GalleryUsageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { usage, maxPackages, maxBytes, maxVersionsPerPackage } = await service.findUsage(
        request.caller,
        request.params.id,
      );
      return {
        packages: { used: usage.count, limit: maxPackages },
        bytes: { used: usage.bytes, limit: maxBytes },
        versionsPerPackage: { limit: maxVersionsPerPackage },
        packageFile: { limitBytes: PACKAGE_BYTES_MAX },
      };
    },
  );
  app.post(
    '/v1/packages/dry-run',
    {
      config: { auth: MANAGE },
      schema: {
        operationId: 'previewPush',
        tags,
        summary: 'Would a push with this key succeed?',
        description:
          'Asks all that can be told without the package: the key, its rights, reserved ids, quotas, whether the version exists. Changes nothing. `POST /v1/packages/dry-run/package` and, for package clients, `?dryRun=true` on a push also read the package.',
        body: PushQuestionSchema,
        response: { 200: PushAnswerSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { refusal, ...answer } = await service.previewPush(request.caller, request.body);
      return {
        id: answer.id,
        version: answer.version,
        ownerId: answer.ownerId,
        wouldSucceed: refusal === null,
        isNew: answer.isNew,
        refusal:
          refusal === null ? null : { status: refusal.status, code: refusal.code, detail: refusal.detail },
      };
    },
  );
}
