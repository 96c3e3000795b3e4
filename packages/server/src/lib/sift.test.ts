import { describe, expect, it } from 'vitest';
import { decodeCursor } from './page.ts';
import { type ReadStretch, sift, toSiftedPage } from './sift.ts';

/** The numbers from 0 up, of which those fit that `fits` says; stretches of ten. */
function numbers(count: number, fits: (value: number) => boolean): ReadStretch<number> {
  return (after, wanted) => {
    const first = after === null ? 0 : Number(after[0]) + 1;
    const stretch = Array.from({ length: Math.min(10, count - first) }, (_, index) => first + index);
    const last = stretch.at(-1) ?? first;
    return Promise.resolve({
      rows: stretch.filter(fits).slice(0, wanted),
      end: last < count - 1 ? [last] : null,
      rowsRead: stretch.length,
    });
  };
}

describe('sifting', () => {
  it('finds what fits, as many as wanted, in all stretches', async () => {
    const read = numbers(95, (value) => value % 20 === 9);
    expect(await sift(read, null, { limit: 3, stretchesMax: 100 })).toEqual({
      rows: [9, 29, 49],
      stoppedAt: null,
    });
    expect(await sift(read, [9], { limit: 100, stretchesMax: 100 })).toEqual({
      rows: [29, 49, 69, 89],
      stoppedAt: null,
    });
  });

  it('stops at its bound, and says where to go on', async () => {
    const read = numbers(95, (value) => value === 1 || value === 94);
    const first = await sift(read, null, { limit: 5, stretchesMax: 4 });
    expect(first).toEqual({ rows: [1], stoppedAt: [39] });
    expect(await sift(read, first.stoppedAt, { limit: 5, stretchesMax: 100 })).toEqual({
      rows: [94],
      stoppedAt: null,
    });
  });

  it('stops after so many rows as well, where looking at each takes long', async () => {
    const read = numbers(95, (value) => value === 1);
    const found = await sift(read, null, { limit: 5, stretchesMax: 100, rowsReadMax: 25 });
    expect(found).toEqual({ rows: [1], stoppedAt: [29] });
  });

  it('lets others have the event loop between two stretches', async () => {
    let others = 0;
    const count = () => {
      others += 1;
      if (others < 5) setImmediate(count);
    };
    setImmediate(count);
    await sift(
      numbers(95, () => false),
      null,
      { limit: 5, stretchesMax: 100 },
    );
    expect(others).toBe(5);
  });
});

describe('a page of what was sifted', () => {
  const placeOf = (row: string) => [row.length, row];

  it('ends at its last row when there are more than it holds, wherever the search stopped', () => {
    const page = toSiftedPage({ rows: ['a', 'bb', 'ccc'], stoppedAt: [9, 'z'] }, 2, placeOf);
    expect(page.items).toEqual(['a', 'bb']);
    expect(decodeCursor(page.nextCursor ?? '', [0, ''])).toEqual([2, 'bb']);
  });

  it('goes on where the search stopped when it is not full, even though it is empty', () => {
    const page = toSiftedPage<string>({ rows: [], stoppedAt: [9, 'z'] }, 2, placeOf, 'name asc');
    expect(page.items).toEqual([]);
    expect(decodeCursor(page.nextCursor ?? '', ['', 0, ''])).toEqual(['name asc', 9, 'z']);
  });

  it('is the last one when all rows were seen', () => {
    const page = toSiftedPage({ rows: ['a', 'bb'], stoppedAt: null }, 2, placeOf);
    expect(page).toEqual({ items: ['a', 'bb'], nextCursor: null });
  });

  it('names its order in the cursor of its last row too', () => {
    const page = toSiftedPage({ rows: ['a', 'bb'], stoppedAt: null }, 1, placeOf, 'name asc');
    expect(decodeCursor(page.nextCursor ?? '', ['', 0, ''])).toEqual(['name asc', 1, 'a']);
  });
});
