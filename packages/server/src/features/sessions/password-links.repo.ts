import type { Executor } from '../../storage/index.ts';

export type PasswordLinkPurpose = 'password_reset' | 'invitation';

/** The unused links that let somebody set the password of an account; links that hand out keys stay. */
export async function dropPasswordLinks(
  exec: Executor,
  workspaceId: string,
  accountId: string,
): Promise<void> {
  await exec
    .deleteFrom('one_time_links')
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', accountId)
    .where('purpose', 'in', ['password_reset', 'invitation'])
    .where('used_at', 'is', null)
    .execute();
}

/** Links of all workspaces to set a password that ended before `before`, at most `limit` of them. */
export async function listOldPasswordLinks(exec: Executor, before: number, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('one_time_links')
    .select('id')
    .where('purpose', 'in', ['password_reset', 'invitation'])
    .where('expires_at', '<', before)
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function deleteLinks(exec: Executor, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await exec.deleteFrom('one_time_links').where('id', 'in', ids).execute();
}
