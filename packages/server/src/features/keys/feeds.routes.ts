import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { EmptyResponse, matchesEtag, problemResponse, type RouteAuth, refTo } from '../../http/index.ts';
import { sha256Hex } from '../../lib/mac.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { Secret } from '../../lib/secret.ts';
import { toAtom } from './atom.ts';
import { toCalendar } from './calendar.ts';
import type { ExpiryFeed } from './expiry-feed.ts';
import { ATOM_FILE, CALENDAR_FILE, presentFeedLink, presentNewFeedLink } from './feeds.present.ts';
import {
  CreateFeedLinkSchema,
  FeedLinkPageSchema,
  FeedLinkParams,
  FeedLinkQuerySchema,
  FeedLinkSchema,
  FeedParams,
  NewFeedLinkSchema,
} from './feeds.schema.ts';
import type { FeedsService } from './feeds.service.ts';

const SESSION: RouteAuth = { kinds: ['session'], action: null };
const ANYBODY: RouteAuth = { kinds: ['anonymous'], action: null };
const tags = ['feeds'];

const FEEDS = [
  {
    file: CALENDAR_FILE,
    operationId: 'readExpiryCalendar',
    summary: 'Coming expiries as a calendar (iCalendar, RFC 5545)',
    type: 'text/calendar',
    write: toCalendar,
  },
  {
    file: ATOM_FILE,
    operationId: 'readExpiryAtom',
    summary: 'Coming expiries as an Atom feed (RFC 4287)',
    type: 'application/atom+xml',
    write: toAtom,
  },
] as const satisfies readonly {
  readonly file: string;
  readonly operationId: string;
  readonly summary: string;
  readonly type: string;
  readonly write: (feed: ExpiryFeed) => Promise<string>;
}[];

export function registerFeedRoutes(root: FastifyInstance, service: FeedsService): void {
  root.addSchema(FeedLinkSchema);
  root.addSchema(NewFeedLinkSchema);
  registerLinks(root, service);
  for (const feed of FEEDS) registerFeed(root, service, feed);
}

function registerLinks(root: FastifyInstance, service: FeedsService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/v1/feed-links',
    {
      config: { auth: SESSION },
      schema: {
        operationId: 'listFeedLinks',
        tags,
        summary: 'Your feed links',
        querystring: FeedLinkQuerySchema,
        response: { 200: FeedLinkPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = await service.list(request.caller, { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor });
      return { items: page.items.map(presentFeedLink), nextCursor: page.nextCursor };
    },
  );
  app.post(
    '/v1/feed-links',
    {
      config: { auth: SESSION },
      schema: {
        operationId: 'createFeedLink',
        tags,
        summary: 'Make a feed link',
        description:
          'Whoever has one of the two addresses reads the feed without signing in; they are told only here. An account has at most 10 links.',
        body: CreateFeedLinkSchema,
        response: { 201: refTo(NewFeedLinkSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const { caller, body } = request;
      const created = await service.create(caller, body.scope);
      return reply.code(201).send(presentNewFeedLink(created, caller.workspace.url));
    },
  );
  app.delete(
    '/v1/feed-links/:id',
    {
      config: { auth: SESSION },
      schema: {
        operationId: 'deleteFeedLink',
        tags,
        summary: 'Delete a feed link; its addresses answer 404 from then on',
        params: FeedLinkParams,
        response: { 204: EmptyResponse, default: problemResponse },
      },
    },
    async (request, reply) => {
      await service.remove(request.caller, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function registerFeed(
  root: FastifyInstance,
  service: FeedsService,
  { file, operationId, summary, type, write }: (typeof FEEDS)[number],
): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    `/feeds/:token/${file}`,
    {
      config: { auth: ANYBODY },
      schema: {
        operationId,
        tags,
        summary,
        description:
          'Working keys that expire within 400 days, the soonest first, at most 500. Wrong and deleted links, those of disabled accounts, and those to the workspace of somebody who is no administrator any more get the same 404.',
        params: FeedParams,
        response: {
          200: { description: 'The feed.', content: { [type]: { schema: Type.String() } } },
          304: EmptyResponse,
          default: problemResponse,
        },
      },
    },
    async (request, reply) => {
      const body = await write(await service.read(request.caller, new Secret(request.params.token)));
      const etag = `"${sha256Hex(body).slice(0, 32)}"`;
      reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send(null);
      return reply.type(`${type}; charset=utf-8`).send(body);
    },
  );
}
