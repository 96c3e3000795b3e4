import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify';

/** A route of the V3 protocol, with HEAD beside GET. */
export type RegisterGet = <Parts extends { Params?: unknown; Querystring?: unknown }>(
  url: string,
  schema: FastifySchema & { operationId?: string },
  handler: (request: FastifyRequest<Parts>, reply: FastifyReply) => Promise<FastifyReply>,
) => void;
