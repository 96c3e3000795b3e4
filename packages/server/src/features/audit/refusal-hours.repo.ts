import type { Executor } from '../../storage/index.ts';

/** How often callers of a workspace were refused for a reason, hour by hour (hours since 1970). */
export async function listRefusalHours(
  exec: Executor,
  workspaceId: string,
  reason: string,
  sinceHour: number,
): Promise<{ hour: number; count: number }[]> {
  return await exec
    .selectFrom('refusal_hours')
    .select(['hour', 'count'])
    .where('workspace_id', '=', workspaceId)
    .where('hour', '>=', sinceHour)
    .where('reason', '=', reason)
    .orderBy('hour')
    .limit(10_000)
    .execute();
}
