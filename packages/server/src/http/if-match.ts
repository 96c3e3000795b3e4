import type { FastifyRequest } from 'fastify';
import { requestErrors } from '../errors/index.ts';

export function toEtag(version: number): string {
  return `"${version}"`;
}

/**
 * The version that the caller has seen, from `If-Match`; null for `*`, which edits whatever is there.
 *
 * @throws request.precondition_required without the header, request.invalid when it is not a version
 */
export function readIfMatch(request: FastifyRequest): number | null {
  const header = request.headers['if-match']?.trim();
  if (header === undefined || header === '') throw requestErrors.precondition_required();
  if (header === '*') return null;
  const match = /^"(\d{1,15})"$/.exec(header);
  if (match?.[1] === undefined)
    throw requestErrors.invalid({
      detail: 'If-Match must be an ETag as this server sent it, for instance "3", or *.',
    });
  return Number(match[1]);
}
