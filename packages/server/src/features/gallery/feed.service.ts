import type { Caller } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { createKeptAnswers } from '../../lib/kept.ts';
import type { Storage } from '../../storage/index.ts';
import { countFeed, countKey, type FeedQuery, isLargeFeed } from './feed.repo.ts';
import type { SemVerLevel } from './feed-entries.repo.ts';
import { type FeedVersion, listFeed, streamFeed } from './feed-page.repo.ts';
import {
  type FeedEntry,
  listNames,
  type NamesQuery,
  streamEntries,
  type VersionName,
} from './feed-versions.repo.ts';
import {
  createWordFinder,
  type SearchWord,
  type WordsCondition,
  type WordsOf,
} from './package-search.repo.ts';
import type { GalleryReading } from './reading/gallery-reading.ts';
import { createStoredVersions } from './stored-versions.repo.ts';

/** What of the feed is asked for, by somebody: see FeedQuery. */
export type FeedQuestion = Omit<FeedQuery, 'workspaceId'>;

export type NamesQuestion = Pick<NamesQuery, 'level' | 'withPrereleases'>;

/**
 * The feeds of the gallery, V2 and V3 alike: the one place that reads them, and so the one place that decides who
 * sees what.
 */
export interface FeedService {
  /** One page of versions that the caller may read. */
  list(caller: Caller, question: FeedQuestion): Promise<FeedVersion[]>;
  /** The same, some versions at a time: for pages of thousands, which share the event loop and the memory. */
  stream(caller: Caller, question: FeedQuestion): AsyncIterable<FeedVersion[]>;
  /**
   * How many versions that the caller may read answer to the conditions, without regard to pages. In a gallery of more
   * than a thousand versions it may be five seconds old.
   */
  count(caller: Caller, question: Omit<FeedQuestion, 'orderBy' | 'offset' | 'limit'>): Promise<number>;
  /** All versions of a package in their order, unlisted ones too, without their manifests, some at a time. */
  entries(caller: Caller, idLower: string, level: SemVerLevel): AsyncIterable<FeedEntry[]>;
  /** The listed versions of packages that the caller may read, by the id of the package in lower case. */
  names(
    caller: Caller,
    idsLower: readonly string[],
    question: NamesQuestion,
  ): Promise<Map<string, VersionName[]>>;
  /** The condition that a version, or its package, has all these words. */
  words(caller: Caller, words: readonly SearchWord[], of: WordsOf): Promise<WordsCondition>;
}

export interface FeedDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly galleryReading: GalleryReading;
}

// Counting reads every match, though a page shows few of them; no client needs the number to the second.
const COUNT_TTL_MS = 5_000;
const COUNTS_MAX = 500;

/** @see FeedService */
export function createFeedService({ storage, clock, galleryReading }: FeedDeps): FeedService {
  const counts = createKeptAnswers<number>({ clock, ttlMs: COUNT_TTL_MS, answersMax: COUNTS_MAX });
  const large = createKeptAnswers<boolean>({ clock, ttlMs: COUNT_TTL_MS, answersMax: COUNTS_MAX });
  const store = { read: storage.read, storedVersions: createStoredVersions() };
  const wordFinder = createWordFinder({ storage, clock });
  const narrow = async <Question extends Pick<FeedQuestion, 'where' | 'isSlow'>>(
    caller: Caller,
    question: Question,
  ) => ({
    ...question,
    where: [...(await galleryReading.conditionsFor(caller)), ...question.where],
    workspaceId: caller.workspace.id,
    // PostgreSQL looks into texts while we do other things.
    isSlow: question.isSlow === true && storage.engine === 'sqlite',
  });
  return {
    list: async (caller, question) => await listFeed(store, await narrow(caller, question)),
    async *stream(caller, question) {
      yield* streamFeed(store, await narrow(caller, question));
    },
    async count(caller, question) {
      const query = await narrow(caller, question);
      const isLarge = await large.get(query.workspaceId, () => isLargeFeed(storage.read, query.workspaceId));
      if (!isLarge) return await countFeed(storage.read, query);
      return await counts.get(countKey(storage.read, query), () => countFeed(storage.read, query));
    },
    async *entries(caller, idLower, level) {
      yield* streamEntries(storage.read, await narrow(caller, { idLower, level, where: [] }));
    },
    names: async (caller, idsLower, { level, withPrereleases }) =>
      await listNames(storage, idsLower, await narrow(caller, { level, withPrereleases, where: [] })),
    words: (caller, words, of) => wordFinder.find(caller.workspace.id, words, of),
  };
}
