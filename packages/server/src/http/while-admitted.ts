import type { FastifyRequest } from 'fastify';

/**
 * Pieces of an answer that may take its time: its reader decides how long. Each is handed on only if the caller
 * would still be let in; otherwise the answer breaks off.
 *
 * @throws auth.* once the credential of the request is no good for its route any more
 */
export async function* whileAdmitted<Piece>(
  request: FastifyRequest,
  pieces: AsyncIterable<Piece>,
): AsyncGenerator<Piece> {
  for await (const piece of pieces) {
    await request.readmit();
    yield piece;
  }
}
