/** A page of a list as the API answers it. */
interface ListPage<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export interface AllPages<Item> {
  readonly items: readonly Item[];
  /** There are more than were read. */
  readonly isPartial: boolean;
}

/** Reads a list to its end, or as many pages of it as are allowed. `onRead` hears how many items there are so far. */
export async function readAllPages<Item>(
  readPage: (place: { readonly cursor?: string }) => Promise<ListPage<Item>>,
  pagesMax: number,
  onRead: (count: number) => void = () => {},
): Promise<AllPages<Item>> {
  const items: Item[] = [];
  let place: { readonly cursor?: string } = {};
  for (let page = 0; page < pagesMax; page += 1) {
    const { items: more, nextCursor } = await readPage(place);
    items.push(...more);
    onRead(items.length);
    if (nextCursor === null) return { items, isPartial: false };
    place = { cursor: nextCursor };
  }
  return { items, isPartial: true };
}
