import type { FastifyReply, FastifyRequest } from 'fastify';
import { requestErrors } from '../../../errors/index.ts';
import type { FeedService } from '../feed.service.ts';
import type { SemVerLevel } from '../feed-entries.repo.ts';
import { sendDocument } from '../gallery.document.ts';
import { parseSearchWords, SEARCH_WORDS_MAX } from '../search-words.ts';
import { parseNuGetVersion } from '../version/nuget-version.ts';
import { completeIds, completeVersions, type SearchPage, searchPackages } from './search.ts';
import type { RegisterGet } from './v3.get.ts';
import { jsonWithList } from './v3.json.ts';
import {
  AutocompleteQuerySchema,
  type AutocompleteQueryString,
  SearchQuerySchema,
  type SearchQueryString,
  TAKE_DEFAULT,
  TAKE_MAX,
} from './v3.schema.ts';

export function registerSearchRoutes(get: RegisterGet, feed: FeedService): void {
  get<{ Querystring: SearchQueryString }>(
    '/v3/search',
    {
      operationId: 'searchPackages',
      summary: 'Search for packages (NuGet V3)',
      description:
        'Listed packages by their latest versions: the exact id first, then ids that begin with the text.',
      querystring: SearchQuerySchema,
    },
    (request, reply) => search(feed, request, reply),
  );
  get<{ Querystring: AutocompleteQueryString }>(
    '/v3/autocomplete',
    {
      operationId: 'completePackages',
      summary: 'Complete ids or versions (NuGet V3)',
      description: 'Ids that contain `q`, or with `id` the listed versions of that package.',
      querystring: AutocompleteQuerySchema,
    },
    (request, reply) => complete(feed, request, reply),
  );
}

async function search(
  feed: FeedService,
  request: FastifyRequest<{ Querystring: SearchQueryString }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { q = '', packageType } = request.query;
  const words = parseSearchWords(q);
  if (words.length > SEARCH_WORDS_MAX) {
    throw requestErrors.invalid({
      detail: `The search has too many words; at most ${SEARCH_WORDS_MAX} are looked for.`,
      fields: [{ field: 'q', message: `has more than ${SEARCH_WORDS_MAX} words` }],
    });
  }
  const type = packageType === undefined || packageType === '' ? null : packageType;
  const { totalHits, items } = await searchPackages(feed, request.caller, {
    ...toPage(request.query),
    words,
    packageType: type,
  });
  return await sendDocument(request, reply, jsonWithList({ totalHits }, 'data', items));
}

async function complete(
  feed: FeedService,
  request: FastifyRequest<{ Querystring: AutocompleteQueryString }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const page = toPage(request.query);
  const { id, q = '' } = request.query;
  if (id !== undefined && id !== '') {
    const versions = await completeVersions(feed, request.caller, { ...page, id });
    return await sendDocument(request, reply, jsonWithList({ totalHits: versions.length }, 'data', versions));
  }
  const { totalHits, items } = await completeIds(feed, request.caller, { ...page, text: q });
  return await sendDocument(request, reply, jsonWithList({ totalHits }, 'data', items));
}

function toPage(query: AutocompleteQueryString): SearchPage {
  const { skip = 0, take = TAKE_DEFAULT, prerelease, semVerLevel } = query;
  return {
    level: toLevel(semVerLevel),
    withPrereleases: prerelease?.toLowerCase() === 'true',
    skip,
    take: Math.min(take, TAKE_MAX),
  };
}

/** Whatever is no version from 2.0.0 on means what leaving it out means. */
function toLevel(text: string | undefined): SemVerLevel {
  const version = parseNuGetVersion(text ?? '');
  return version !== null && version.major >= 2 ? 'semver2' : 'semver1';
}
