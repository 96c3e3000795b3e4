import { type RawBuilder, sql } from 'kysely';
import { asciiLower } from '../../lib/ascii.ts';
import { type Clock, MINUTE_MS } from '../../lib/clock.ts';
import { createKeptAnswers } from '../../lib/kept.ts';
import { toTagWords } from '../../lib/tag-words.ts';
import type { Storage, Tx } from '../../storage/index.ts';
import type { StoredMetadata } from './gallery.metadata.ts';

/**
 * Keeps the words of the versions of a package that searches show, in the transaction that changes which ones these
 * are: whoever searches finds a version by its own words, and not by those of another one.
 *
 * @param shownIds the rows of those versions
 */
export async function saveSearchWords(
  tx: Tx,
  { workspaceId, packageId }: { readonly workspaceId: string; readonly packageId: string },
  shownIds: readonly string[],
): Promise<void> {
  const known = await tx
    .selectFrom('package_search')
    .select('entry_id')
    .where('package_id', '=', packageId)
    .execute();
  const knownIds = known.map((row) => row.entry_id);
  const gone = knownIds.filter((id) => !shownIds.includes(id));
  if (gone.length > 0) await tx.deleteFrom('package_search').where('entry_id', 'in', gone).execute();
  const added = shownIds.filter((id) => !knownIds.includes(id));
  if (added.length === 0) return;
  const versions = await tx
    .selectFrom('package_versions')
    .select(['id', 'metadata'])
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', added)
    .execute();
  const rows = versions.map(({ id, metadata }) => ({
    entry_id: id,
    package_id: packageId,
    workspace_id: workspaceId,
    ...toWords(JSON.parse(metadata) as StoredMetadata),
  }));
  await tx.insertInto('package_search').values(rows).execute();
}

function toWords({ id, title, description, tags }: StoredMetadata): { words: string; tags: string } {
  return { words: [id, title ?? '', description].join('\n').toLowerCase(), tags: toTagWords(tags) };
}

/** One word of a search: somewhere in id, title, description or tags; or a whole tag; or the whole id. */
export interface SearchWord {
  readonly kind: 'any' | 'tag' | 'id';
  readonly text: string;
}

// The index knows runs of three characters; a shorter word is looked for in the whole table.
const TRIGRAM = 3;

// Versions that are named one by one; where more have a word, it is looked for row by row, in the order of the page.
const RARE_MAX = 500;

/** What has to have the words: the version itself, which is one that searches show; or any shown one of its package. */
export type WordsOf = 'version' | 'package';

export interface WordsCondition {
  /** On `feed_entries`: it has all the words. */
  readonly condition: RawBuilder<boolean>;
  /** It looks into the texts of each entry; see FeedQuery. */
  readonly isSlow: boolean;
}

export interface WordFinder {
  /**
   * The condition in the form that is fast for these words: a word that few versions have gives their ids, one that
   * many have is read in each version that comes up.
   */
  find(workspaceId: string, words: readonly SearchWord[], of: WordsOf): Promise<WordsCondition>;
}

// Which words are common changes slowly, and the condition is true in both forms.
const COMMON_TTL_MS = MINUTE_MS;
const COMMON_WORDS_MAX = 1_000;

/** @see WordFinder */
export function createWordFinder({ storage, clock }: { storage: Storage; clock: Clock }): WordFinder {
  const { engine } = storage;
  const common = createKeptAnswers<boolean>({ clock, ttlMs: COMMON_TTL_MS, answersMax: COMMON_WORDS_MAX });
  const findRareIds = async (workspaceId: string, word: SearchWord): Promise<RareRow[] | null> => {
    if (!hasTrigram(textOf(word))) return null;
    const key = JSON.stringify([workspaceId, columnsOf(word).length, textOf(word)]);
    let found: RareRow[] | null | undefined;
    const isCommon = await common.get(key, async () => {
      found = await findRare(storage, workspaceId, word);
      return found === null;
    });
    // That a word was rare a moment ago does not say who has it now.
    return isCommon ? null : (found ?? (await findRare(storage, workspaceId, word)));
  };
  return {
    find: async (workspaceId, words, of) => {
      const conditions: RawBuilder<boolean>[] = [];
      let hasCommon = false;
      let hasRare = false;
      for (const word of words) {
        if (word.kind === 'id') {
          conditions.push(sql<boolean>`feed_entries.id_lower = ${asciiLower(word.text)}`);
          continue;
        }
        const rare = await findRareIds(workspaceId, word);
        if (rare?.length === 0) return { condition: sql<boolean>`1 = 0`, isSlow: false };
        conditions.push(rare === null ? hasWordRowByRow(engine, word, of) : isRare(engine, rare, of));
        hasCommon ||= rare === null;
        hasRare ||= rare !== null;
      }
      // What few packages have is found first, and only those are looked into.
      const isNarrow = hasRare || words.some(({ kind }) => kind === 'id');
      return { condition: joinAll(conditions), isSlow: hasCommon && !isNarrow };
    },
  };
}

