import type { Caller } from '../../http/index.ts';
import type { Storage } from '../../storage/index.ts';
import { countFeed, type FeedQuery, type FeedVersion, listFeed, streamFeed } from './feed.repo.ts';
import type { GalleryReading } from './reading/gallery-reading.ts';

/** What of the feed is asked for, by somebody: see FeedQuery. */
export type FeedQuestion = Omit<FeedQuery, 'workspaceId'>;

/**
 * The feeds of the gallery, V2 and V3 alike: the one place that reads them, and so the one place that decides who
 * sees what.
 */
export interface FeedService {
  /** One page of versions that the caller may read. */
  list(caller: Caller, question: FeedQuestion): Promise<FeedVersion[]>;
  /** The same, some versions at a time: for pages of thousands, which share the event loop and the memory. */
  stream(caller: Caller, question: FeedQuestion): AsyncIterable<FeedVersion[]>;
  /** How many versions that the caller may read answer to the conditions, without regard to pages. */
  count(caller: Caller, question: Pick<FeedQuestion, 'level' | 'where'>): Promise<number>;
}

export interface FeedDeps {
  readonly storage: Storage;
  readonly galleryReading: GalleryReading;
}

/** @see FeedService */
export function createFeedService({ storage, galleryReading }: FeedDeps): FeedService {
  const narrow = async <Question extends Pick<FeedQuestion, 'where'>>(
    caller: Caller,
    question: Question,
  ) => ({
    ...question,
    where: [...(await galleryReading.conditionsFor(caller)), ...question.where],
    workspaceId: caller.workspace.id,
  });
  return {
    list: async (caller, question) => await listFeed(storage.read, await narrow(caller, question)),
    async *stream(caller, question) {
      yield* streamFeed(storage.read, await narrow(caller, question));
    },
    count: async (caller, question) => await countFeed(storage.read, await narrow(caller, question)),
  };
}
