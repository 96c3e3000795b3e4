import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProofItem } from './item.ts';

const folder = join(import.meta.dirname, 'items');

/** All items of `items/`, one file an area. @throws when two have the same number. */
export async function loadItems(): Promise<ProofItem[]> {
  const items: ProofItem[] = [];
  for (const file of readdirSync(folder).toSorted()) {
    const area = (await import(join(folder, file))) as Record<string, readonly ProofItem[]>;
    items.push(...Object.values(area).flat());
  }
  const numbers = items.map(({ number }) => number);
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index);
  if (twice !== undefined) throw new Error(`item ${twice} stands twice in e2e/proof/items`);
  return items.toSorted((one, other) => one.number - other.number);
}