function joinAll(conditions: readonly RawBuilder<boolean>[]): RawBuilder<boolean> {
  return conditions.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`(${sql.join(conditions, sql` and `)})`;
}

function selectHaving({ read, engine }: Storage, workspaceId: string, word: SearchWord) {
  const [columns, text] = [columnsOf(word), textOf(word)];
  const found =
    engine === 'sqlite'
      ? sql<boolean>`number in (select rowid from package_search_trigrams
          where package_search_trigrams match ${toMatch(columns, text)} limit ${RARE_MAX + 1})`
      : isLike(columns, text);
  const having = read.selectFrom('package_search').where(found);
  // The index of SQLite is one for all workspaces: to ask for one would read each row.
  return engine === 'postgres' ? having.where('package_search.workspace_id', '=', workspaceId) : having;
}

interface RareRow {
  readonly entry_id: string;
  readonly id_lower: string;
}

/** The versions that have the word; null when there are too many to name after all. */
async function findRare(storage: Storage, workspaceId: string, word: SearchWord): Promise<RareRow[] | null> {
  const rows = await selectHaving(storage, workspaceId, word)
    .innerJoin('packages', 'packages.id', 'package_search.package_id')
    .select(['package_search.workspace_id', 'package_search.entry_id', 'packages.id_lower'])
    .limit(RARE_MAX + 1)
    .execute();
  if (rows.length > RARE_MAX) return null;
  return rows.filter((row) => row.workspace_id === workspaceId);
}

function isRare(engine: Storage['engine'], rare: readonly RareRow[], of: WordsOf): RawBuilder<boolean> {
  // Entries are found by the ids of their packages, which their indexes begin with.
  const isOfPackages = isAmong(
    engine,
    rare.map((row) => row.id_lower),
  );
  if (of === 'package') return isOfPackages;
  const entryIds = rare.map((row) => row.entry_id);
  const isEntry =
    engine === 'sqlite'
      ? sql`feed_entries.id in (select value from json_each(${JSON.stringify(entryIds)}))`
      : sql`feed_entries.id = any(${entryIds})`;
  return sql<boolean>`(${isOfPackages} and ${isEntry})`;
}

function hasWordRowByRow(engine: Storage['engine'], word: SearchWord, of: WordsOf): RawBuilder<boolean> {
  const text = textOf(word);
  const places = columnsOf(word).map((column) =>
    engine === 'sqlite'
      ? sql`instr(${sql.ref(column)}, ${text}) > 0`
      : sql`strpos(${sql.ref(column)}, ${text}) > 0`,
  );
  const isItsOwn =
    of === 'version'
      ? sql`package_search.entry_id = feed_entries.id`
      : sql`package_search.package_id = feed_entries.package_id`;
  return sql<boolean>`exists (select 1 from package_search where ${isItsOwn} and (${sql.join(places, sql` or `)}))`;
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

function isLike(columns: readonly string[], text: string): RawBuilder<boolean> {
  const likes = columns.map((column) => sql`${sql.ref(column)} like ${toPattern(text)} escape '\\'`);
  return sql<boolean>`(${sql.join(likes, sql` or `)})`;
}

function hasTrigram(text: string): boolean {
  return Array.from(text).length >= TRIGRAM;
}

function toPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
}
