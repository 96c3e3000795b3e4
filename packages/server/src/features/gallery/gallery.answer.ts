import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError } from '../../errors/index.ts';
import { type DrainLimits, drainBody } from '../../http/body-deadline.ts';
import { logFault } from '../../http/index.ts';

const PHRASE_CHARACTERS_MAX = 512;
// PSResourceGet looks for these numbers anywhere in the phrase, the first one found decides its advice.
const TELLING_STATUSES = ['400', '401', '403', '409'];

/**
 * The text of an error as an HTTP reason phrase, which is all that nuget.exe shows: one line of printable
 * latin-1. A text with the digits of another status, from an id or a version, would make a client give the wrong
 * advice; the title, which has no digits, then takes its place.
 */
export function toReasonPhrase(error: AppError): string {
  const isMisleading = TELLING_STATUSES.some(
    (status) => status !== String(error.status) && error.detail.includes(status),
  );
  return toPlainText(isMisleading ? error.entry.title : error.detail);
}

export function toPlainText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e\xa0-\xff]/g, '?')
    .trim()
    .slice(0, PHRASE_CHARACTERS_MAX);
}

/**
 * Answers in the way that package clients understand: the reason phrase, and the same as plain text. The body
 * of the request is read to its end first; a client that is still sending would see a broken connection, show
 * no reason, and send everything again.
 */
export async function sendGalleryError(
  error: AppError,
  request: FastifyRequest,
  reply: FastifyReply,
  limits: DrainLimits,
): Promise<FastifyReply> {
  logFault(error, request);
  // What came too late once is not waited for a second time.
  const isDrained = error.code !== 'request.timeout' && (await drainBody(request.raw, limits));
  if (!isDrained) {
    reply.header('connection', 'close');
    reply.raw.once('finish', () => request.raw.destroy());
  }
  reply.raw.statusMessage = toReasonPhrase(error);
  return reply
    .code(error.status)
    .headers(error.headers)
    .type('text/plain; charset=utf-8')
    .send(toPlainText(error.detail));
}
