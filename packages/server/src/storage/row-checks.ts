import { type RawBuilder, sql } from 'kysely';

/**
 * The workspace as a mere check of rows that are looked up by something else. SQLite has no statistics and takes a
 * workspace for some ten rows: given the column alone, it goes through all keys of a workspace for the fifty that
 * a list of ids names.
 */
export function isOfWorkspace(workspaceId: string): RawBuilder<boolean> {
  return sql<boolean>`workspace_id || '' = ${workspaceId}`;
}

/** The id as something to sort by behind the lookup, for the same reason: never an index to follow instead. */
export const SORTED_ID = sql<string>`id || ''`;
