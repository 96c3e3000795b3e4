import { type RawBuilder, sql } from 'kysely';
import { asciiLower } from '../../lib/ascii.ts';
import { toTagWords } from '../../lib/tag-words.ts';
import type { Storage, Tx } from '../../storage/index.ts';
import type { Package } from './packages.repo.ts';

/** Keeps the words of a package that searches look through, in the transaction of a push. */
export async function saveSearchWords(tx: Tx, target: Package, title: string | null): Promise<void> {
  const words = [target.displayId, title ?? '', target.description ?? ''].join('\n').toLowerCase();
  const row = { words, tags: toTagWords(target.tags) };
  await tx
    .insertInto('package_search')
    .values({ package_id: target.id, workspace_id: target.workspaceId, ...row })
    .onConflict((conflict) => conflict.column('package_id').doUpdateSet(row))
    .execute();
}

/** One word of a search: somewhere in id, title, description or tags; or a whole tag; or the whole id. */
export interface SearchWord {
  readonly kind: 'any' | 'tag' | 'id';
  readonly text: string;
}

// The index knows runs of three characters; a shorter word is looked for in the whole table.
const TRIGRAM = 3;

/** The condition on `feed_entries` that its package has all these words. */
export function hasWords(engine: Storage['engine'], words: readonly SearchWord[]): RawBuilder<boolean> {
  const conditions = words.map((word) => {
    if (word.kind === 'id') return sql<boolean>`feed_entries.id_lower = ${asciiLower(word.text)}`;
    const text = word.kind === 'tag' ? ` ${asciiLower(word.text)} ` : word.text.toLowerCase();
    const columns = word.kind === 'tag' ? ['tags'] : ['words', 'tags'];
    const isFound =
      engine === 'sqlite' && hasTrigram(text)
        ? sql`number in (select rowid from package_search_trigrams
            where package_search_trigrams match ${`{${columns.join(' ')}} : "${text.replaceAll('"', '""')}"`})`
        : sql`(${sql.join(
            columns.map((column) => sql`${sql.ref(column)} like ${toPattern(text)} escape '\\'`),
            sql` or `,
          )})`;
    return sql<boolean>`feed_entries.package_id in (select package_id from package_search where ${isFound})`;
  });
  return conditions.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`(${sql.join(conditions, sql` and `)})`;
}

function hasTrigram(text: string): boolean {
  return Array.from(text).length >= TRIGRAM;
}

function toPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
}
