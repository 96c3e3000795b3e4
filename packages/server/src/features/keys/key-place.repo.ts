import type { KeyAccess } from '../../http/index.ts';
import type { Executor } from '../../storage/index.ts';
import type { ApiKey } from './api-key.ts';

export type KeyPlace = Pick<ApiKey, 'id' | 'workspaceId' | 'accountId' | 'comment' | 'access'> & {
  readonly expiresAt: number | null;
};

/** Whose key it is, whatever the state of the row: enough to delete one that was altered. */
export async function findKeyPlace(
  exec: Executor,
  workspaceId: string,
  id: string,
): Promise<KeyPlace | null> {
  const row = await exec
    .selectFrom('api_keys')
    .select(['id', 'workspace_id', 'account_id', 'comment', 'access', 'expires_at'])
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row === undefined
    ? null
    : {
        id: row.id,
        workspaceId: row.workspace_id,
        accountId: row.account_id,
        comment: row.comment,
        access: row.access as KeyAccess,
        expiresAt: row.expires_at,
      };
}

/**
 * Is one row either way, so that the time of an answer does not tell whether there is a key that the caller may not
 * see: to read the row of a key took five microseconds longer than to find none.
 */
export async function findKeyAccountId(
  exec: Executor,
  workspaceId: string,
  id: string,
): Promise<string | null> {
  const row = await exec
    .selectNoFrom((eb) =>
      eb
        .selectFrom('api_keys')
        .select('account_id')
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .as('account_id'),
    )
    .executeTakeFirstOrThrow();
  return row.account_id;
}

/** Those of the ids that a key has, in whichever workspace. */
export async function listKeptKeyIds(
  exec: Executor,
  keyIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (keyIds.length === 0) return new Set();
  const rows = await exec.selectFrom('api_keys').select('id').where('id', 'in', keyIds).execute();
  return new Set(rows.map((row) => row.id));
}

/** Keys of an account, or acting for it: what goes when the account goes. */
export async function listKeyIdsOfAccount(
  exec: Executor,
  workspaceId: string,
  accountId: string,
): Promise<string[]> {
  const rows = await exec
    .selectFrom('api_keys')
    .select('id')
    // The workspace on both sides: each of them then has an index of its own.
    .where((eb) =>
      eb.or([
        eb.and({ workspace_id: workspaceId, account_id: accountId }),
        eb.and({ workspace_id: workspaceId, owner_id: accountId }),
      ]),
    )
    .limit(100_000)
    .execute();
  return rows.map((row) => row.id);
}
