import type { InjectAnswer } from './company.ts';

/** Follows the cursors of a list from its first page to its last; `url` may have a query of its own. */
export async function readAllPages<Item>(
  get: (url: string) => PromiseLike<InjectAnswer>,
  url: string,
): Promise<Item[]> {
  const items: Item[] = [];
  for (let next = url; ; ) {
    const answer = await get(next);
    if (answer.statusCode !== 200) throw new Error(`${next} was answered with ${answer.body}`);
    const page = answer.json<{ items: Item[]; nextCursor: string | null }>();
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    next = `${url}${url.includes('?') ? '&' : '?'}cursor=${page.nextCursor}`;
  }
}
