import type { RawBuilder } from 'kysely';
import type { Caller } from '../../../http/index.ts';
import { asciiLower } from '../../../lib/ascii.ts';
import type { FeedQuestion, FeedService } from '../feed.service.ts';
import type { SemVerLevel } from '../feed-entries.repo.ts';
import type { FeedVersion } from '../feed-page.repo.ts';
import type { VersionName } from '../feed-versions.repo.ts';
import { isValidPackageId } from '../nupkg/package-id.ts';
import type { SearchWord } from '../package-search.repo.ts';
import { listTags, presentLinks } from './registration.present.ts';
import { hasType, idBeginsOtherwise, idBeginsWith, idContains } from './v3.repo.ts';
import { createV3Urls, type V3Urls } from './v3.urls.ts';

/** What both kinds of search take. */
export interface SearchPage {
  readonly level: SemVerLevel;
  readonly withPrereleases: boolean;
  readonly skip: number;
  readonly take: number;
}

export interface SearchQuery extends SearchPage {
  readonly words: readonly SearchWord[];
  readonly packageType: string | null;
}

export interface SearchAnswer {
  readonly totalHits: number;
  readonly items: AsyncIterable<unknown>;
}

type Condition = RawBuilder<boolean>;
/** The latest versions that are looked for. */
type Shown = Required<Pick<FeedQuestion, 'level' | 'latest' | 'where' | 'isSlow'>>;

// Packages whose versions are read together.
const PACKAGES_AT_ONCE = 20;

/**
 * The packages that have all words, each by its latest version: first the one whose id is the first word, then those
 * whose ids begin with it, then the others, each group by id.
 */
export async function searchPackages(
  feed: FeedService,
  caller: Caller,
  query: SearchQuery,
): Promise<SearchAnswer> {
  const where: Condition[] = [];
  if (query.packageType !== null) {
    if (!isValidPackageId(query.packageType)) return nothing();
    where.push(hasType(asciiLower(query.packageType)));
  }
  const words = query.words.length === 0 ? null : await feed.words(caller, query.words, 'version');
  if (words !== null) where.push(words.condition);
  const shown = { level: query.level, latest: query, where, isSlow: words?.isSlow ?? false };
  const totalHits = await feed.count(caller, shown);
  const first = query.words.find((word) => word.kind === 'any')?.text.toLowerCase();
  const found = await listGroups(feed, caller, query, shown, groupByPrefix(first ?? ''));
  return { totalHits, items: presentFound(feed, caller, query, found) };
}

/** The ids that contain a text, those that begin with it first. */
export async function completeIds(
  feed: FeedService,
  caller: Caller,
  query: SearchPage & { readonly text: string },
): Promise<SearchAnswer> {
  const text = asciiLower(query.text.trim());
  const where = text === '' ? [] : [idContains(text)];
  const shown = { level: query.level, latest: query, where, isSlow: text !== '' };
  const totalHits = await feed.count(caller, shown);
  const found = await listGroups(feed, caller, query, shown, groupByPrefix(text));
  return { totalHits, items: idsOf(found) };
}

/** The listed versions of one package, from the lowest to the highest; nothing for an unknown one. */
export async function completeVersions(
  feed: FeedService,
  caller: Caller,
  query: Pick<SearchPage, 'level' | 'withPrereleases'> & { readonly id: string },
): Promise<string[]> {
  const idLower = asciiLower(query.id);
  const names = await feed.names(caller, [idLower], query);
  return (names.get(idLower) ?? []).map((name) => name.versionFull);
}

function nothing(): SearchAnswer {
  return { totalHits: 0, items: (async function* () {})() };
}

/** Some of the packages, by the beginning of their ids. */
interface Group {
  readonly where: readonly Condition[];
  /** It is a stretch of the index, in which nearly every package is one that is looked for. */
  readonly isStretch: boolean;
}

/** The groups in the order in which they are shown. The exact id is the first of those that begin with it. */
function groupByPrefix(text: string): readonly Group[] {
  if (!isValidPackageId(text)) return [{ where: [], isStretch: false }];
  return [
    { where: [idBeginsWith(text)], isStretch: true },
    { where: [idBeginsOtherwise(text)], isStretch: false },
  ];
}

async function listGroups(
  feed: FeedService,
  caller: Caller,
  { skip, take }: SearchPage,
  shown: Shown,
  groups: readonly Group[],
): Promise<FeedVersion[]> {
  const found: FeedVersion[] = [];
  let offset = skip;
  for (const group of groups) {
    const limit = take - found.length;
    if (limit <= 0) break;
    const question = {
      ...shown,
      where: [...shown.where, ...group.where],
      isSlow: shown.isSlow && !group.isStretch,
    };
    const listed = await feed.list(caller, { ...question, orderBy: [], offset, limit });
    found.push(...listed);
    if (listed.length > 0) offset = 0;
    else if (offset > 0 && group !== groups.at(-1))
      offset = Math.max(0, offset - (await feed.count(caller, question)));
  }
  return found;
}

async function* idsOf(found: readonly FeedVersion[]): AsyncGenerator<string> {
  for (const version of found) yield version.metadata.id;
}

async function* presentFound(
  feed: FeedService,
  caller: Caller,
  query: SearchPage,
  found: readonly FeedVersion[],
) {
  const urls = createV3Urls(caller.workspace.url);
  for (let start = 0; start < found.length; start += PACKAGES_AT_ONCE) {
    const stretch = found.slice(start, start + PACKAGES_AT_ONCE);
    const names = await feed.names(
      caller,
      stretch.map((version) => version.idLower),
      query,
    );
    for (const version of stretch)
      yield presentPackage(version, names.get(version.idLower) ?? [], query.level, urls);
  }
}

function presentPackage(
  version: FeedVersion,
  names: readonly VersionName[],
  level: SemVerLevel,
  urls: V3Urls,
) {
  const { metadata, idLower } = version;
  const types = metadata.packageTypes.map(({ name }) => ({ name }));
  return {
    '@id': urls.registration(level, idLower),
    '@type': 'Package',
    registration: urls.registration(level, idLower),
    id: metadata.id,
    version: version.versionFull,
    description: metadata.description,
    summary: metadata.summary ?? '',
    title: metadata.title ?? metadata.id,
    ...presentLinks(version, urls),
    tags: listTags(metadata.tags),
    // By hand: a pattern with blanks on both sides of the comma takes the square of the time for 4,000 blanks.
    authors: metadata.authors
      .split(',')
      .map((author) => author.trim())
      .filter((author) => author !== ''),
    // Part of the shape; no client shows them, and the pages of the gallery do.
    owners: [],
    totalDownloads: version.packageDownloads,
    verified: false,
    packageTypes: types.length === 0 ? [{ name: 'Dependency' }] : types,
    versions: names.map((name) => ({
      version: name.versionFull,
      downloads: name.downloads,
      '@id': urls.leaf(level, idLower, name.versionLower),
    })),
    vulnerabilities: [],
  };
}
