import { type RawBuilder, sql } from 'kysely';
import { createTurns } from '../../lib/turns.ts';
import type { Executor, Storage } from '../../storage/index.ts';
import type { SemVerLevel } from './feed-entries.repo.ts';
import { isAmong } from './package-search.repo.ts';

/** A version without its manifest: packages may have thousands. */
export interface FeedEntry {
  /** Normalised, lower case. */
  readonly versionLower: string;
  readonly sortKey: string;
  readonly isListed: boolean;
}

// One step of reading: small enough for one turn of the event loop.
const ROWS_AT_ONCE = 500;

/** The versions of one package that a client can read. Conditions name columns of `feed_entries`. */
export interface EntriesQuery {
  readonly workspaceId: string;
  readonly idLower: string;
  readonly level: SemVerLevel;
  readonly where: readonly RawBuilder<boolean>[];
}

/** All versions of a package from the lowest to the highest, unlisted ones too, some at a time. */
export async function* streamEntries(
  exec: Executor,
  { workspaceId, idLower, level, where }: EntriesQuery,
): AsyncGenerator<FeedEntry[]> {
  const turns = createTurns();
  for (let after = ''; ; ) {
    let query = exec
      .selectFrom('feed_entries')
      .select(['version_lower', 'sort_key', 'listed'])
      .where('workspace_id', '=', workspaceId)
      .where('id_lower', '=', idLower)
      .where('sort_key', '>', after);
    if (level === 'semver1') query = query.where('is_semver2', '=', 0);
    for (const condition of where) query = query.where(condition);
    const rows = await query.orderBy('sort_key').limit(ROWS_AT_ONCE).execute();
    yield rows.map((row) => ({
      versionLower: row.version_lower,
      sortKey: row.sort_key,
      isListed: row.listed === 1,
    }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    after = last.sort_key;
    await turns.step();
  }
}

export interface VersionName {
  readonly idLower: string;
  readonly sortKey: string;
  /** With its metadata, if it has any. */
  readonly versionFull: string;
  readonly versionLower: string;
  readonly downloads: number;
}

/** Conditions name columns of `feed_entries`. */
export interface NamesQuery {
  readonly workspaceId: string;
  readonly level: SemVerLevel;
  readonly withPrereleases: boolean;
  readonly where: readonly RawBuilder<boolean>[];
}

/** The listed versions of some packages, each package's from the lowest to the highest. */
export async function listNames(
  storage: Pick<Storage, 'read' | 'engine'>,
  idsLower: readonly string[],
  query: NamesQuery,
): Promise<Map<string, VersionName[]>> {
  const turns = createTurns();
  const names: VersionName[] = [];
  for (;;) {
    const last = names.at(-1);
    let select = selectNames(storage, query).where(isAmong(storage.engine, idsLower));
    if (last !== undefined)
      select = select.where(
        sql<boolean>`(feed_entries.id_lower, feed_entries.sort_key) > (${last.idLower}, ${last.sortKey})`,
      );
    const rows = await select
      .orderBy('feed_entries.id_lower')
      .orderBy('feed_entries.sort_key')
      .limit(ROWS_AT_ONCE)
      .execute();
    names.push(...rows.map(toName));
    if (rows.length < ROWS_AT_ONCE) return Map.groupBy(names, (name) => name.idLower);
    await turns.step();
  }
}

function selectNames({ read }: Pick<Storage, 'read'>, query: NamesQuery) {
  let select = read
    .selectFrom('feed_entries')
    .leftJoin('package_downloads', 'package_downloads.id', 'feed_entries.id')
    .select([
      'feed_entries.id_lower',
      'feed_entries.sort_key',
      'feed_entries.version_lower',
      'feed_entries.version_full',
      'package_downloads.downloads',
    ])
    .where('feed_entries.workspace_id', '=', query.workspaceId)
    .where('feed_entries.listed', '=', 1);
  if (query.level === 'semver1') select = select.where('feed_entries.is_semver2', '=', 0);
  if (!query.withPrereleases) select = select.where('feed_entries.is_prerelease', '=', 0);
  for (const condition of query.where) select = select.where(condition);
  return select;
}

interface NameRow {
  readonly id_lower: string;
  readonly sort_key: string;
  readonly version_lower: string;
  readonly version_full: string;
  readonly downloads: number | null;
}

function toName(row: NameRow): VersionName {
  return {
    idLower: row.id_lower,
    sortKey: row.sort_key,
    versionFull: row.version_full,
    versionLower: row.version_lower,
    downloads: row.downloads ?? 0,
  };
}
