import type { Database, Executor, KeyLastUsesTable } from '../../storage/index.ts';

type LastRefusalRow = Database['key_last_refusals'];

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

export async function saveLastRefusal(exec: Executor, row: LastRefusalRow): Promise<void> {
  const { at, ip, user_agent, reason } = row;
  await exec
    .insertInto('key_last_refusals')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('key_id')
        .doUpdateSet({ at, ip, user_agent, reason })
        .where('key_last_refusals.at', '<=', at),
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

/** Adds to what the counters of a workspace come to in an hour. */
export async function addWorkspaceHour(
  exec: Executor,
  row: { workspaceId: string; hour: number; outcome: string; count: number },
): Promise<void> {
  const { workspaceId, hour, outcome, count } = row;
  await exec
    .insertInto('workspace_hours')
    .values({ workspace_id: workspaceId, hour, outcome, count })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'hour', 'outcome'])
        .doUpdateSet((eb) => ({ count: eb('workspace_hours.count', '+', count) })),
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

export async function findLastRefusals(
  exec: Executor,
  workspaceId: string,
  keyIds: readonly string[],
): Promise<LastRefusalRow[]> {
  if (keyIds.length === 0) return [];
  return await exec
    .selectFrom('key_last_refusals')
    .select(['workspace_id', 'key_id', 'at', 'ip', 'user_agent', 'reason'])
    .where('workspace_id', '=', workspaceId)
    .where('key_id', 'in', keyIds)
    .limit(1_000)
    .execute();
}

/** How often each key had this outcome, each from an hour of its own on. Keys that never had it are missing. */
export async function sumOutcomeSince(
  exec: Executor,
  workspaceId: string,
  outcome: string,
  keys: readonly { readonly keyId: string; readonly sinceHour: number }[],
): Promise<{ key_id: string; count: number }[]> {
  if (keys.length === 0) return [];
  const rows = await exec
    .selectFrom('key_hours')
    .select((eb) => ['key_id', eb.fn.sum<number | string>('count').as('count')])
    .where('workspace_id', '=', workspaceId)
    .where('outcome', '=', outcome)
    .where((eb) =>
      eb.or(
        keys.map(({ keyId, sinceHour }) => eb.and([eb('key_id', '=', keyId), eb('hour', '>=', sinceHour)])),
      ),
    )
    .groupBy('key_id')
    .limit(1_000)
    .execute();
  // PostgreSQL adds int8 up to numeric, which arrives as text.
  return rows.map(({ key_id, count }) => ({ key_id, count: Number(count) }));
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
