import type { Executor } from './database.ts';
import type { OneTimeLinksTable } from './schema.ts';

export type OneTimeLinkRow = OneTimeLinksTable;

const COLUMNS = [
  'id',
  'workspace_id',
  'purpose',
  'token_digest',
  'account_id',
  'key_id',
  'sealed_payload',
  'created_at',
  'expires_at',
  'used_at',
] as const;

export async function insertOneTimeLink(exec: Executor, row: OneTimeLinkRow): Promise<void> {
  await exec.insertInto('one_time_links').values(row).execute();
}

/** The link of a token digest, used or not. */
export async function findOneTimeLink(
  exec: Executor,
  workspaceId: string,
  purpose: string,
  tokenDigest: string,
): Promise<OneTimeLinkRow | undefined> {
  return await exec
    .selectFrom('one_time_links')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('purpose', '=', purpose)
    .where('token_digest', '=', tokenDigest)
    .executeTakeFirst();
}

/** Uses a link up and wipes what it held. False when somebody else was first, or it has expired. */
export async function useOneTimeLink(exec: Executor, id: string, now: number): Promise<boolean> {
  const result = await exec
    .updateTable('one_time_links')
    .set({ used_at: now, sealed_payload: null })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Deletes up to `limit` links of all workspaces that ended before, with what they held; says how many. */
export async function deleteEndedOneTimeLinks(
  exec: Executor,
  purpose: string,
  before: number,
  limit: number,
): Promise<number> {
  const result = await exec
    .deleteFrom('one_time_links')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('one_time_links')
        .select('id')
        .where('purpose', '=', purpose)
        .where('expires_at', '<=', before)
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Links of a key stop working when the key is regenerated or deleted: they would hand out a dead secret. */
export async function dropOneTimeLinksOfKey(
  exec: Executor,
  workspaceId: string,
  keyId: string,
): Promise<void> {
  await exec
    .deleteFrom('one_time_links')
    .where('workspace_id', '=', workspaceId)
    .where('key_id', '=', keyId)
    .execute();
}

export async function dropOneTimeLinksOfAccount(
  exec: Executor,
  workspaceId: string,
  accountId: string,
): Promise<void> {
  await exec
    .deleteFrom('one_time_links')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .execute();
}
