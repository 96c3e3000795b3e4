import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { matchesEtag } from '../../http/index.ts';
import { packageErrors } from './gallery.errors.ts';
import { parseRange } from './gallery.range.ts';
import type { DownloadableVersion } from './gallery.service.ts';

/** The answer to a `Range`, for the documents of the routes that hand out packages. */
export const PART_OF_PACKAGE = {
  description: 'The part of the package that `Range` asks for.',
  content: { 'application/octet-stream': { schema: Type.Any() } },
};

/** Sends a package file, whole or in part. For all routes that hand one out. */
export async function sendPackage(
  found: DownloadableVersion,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { blob, sha512 } = found;
  const etag = `"${sha512}"`;
  const { 'if-none-match': ifNoneMatch, 'if-range': ifRange, range } = request.headers;
  // What was published under a version never changes, but somebody may have to be asked whether he may read it.
  const headers = {
    etag,
    'cache-control': 'no-cache',
    'accept-ranges': 'bytes',
    'content-disposition': `attachment; filename="${found.packageId}.${found.version}.nupkg"`,
  };
  if (matchesEtag(ifNoneMatch, etag)) return reply.code(304).headers(headers).send();
  const isRangeWanted = request.method === 'GET' && (ifRange === undefined || ifRange === etag);
  const part = isRangeWanted ? parseRange(range, blob.sizeBytes) : 'whole';
  if (part === 'unsatisfiable') {
    throw packageErrors.range_not_satisfiable({ headers: { 'content-range': `bytes */${blob.sizeBytes}` } });
  }
  const { start, end } = part === 'whole' ? { start: 0, end: blob.sizeBytes } : part;
  // Opened before anything is promised: a store that fails is told as what it is.
  const stream = request.method === 'HEAD' ? null : await blob.stream(start, end);
  reply
    .headers(headers)
    .type('application/octet-stream')
    .header('content-length', end - start);
  if (part !== 'whole')
    reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${blob.sizeBytes}`);
  if (stream === null) return reply.send();
  // By its beginning: whoever loads a file in pieces, or goes on after a break, has loaded it once.
  if (start === 0) found.countDownload();
  return reply.send(stream);
}
