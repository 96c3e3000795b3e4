import { describe, expect, it } from 'vitest';
import { readAllPages } from './read-all-pages.ts';

/** A list of `count` numbers, two a page; the cursor is the number that comes next. */
const listOf =
  (count: number) =>
  async ({ cursor = '0' }: { readonly cursor?: string }) => {
    const from = Number(cursor);
    const items = [from, from + 1].filter((item) => item < count);
    return { items, nextCursor: from + 2 < count ? String(from + 2) : null };
  };

describe('all pages of a list', () => {
  it('are read to the end, in order', async () => {
    const counts: number[] = [];
    const all = await readAllPages(listOf(5), 10, (count) => counts.push(count));
    expect(all).toEqual({ items: [0, 1, 2, 3, 4], isPartial: false });
    expect(counts).toEqual([2, 4, 5]);
  });

  it('are read up to the bound, and said to be a part', async () => {
    expect(await readAllPages(listOf(5), 2)).toEqual({ items: [0, 1, 2, 3], isPartial: true });
    expect(await readAllPages(listOf(4), 2)).toEqual({ items: [0, 1, 2, 3], isPartial: false });
  });
});
