import type { Answer } from './client.ts';

/** A page of a list; `nextCursor` is null on the last one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/**
 * Every item of a list, page after page, each page fetched when its first item is asked for:
 *
 * ```ts
 * for await (const key of paginate((page) => client.GET('/v1/keys', { params: { query: page } }))) …
 * ```
 *
 * @param fetchPage gets `{}` for the first page and `{ cursor }` for each further one
 * @throws whatever `fetchPage` throws; Error when the server repeats a cursor, which would never end
 */
export async function* paginate<Item>(
  fetchPage: (page: { cursor?: string }) => Promise<Answer<Page<Item>>>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | null = null;
  do {
    const { data }: Answer<Page<Item>> = await fetchPage(cursor === null ? {} : { cursor });
    yield* data.items;
    if (data.nextCursor !== null && data.nextCursor === cursor)
      throw new Error('The server repeats a cursor.');
    cursor = data.nextCursor;
  } while (cursor !== null);
}
