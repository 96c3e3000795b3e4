import type { Caller } from '../../../http/index.ts';
import type { Clock } from '../../../lib/clock.ts';
import { createTurns } from '../../../lib/turns.ts';
import type { Storage } from '../../../storage/index.ts';
import type { FeedQuestion, FeedService } from '../feed.service.ts';
import type { FeedVersion } from '../feed-page.repo.ts';
import { packageErrors } from '../gallery.errors.ts';
import type { DownloadableVersion, GalleryService } from '../gallery.service.ts';
import { parseNuGetVersion } from '../version/nuget-version.ts';
import { type EntryOptions, writeEntry, writeFeedEnd, writeFeedHead, writePropertyDocument } from './atom.ts';
import { METADATA_DOCUMENT, writeServiceDocument } from './documents.ts';
import type { FeedAddress, FeedResource, FeedSource } from './feed-address.ts';
import * as options from './feed-options.ts';
import { toSqlCondition, toSqlOrders } from './filter.repo.ts';
import { type FeedFilter, findLatest, isSlowFilter, parseFilter } from './filter.ts';
import { readSearchTerm } from './search-term.ts';
import * as sources from './sources.repo.ts';
import { readInstalled } from './updates.ts';

export type ODataAnswer =
  | { readonly kind: 'document'; readonly type: string; readonly body: string }
  /** Too long for one piece. */
  | { readonly kind: 'stream'; readonly type: string; readonly chunks: AsyncIterable<string> }
  | { readonly kind: 'package'; readonly found: DownloadableVersion };

export interface ODataService {
  /** @throws odata.*, package.not_found */
  answer(caller: Caller, address: FeedAddress, parameters: options.FeedParameters): Promise<ODataAnswer>;
}

export interface ODataDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly packageFeed: FeedService;
  readonly gallery: GalleryService;
}

const XML = 'application/xml;charset=utf-8';
const FEED = 'application/atom+xml;type=feed;charset=utf-8';
const ENTRY = 'application/atom+xml;type=entry;charset=utf-8';
const TEXT = 'text/plain;charset=utf-8';
/** Longer pages are written while they are sent. */
const WHOLE_ENTRIES_MAX = 100;
const CHUNK_CHARACTERS = 64 * 1024;

/** One request for a list of packages. */
interface ListRequest {
  readonly caller: Caller;
  readonly address: FeedAddress;
  readonly parameters: options.FeedParameters;
  readonly source: FeedSource;
}

class OData implements ODataService {
  readonly #deps: ODataDeps;

  constructor(deps: ODataDeps) {
    this.#deps = deps;
  }

  async answer(
    caller: Caller,
    address: FeedAddress,
    parameters: options.FeedParameters,
  ): Promise<ODataAnswer> {
    const { resource } = address;
    switch (resource.kind) {
      case 'service':
        return { kind: 'document', type: XML, body: writeServiceDocument(toPlace(caller, address).feedUrl) };
      case 'metadata':
        return { kind: 'document', type: XML, body: METADATA_DOCUMENT };
      case 'list':
        return await this.#answerList({ caller, address, parameters, source: resource.source }, resource);
      case 'entry': {
        const version = await this.#findVersion(caller, address, resource);
        const selection = options.readSelection(parameters);
        const body = writeEntry(version, { ...toPlace(caller, address), selection }, true);
        return { kind: 'document', type: ENTRY, body };
      }
      case 'property': {
        const version = await this.#findVersion(caller, address, resource);
        const body = writePropertyDocument(version, resource.property, toPlace(caller, address));
        return { kind: 'document', type: XML, body };
      }
      default:
        return { kind: 'package', found: await this.#openPackage(caller, resource) };
    }
  }

  async #answerList(request: ListRequest, resource: FeedResource & { kind: 'list' }): Promise<ODataAnswer> {
    const { caller, parameters } = request;
    const filterText = options.findOption(parameters, '$filter') ?? '';
    const filter = filterText.trim() === '' ? null : parseFilter(filterText);
    const term = request.source === 'Search' ? (options.readArgument(parameters, 'searchTerm') ?? '') : '';
    const page = options.readPage(
      parameters,
      term.trim() !== '' || (filter?.properties.has('Tags') ?? false),
    );
    const question = await this.#toQuestion(request, filter, term);
    if (resource.isCount) {
      const rest = Math.max(0, (await this.#deps.packageFeed.count(caller, question)) - page.skip);
      return { kind: 'document', type: TEXT, body: String(Math.min(rest, page.top ?? rest)) };
    }
    const paged = {
      ...question,
      orderBy: toSqlOrders(options.readOrders(parameters)),
      offset: page.skip,
      limit: page.limit,
    };
    const selection = options.readSelection(parameters);
    return page.limit > WHOLE_ENTRIES_MAX
      ? await this.#streamPage(request, paged, selection)
      : await this.#writePage(request, paged, page, selection);
  }

  async #toQuestion(
    { caller, address, parameters, source }: ListRequest,
    filter: FeedFilter | null,
    term: string,
  ): Promise<Omit<FeedQuestion, 'orderBy' | 'offset' | 'limit'>> {
    const { engine } = this.#deps.storage;
    const level = options.readLevel(parameters);
    const isPrereleaseWanted = options.readFlag(parameters, 'includePrerelease');
    const latest = filter === null ? null : findLatest(filter);
    const where = address.isScriptsOnly ? [sources.isScript()] : [];
    let isSlow = false;
    if (source === 'FindPackagesById') {
      const id = options.readArgument(parameters, 'id');
      where.push(id === null ? sources.isNothing() : sources.isOfPackage(id));
    }
    if (source === 'Search') {
      const words = readSearchTerm(term);
      const of = latest === null ? 'package' : 'version';
      const found = words.length === 0 ? null : await this.#deps.packageFeed.words(caller, words, of);
      if (found !== null) where.push(found.condition);
      isSlow = found?.isSlow ?? false;
      if (latest === null) where.push(sources.isListed());
      if (!isPrereleaseWanted && latest?.withPrereleases !== false) where.push(sources.isRelease());
    }
    if (source === 'GetUpdates') {
      const isEveryWanted = options.readFlag(parameters, 'includeAllVersions');
      const wishes = { workspaceId: caller.workspace.id, level, isPrereleaseWanted, isEveryWanted };
      where.push(sources.isUpdateOf(readInstalled(parameters), wishes));
    }
    if (filter !== null) where.push(toSqlCondition(filter.condition, { engine, level }));
    // What words, ids or updates leave is few.
    const isNarrow = source === 'FindPackagesById' || source === 'GetUpdates' || term.trim() !== '';
    if (!isNarrow && filter !== null) isSlow = isSlowFilter(filter);
    return { level, latest, isSlow, where };
  }

  async #writePage(
    request: ListRequest,
    question: FeedQuestion,
    { skip, limit, top }: options.FeedPage,
    selection: EntryOptions['selection'],
  ): Promise<ODataAnswer> {
    const { caller, address, parameters, source } = request;
    const place = toPlace(caller, address);
    const turns = createTurns();
    const entries: string[] = [];
    let updatedAt = 0;
    let hasMore = false;
    for await (const versions of this.#deps.packageFeed.stream(caller, { ...question, limit: limit + 1 })) {
      for (const version of versions) {
        hasMore = entries.length === limit;
        if (hasMore) break;
        await turns.step();
        entries.push(writeEntry(version, { ...place, selection }));
        updatedAt = Math.max(updatedAt, version.pushedAt);
      }
    }
    const shown = skip + entries.length;
    const isPastEnd = entries.length === 0 && skip > 0;
    const isCounted = !hasMore && !isPastEnd;
    const counted = isCounted ? shown : await this.#deps.packageFeed.count(caller, question);
    // Old clients go on by themselves, and trip over a next page where they set the size of this one.
    const nextUrl =
      hasMore && top === null && entries.length > 0
        ? toNextUrl(`${place.feedUrl}/${source}`, parameters, shown)
        : null;
    // The count may be older than the page.
    const count = Math.max(counted, hasMore ? shown + 1 : 0);
    const head = writeFeedHead({ ...place, source, count, updatedAt });
    return { kind: 'document', type: FEED, body: `${head}${entries.join('')}${writeFeedEnd(nextUrl)}` };
  }

