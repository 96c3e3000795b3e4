import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { drainBody } from '../../http/body-deadline.ts';
import { problemResponse, type RouteAuth } from '../../http/index.ts';
import type { PackageAnswer } from './package-preview.ts';
import type { PackagesService } from './packages.service.ts';
import { drainLimits, readUploadBody, UPLOAD_DEADLINE_MS } from './upload/upload-body.ts';

const SESSION: RouteAuth = { kinds: ['session'], action: null };

const NullableText = Type.Union([Type.String(), Type.Null()]);

const QuestionSchema = Type.Object(
  { keyId: Type.String({ maxLength: 64, description: 'The API key to push with.' }) },
  { additionalProperties: false },
);

const ContentsSchema = Type.Object(
  {
    id: Type.String(),
    version: Type.String({ description: 'Normalised.' }),
    isPrerelease: Type.Boolean(),
    sizeBytes: Type.Integer(),
    sha512: Type.String({ description: 'Of the file, as lower-case hex.' }),
    title: NullableText,
    authors: Type.String(),
    description: Type.String(),
    tags: NullableText,
    dependencyCount: Type.Integer({ description: 'Of all frameworks together.' }),
    readme: Type.Union([Type.String(), Type.Null()], { description: 'Name of a file in the package.' }),
    icon: Type.Union([Type.String(), Type.Null()], { description: 'Name of a file in the package.' }),
  },
  { additionalProperties: false, description: 'What would be stored, as the manifest says it.' },
);

const PackageCheckSchema = Type.Object(
  {
    wouldSucceed: Type.Boolean(),
    ownerId: Type.String({ description: 'The account that the key acts for.' }),
    package: Type.Union([ContentsSchema, Type.Null()], {
      description: 'Null when the key may push nothing at all, or the file is no package.',
    }),
    isNew: Type.Union([Type.Boolean(), Type.Null()], {
      description: 'The id is not there yet; null when the key may not push it.',
    }),
    action: Type.Union([Type.Literal('package:pushnew'), Type.Literal('package:pushversion'), Type.Null()], {
      description: 'What the key holds for it.',
    }),
    pattern: Type.Union([Type.String(), Type.Null()], {
      description: 'The pattern by which the key holds it; null when it does not.',
    }),
    refusal: Type.Union([
      Type.Object(
        { status: Type.Integer(), code: Type.String(), detail: Type.String() },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
  },
  { $id: 'PackageCheck', additionalProperties: false, description: 'What a push of a package would get.' },
);

function presentContents(read: NonNullable<PackageAnswer['package']>): Type.Static<typeof ContentsSchema> {
  const { contents, sha512 } = read;
  return {
    id: contents.id,
    version: contents.version.normalized,
    isPrerelease: contents.version.isPrerelease,
    sizeBytes: contents.sizeBytes,
    sha512,
    title: contents.title,
    authors: contents.authors,
    description: contents.description,
    tags: contents.tags,
    dependencyCount: contents.dependencyGroups.reduce((sum, group) => sum + group.dependencies.length, 0),
    readme: contents.readme,
    icon: contents.icon,
  };
}

function presentAnswer(answer: PackageAnswer): Type.Static<typeof PackageCheckSchema> {
  const { refusal } = answer;
  return {
    wouldSucceed: refusal === null,
    ownerId: answer.ownerId,
    package: answer.package === null ? null : presentContents(answer.package),
    isNew: answer.isNew,
    action: answer.action as Type.Static<typeof PackageCheckSchema>['action'],
    pattern: answer.pattern,
    refusal: refusal === null ? null : { status: refusal.status, code: refusal.code, detail: refusal.detail },
  };
}

/** The dry run for people: their browser sends the package, and hears what a push with one of their keys would get. */
export function registerPackagePreview(root: FastifyInstance, service: PackagesService): void {
  root.addSchema(PackageCheckSchema);
  void root.register((app, _options, done) => {
    // The body is a stream, which nobody but the handler reads.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    app.post<{ Querystring: Type.Static<typeof QuestionSchema> }>(
      '/v1/packages/dry-run/package',
      {
        config: { auth: SESSION, bodyDeadlineMs: UPLOAD_DEADLINE_MS },
        schema: {
          operationId: 'previewPackage',
          tags: ['packages'],
          summary: 'What would a push of this package with this key get?',
          description:
            'The body is a .nupkg. Everything that a push checks is checked, but for the address that it comes from, and nothing is stored; it is no use of the key.',
          querystring: QuestionSchema,
          response: { 200: PackageCheckSchema, default: problemResponse },
        },
      },
      async (request, reply) => {
        try {
          const body = readUploadBody(request);
          const answer = await service.previewPackage(request.caller, request.query.keyId, body);
          // A body that came too late was answered when its time was up; that it then breaks off is no news.
          if (reply.sent) return reply;
          await request.readmit();
          return presentAnswer(answer);
        } finally {
          // A browser that is still sending would report a broken connection in the place of the answer.
          if (!reply.sent && !(await drainBody(request.raw, drainLimits())))
            reply.header('connection', 'close');
        }
      },
    );
    done();
  });
}
