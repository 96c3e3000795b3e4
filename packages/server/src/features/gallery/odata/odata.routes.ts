import { Buffer } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { AppError } from '../../../errors/index.ts';
import { EmptyResponse, logFault, toAppError } from '../../../http/index.ts';
import { toPlainText, toReasonPhrase } from '../gallery.answer.ts';
import { sendDocument } from '../gallery.document.ts';
import { PART_OF_PACKAGE, sendPackage } from '../gallery.download.ts';
import { GALLERY_DOOR } from '../reading/gallery-reading.ts';
import { DECLARATION, METADATA_NAMESPACE } from './documents.ts';
import { readFeedAddress } from './feed-address.ts';
import { readParameters } from './feed-options.ts';
import { odataErrors } from './odata.errors.ts';
import type { ODataAnswer, ODataService } from './odata.service.ts';
import { escapeXml } from './xml.ts';

const PATHS = ['/api/v2', '/api/v2/*', '/nuget', '/nuget/*'];
const XML = 'application/xml;charset=utf-8';

const schema = {
  tags: ['gallery'],
  summary: 'The NuGet V2 feed (OData)',
  description:
    'The service document; below it `$metadata`, `Packages()`, `Packages(Id=,Version=)`, `FindPackagesById()`, `Search()` and `GetUpdates()`, each list also as `/$count`, and `package/{id}`, the latest release. The same at `/nuget`; scripts of PowerShell alone at `/api/v2/items/psscript`. Paths in any letter case. Options: `$filter`, `$orderby`, `$skip`, `$top`, `$select`, `semVerLevel`.',
  response: {
    200: {
      description: 'Atom or AtomPub; the number of a `/$count`; the file of `package/{id}`.',
      content: {
        'application/atom+xml': { schema: Type.Any() },
        'application/xml': { schema: Type.Any() },
        'text/plain': { schema: Type.Any() },
        'application/octet-stream': { schema: Type.Any() },
      },
    },
    206: PART_OF_PACKAGE,
    304: EmptyResponse,
    default: {
      description: 'An error of OData; the same text is in the reason phrase.',
      content: { 'application/xml': { schema: Type.String() } },
    },
  },
};

/** The NuGet V2 feed, reading side. */
export function registerODataRoutes(root: FastifyInstance, odata: ODataService): void {
  void root.register((app, _options, done) => {
    app.setErrorHandler((error, request, reply) => sendODataError(toAppError(error), request, reply));
    const handler = async (request: FastifyRequest, reply: FastifyReply) => {
      const [path = '', ...query] = request.url.split('?');
      const address = readFeedAddress(path);
      if (address === null) throw odataErrors.no_such_resource();
      const answer = await odata.answer(request.caller, address, readParameters(query.join('?')));
      return send(answer, request, reply);
    };
    for (const url of PATHS) {
      const shown = url === PATHS[0] ? { operationId: 'readPackageFeed' } : { hide: true };
      const options = { config: { auth: GALLERY_DOOR }, schema: { ...schema, ...shown } };
      app.get(url, { ...options, exposeHeadRoute: false }, handler);
      app.head(url, { ...options, schema: { ...schema, hide: true } }, handler);
    }
    done();
  });
}

function send(
  answer: ODataAnswer,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  if (answer.kind === 'package') return sendPackage(answer.found, request, reply);
  reply.header('dataserviceversion', '2.0;');
  const body = answer.kind === 'stream' ? answer.chunks : Buffer.from(answer.body);
  return sendDocument(request, reply, body, { type: answer.type });
}

/** As OData tells of errors, and in the reason phrase, which is all that nuget.exe shows. */
function sendODataError(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  logFault(error, request);
  reply.raw.statusMessage = toReasonPhrase(error);
  return reply
    .code(error.status)
    .headers(error.headers)
    .type(XML)
    .send(
      `${DECLARATION}<error xmlns="${METADATA_NAMESPACE}"><code>${error.code}</code>` +
        `<message xml:lang="en-US">${escapeXml(toPlainText(error.detail))}</message></error>`,
    );
}
