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

// Packages that are named one by one; where more have a word, it is looked for row by row, in the order of the page.
const RARE_MAX = 500;

/**
 * The condition on `feed_entries` that its package has all these words, in the form that is fast for them: a word that
 * few packages have gives their ids, one that many have is read in each package that comes up.
 */
export async function findWords(
  { read, engine }: Pick<Storage, 'read' | 'engine'>,
  workspaceId: string,
  words: readonly SearchWord[],
): Promise<RawBuilder<boolean>> {
  const conditions: RawBuilder<boolean>[] = [];
  for (const word of words) {
    if (word.kind === 'id') {
      conditions.push(sql<boolean>`feed_entries.id_lower = ${asciiLower(word.text)}`);
      continue;
    }
    const rare = await findRare({ read, engine }, workspaceId, word);
    if (rare?.length === 0) return sql<boolean>`1 = 0`;
    conditions.push(rare === null ? hasWordRowByRow(engine, word) : isAmong(engine, rare));
  }
  return conditions.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`(${sql.join(conditions, sql` and `)})`;
}

/** The ids of the packages that have the word, in lower case; null when there are too many to name. */
async function findRare(
  { read, engine }: Pick<Storage, 'read' | 'engine'>,
  workspaceId: string,
  word: SearchWord,
): Promise<string[] | null> {
  const text = textOf(word);
  if (!hasTrigram(text)) return null;
  const columns = columnsOf(word);
  const found =
    engine === 'sqlite'
      ? sql`number in (select rowid from package_search_trigrams
          where package_search_trigrams match ${toMatch(columns, text)} limit ${RARE_MAX + 1})`
      : isLike(columns, text);
  const rows = await read
    .selectFrom('package_search')
    .innerJoin('packages', 'packages.id', 'package_search.package_id')
    .select(['package_search.workspace_id', 'packages.id_lower'])
    .where(sql<boolean>`${found}`)
    .$if(engine === 'postgres', (query) => query.where('package_search.workspace_id', '=', workspaceId))
    .limit(RARE_MAX + 1)
    .execute();
  if (rows.length > RARE_MAX) return null;
  return rows.filter((row) => row.workspace_id === workspaceId).map((row) => row.id_lower);
}

function hasWordRowByRow(engine: Storage['engine'], word: SearchWord): RawBuilder<boolean> {
  const text = textOf(word);
  const places = columnsOf(word).map((column) =>
    engine === 'sqlite'
      ? sql`instr(${sql.ref(column)}, ${text}) > 0`
      : sql`strpos(${sql.ref(column)}, ${text}) > 0`,
  );
  return sql<boolean>`exists (select 1 from package_search where package_search.package_id = feed_entries.package_id
    and (${sql.join(places, sql` or `)}))`;
}

/** As one parameter: each number of ids would otherwise be a statement of its own. */
export function isAmong(engine: Storage['engine'], idsLower: readonly string[]): RawBuilder<boolean> {
  return engine === 'sqlite'
    ? sql<boolean>`feed_entries.id_lower in (select value from json_each(${JSON.stringify(idsLower)}))`
    : sql<boolean>`feed_entries.id_lower = any(${[...idsLower]})`;
}

function textOf({ kind, text }: SearchWord): string {
  return kind === 'tag' ? ` ${asciiLower(text)} ` : text.toLowerCase();
}

function columnsOf({ kind }: SearchWord): readonly string[] {
  return kind === 'tag' ? ['package_search.tags'] : ['package_search.words', 'package_search.tags'];
}

function toMatch(columns: readonly string[], text: string): string {
  const names = columns.map((column) => column.slice('package_search.'.length));
  return `{${names.join(' ')}} : "${text.replaceAll('"', '""')}"`;
}

function isLike(columns: readonly string[], text: string): RawBuilder<unknown> {
  const likes = columns.map((column) => sql`${sql.ref(column)} like ${toPattern(text)} escape '\\'`);
  return sql`(${sql.join(likes, sql` or `)})`;
}

function hasTrigram(text: string): boolean {
  return Array.from(text).length >= TRIGRAM;
}

function toPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
}
