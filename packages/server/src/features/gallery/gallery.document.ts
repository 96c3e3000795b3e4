import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptsEncoding, matchesEtag } from '../../http/index.ts';
import { createTurns } from '../../lib/turns.ts';

const gzipAsync = promisify(gzip);
/** What is held in memory of an answer; a longer one is sent while it is being made. */
const HELD_BYTES_MAX = 1024 * 1024;
/** Shorter texts grow when they are compressed, or gain nothing. */
const GZIP_BYTES_MIN = 1024;
// Answers are many and short-lived: the fastest level costs half of the usual one and packs nearly as well.
const GZIP_LEVEL = 3;

export interface DocumentOptions {
  readonly type?: string;
  /** Milliseconds since 1970, where the document has a time of its own. */
  readonly modifiedAt?: number;
}

/**
 * Sends a public document with a validator over its bytes, compressed for those who accept it. These answers hold
 * no secret and repeat nothing secret beside what the caller chose, so compressing them tells nobody anything.
 */
export async function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  pieces: AsyncIterable<string> | Iterable<string> | Buffer,
  options: DocumentOptions = {},
): Promise<FastifyReply> {
  reply
    .type(options.type ?? 'application/json; charset=utf-8')
    .headers({ 'cache-control': 'no-cache', vary: 'accept-encoding' });
  if (options.modifiedAt !== undefined)
    reply.header('last-modified', new Date(options.modifiedAt).toUTCString());
  const isZipped = acceptsEncoding('gzip', request.headers['accept-encoding']);
  if (Buffer.isBuffer(pieces)) return await sendWhole(request, reply, pieces, isZipped);
  const iterator = toAsyncIterator(pieces);
  const held = await gather(iterator);
  if (held.isWhole) return await sendWhole(request, reply, Buffer.concat(held.parts), isZipped);
  if (request.method === 'HEAD') await iterator.return?.();
  return sendStream(request, reply, rest(held.parts, iterator), isZipped);
}

async function sendWhole(
  request: FastifyRequest,
  reply: FastifyReply,
  body: Buffer,
  isGzipAccepted: boolean,
): Promise<FastifyReply> {
  const isZipped = isGzipAccepted && body.length >= GZIP_BYTES_MIN;
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 32);
  // The compressed form is another sequence of bytes, so it needs a validator of its own (RFC 9110 8.8.3.3).
  const etag = isZipped ? `"${digest}-gzip"` : `"${digest}"`;
  reply.header('etag', etag);
  if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  if (isZipped) reply.header('content-encoding', 'gzip');
  const sent = isZipped ? await gzipAsync(body, { level: GZIP_LEVEL }) : body;
  reply.header('content-length', sent.length);
  return request.method === 'HEAD' ? reply.send() : reply.send(sent);
}

function sendStream(
  request: FastifyRequest,
  reply: FastifyReply,
  pieces: AsyncIterable<Buffer>,
  isZipped: boolean,
): FastifyReply {
  if (isZipped) reply.header('content-encoding', 'gzip');
  if (request.method === 'HEAD') return reply.send();
  const source = Readable.from(pieces, { objectMode: false });
  if (!isZipped) return reply.send(source);
  const zip = createGzip({ level: GZIP_LEVEL });
  source.on('error', (error) => zip.destroy(error));
  zip.on('close', () => source.destroy());
  return reply.send(source.pipe(zip));
}

function toAsyncIterator(pieces: AsyncIterable<string> | Iterable<string>): AsyncIterator<string> {
  return (async function* () {
    yield* pieces;
  })();
}

async function gather(iterator: AsyncIterator<string>): Promise<{ parts: Buffer[]; isWhole: boolean }> {
  const turns = createTurns();
  const parts: Buffer[] = [];
  let bytes = 0;
  while (bytes <= HELD_BYTES_MAX) {
    const step = await iterator.next();
    if (step.done === true) return { parts, isWhole: true };
    const part = Buffer.from(step.value);
    parts.push(part);
    bytes += part.length;
    await turns.step();
  }
  return { parts, isWhole: false };
}

async function* rest(parts: readonly Buffer[], iterator: AsyncIterator<string>): AsyncGenerator<Buffer> {
  const turns = createTurns();
  try {
    yield* parts;
    for (;;) {
      const step = await iterator.next();
      if (step.done === true) return;
      yield Buffer.from(step.value);
      await turns.step();
    }
  } finally {
    await iterator.return?.();
  }
}
