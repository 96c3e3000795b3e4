import type { Caller } from '../../../http/index.ts';
import type { FeedService } from '../feed.service.ts';
import type { SemVerLevel } from '../feed-entries.repo.ts';
import type { FeedEntry } from '../feed-versions.repo.ts';
import { packageErrors } from '../gallery.errors.ts';
import { parseNuGetVersion, versionKey } from '../version/nuget-version.ts';
import { presentLeaf, presentLeafDocument } from './registration.present.ts';
import { chooseUpper } from './substring-order.ts';
import { jsonWithList } from './v3.json.ts';
import { byVersion, byVersionDescending, isBetween, isPackage, isVersion } from './v3.repo.ts';
import { createV3Urls, type V3Urls } from './v3.urls.ts';

/** Packages with fewer versions have them all in their index. */
const INLINE_BELOW = 128;
const PAGE_LEAVES = 64;
// A page of an old index holds, besides, what was pushed between its versions since.
const NAMED_LEAVES_MAX = 2 * PAGE_LEAVES;
const PAGE_TYPE = 'catalog:CatalogPage';

/** Which registration is asked for. */
export interface RegistrationQuery {
  readonly idLower: string;
  readonly level: SemVerLevel;
}

interface Page {
  readonly lower: FeedEntry;
  readonly upper: FeedEntry;
  readonly count: number;
}

/**
 * The index of a package, as pieces of JSON: every version, unlisted ones too and marked as such.
 *
 * @throws package.not_found when there is no version that the client can read
 */
export async function readRegistrationIndex(
  feed: FeedService,
  caller: Caller,
  query: RegistrationQuery,
): Promise<AsyncIterable<string>> {
  const entries = await readEntries(feed, caller, query);
  const urls = createV3Urls(caller.workspace.url);
  const url = urls.registration(query.level, query.idLower);
  const head = { '@id': url, '@type': ['catalog:CatalogRoot', 'PackageRegistration'] };
  if (entries.length >= INLINE_BELOW) {
    const pages = toPages(entries);
    const shown = pages.map((page) => presentPage(page, query, urls));
    return jsonWithList({ ...head, count: pages.length }, 'items', shown);
  }
  return inlineIndex(feed, caller, query, entries, { ...head, count: 1 });
}

async function* inlineIndex(
  feed: FeedService,
  caller: Caller,
  query: RegistrationQuery,
  entries: readonly FeedEntry[],
  head: Record<string, unknown>,
): AsyncGenerator<string> {
  const urls = createV3Urls(caller.workspace.url);
  const page = toPage(entries);
  const shown = presentPage(page, query, urls);
  const upper = chooseUpper(entries.map((entry) => entry.versionLower));
  yield `${JSON.stringify(head).slice(0, -1)},"items":[`;
  yield* jsonWithList({ ...shown, upper }, 'items', readLeaves(feed, caller, query, page, true));
  yield ']}';
}

/**
 * One page of a package with many versions, named by its lowest and highest. Clients keep an index for half an hour and
 * then ask for pages as it named them, though a push has moved their ends: the versions between them are served.
 *
 * @throws package.not_found when a bound is no version, or there are more between them than any page has had
 */
export async function readRegistrationPage(
  feed: FeedService,
  caller: Caller,
  query: RegistrationQuery & { readonly lower: string; readonly upper: string },
): Promise<AsyncIterable<string>> {
  const entries = await readEntries(feed, caller, query);
  const [first = -1, last = -1] = [query.lower, query.upper]
    .map(toKey)
    .map((key) => entries.findIndex((entry) => entry.versionLower === key));
  const named = first === -1 ? [] : entries.slice(first, last + 1);
  if (named.length === 0 || named.length > NAMED_LEAVES_MAX) throw packageErrors.not_found();
  const page = toPage(named);
  const urls = createV3Urls(caller.workspace.url);
  return jsonWithList(presentPage(page, query, urls), 'items', readLeaves(feed, caller, query, page, false));
}

/** @throws package.not_found */
export async function readRegistrationLeaf(
  feed: FeedService,
  caller: Caller,
  query: RegistrationQuery & { readonly version: string },
) {
  const key = toKey(query.version);
  const [found] =
    key === null
      ? []
      : await feed.list(caller, {
          level: query.level,
          where: [isPackage(query.idLower), isVersion(key)],
          orderBy: [],
          offset: 0,
          limit: 1,
        });
  if (found === undefined) throw packageErrors.not_found();
  return presentLeafDocument(found, query.level, createV3Urls(caller.workspace.url));
}

function toKey(version: string): string | null {
  const parsed = parseNuGetVersion(version);
  return parsed === null ? null : versionKey(parsed);
}

async function readEntries(
  feed: FeedService,
  caller: Caller,
  { idLower, level }: RegistrationQuery,
): Promise<FeedEntry[]> {
  const all: FeedEntry[] = [];
  for await (const stretch of feed.entries(caller, idLower, level)) all.push(...stretch);
  if (all.length === 0) throw packageErrors.not_found({ detail: 'There is no package with this id.' });
  return all;
}

async function* readLeaves(
  feed: FeedService,
  caller: Caller,
  { idLower, level }: RegistrationQuery,
  page: Page,
  isDescending: boolean,
) {
  const urls = createV3Urls(caller.workspace.url);
  const stretches = feed.stream(caller, {
    level,
    where: [isPackage(idLower), isBetween(page.lower.sortKey, page.upper.sortKey)],
    orderBy: [isDescending ? byVersionDescending : byVersion],
    offset: 0,
    limit: page.count,
  });
  for await (const versions of stretches)
    for (const version of versions) yield presentLeaf(version, level, urls);
}

function toPages(entries: readonly FeedEntry[]): Page[] {
  const pages: Page[] = [];
  for (let start = 0; start < entries.length; start += PAGE_LEAVES)
    pages.push(toPage(entries.slice(start, start + PAGE_LEAVES)));
  return pages;
}

function toPage(entries: readonly FeedEntry[]): Page {
  const [lower, upper] = [entries[0], entries.at(-1)];
  if (lower === undefined || upper === undefined) throw new Error('A page has at least one version.');
  return { lower, upper, count: entries.length };
}

function presentPage({ lower, upper, count }: Page, { level, idLower }: RegistrationQuery, urls: V3Urls) {
  return {
    '@id': urls.registrationPage(level, idLower, lower.versionLower, upper.versionLower),
    '@type': PAGE_TYPE,
    count,
    lower: lower.versionLower,
    upper: upper.versionLower,
    parent: urls.registration(level, idLower),
  };
}
