import type { Executor, KeyLastUsesTable } from '../../storage/index.ts';

export async function saveLastUse(exec: Executor, row: KeyLastUsesTable): Promise<void> {
  const { at, ip, user_agent } = row;
  await exec
    .insertInto('key_last_uses')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('key_id').doUpdateSet({ at, ip, user_agent }).where('key_last_uses.at', '<=', at),
    )
    .execute();
}

export async function addKeyHour(
  exec: Executor,
  row: { workspaceId: string; keyId: string; hour: number; outcome: string; count: number },
): Promise<void> {
  await exec
    .insertInto('key_hours')
    .values({
      workspace_id: row.workspaceId,
      key_id: row.keyId,
      hour: row.hour,
      outcome: row.outcome,
      count: row.count,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['key_id', 'hour', 'outcome'])
        .doUpdateSet((eb) => ({ count: eb('key_hours.count', '+', row.count) })),
    )
    .execute();
}

export async function findLastUses(
  exec: Executor,
  workspaceId: string,
  keyIds: readonly string[],
): Promise<KeyLastUsesTable[]> {
  if (keyIds.length === 0) return [];
  return await exec
    .selectFrom('key_last_uses')
    .select(['workspace_id', 'key_id', 'at', 'ip', 'user_agent'])
    .where('workspace_id', '=', workspaceId)
    .where('key_id', 'in', keyIds)
    .limit(1_000)
    .execute();
}

export async function listKeyHours(
  exec: Executor,
  workspaceId: string,
  keyId: string,
  sinceHour: number,
): Promise<{ hour: number; outcome: string; count: number }[]> {
  return await exec
    .selectFrom('key_hours')
    .select(['hour', 'outcome', 'count'])
    .where('workspace_id', '=', workspaceId)
    .where('key_id', '=', keyId)
    .where('hour', '>=', sinceHour)
    .orderBy('hour')
    .limit(10_000)
    .execute();
}