  async #streamPage(
    { caller, address, source }: ListRequest,
    question: FeedQuestion,
    selection: EntryOptions['selection'],
  ): Promise<ODataAnswer> {
    const { packageFeed, clock } = this.#deps;
    const place = toPlace(caller, address);
    const count = await packageFeed.count(caller, question);
    const head = writeFeedHead({ ...place, source, count, updatedAt: clock.now() });
    const versions = packageFeed.stream(caller, question);
    return { kind: 'stream', type: FEED, chunks: writeChunks(head, versions, { ...place, selection }) };
  }

  async #findVersion(
    caller: Caller,
    address: FeedAddress,
    { id, version }: { id: string; version: string },
  ): Promise<FeedVersion> {
    const parsed = parseNuGetVersion(version);
    if (parsed === null) throw packageErrors.not_found();
    const [found] = await this.#deps.packageFeed.list(caller, {
      // Whoever names a version can read it.
      level: 'semver2',
      where: [
        sources.isOfPackage(id),
        sources.isVersion(parsed),
        ...(address.isScriptsOnly ? [sources.isScript()] : []),
      ],
      orderBy: [],
      offset: 0,
      limit: 1,
    });
    if (found === undefined) throw packageErrors.not_found();
    return found;
  }

  async #openPackage(
    caller: Caller,
    { id, version }: { id: string; version: string | null },
  ): Promise<DownloadableVersion> {
    const { packageFeed, gallery } = this.#deps;
    if (version !== null) return await gallery.openVersion(caller, id, version);
    const [latest] = await packageFeed.list(caller, {
      level: 'semver2',
      where: [sources.isOfPackage(id), sources.isLatestRelease()],
      orderBy: [],
      offset: 0,
      limit: 1,
    });
    if (latest === undefined)
      throw packageErrors.not_found({
        detail: 'There is no such package, or it has no listed release; name a version to get a prerelease.',
      });
    return await gallery.openVersion(caller, id, latest.version);
  }
}

function toPlace({ workspace }: Caller, { root }: FeedAddress) {
  return { workspaceUrl: workspace.url, feedUrl: `${workspace.url}${root}` };
}

async function* writeChunks(
  head: string,
  versions: AsyncIterable<FeedVersion[]>,
  entryOptions: EntryOptions,
): AsyncGenerator<string> {
  const turns = createTurns();
  let chunk = head;
  for await (const stretch of versions) {
    for (const version of stretch) {
      await turns.step();
      chunk += writeEntry(version, entryOptions);
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
  }
  yield `${chunk}${writeFeedEnd(null)}`;
}

function toNextUrl(url: string, parameters: options.FeedParameters, skip: number): string {
  const kept = parameters.filter(({ name }) => name.toLowerCase() !== '$skip');
  const query = [...kept, { name: '$skip', value: String(skip) }].map(
    ({ name, value }) => `${encodeURIComponent(name).replace('%24', '$')}=${encodeURIComponent(value)}`,
  );
  return `${url}?${query.join('&')}`;
}

/** @see ODataService */
export function createODataService(deps: ODataDeps): ODataService {
  return new OData(deps);
}
