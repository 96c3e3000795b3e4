import { type Executor, raiseRevocationEpoch, type Tx } from '../../storage/index.ts';

/** True when one of these tokens has ended. */
export async function isAnyTokenEnded(
  exec: Executor,
  workspaceId: string,
  jtis: readonly string[],
): Promise<boolean> {
  const row = await exec
    .selectFrom('ended_tokens')
    .select('jti')
    .where('jti', 'in', jtis)
    .where('workspace_id', '=', workspaceId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** False when it had ended before. */
export async function insertEndedToken(
  tx: Tx,
  row: { workspaceId: string; jti: string; expiresAt: number },
): Promise<boolean> {
  const result = await tx
    .insertInto('ended_tokens')
    .values({ workspace_id: row.workspaceId, jti: row.jti, expires_at: row.expiresAt })
    .onConflict((conflict) => conflict.column('jti').doNothing())
    .executeTakeFirst();
  const isFirst = Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
  if (isFirst) await raiseRevocationEpoch(tx, row.workspaceId);
  return isFirst;
}

/** Deletes up to `limit` rows that end before; returns how many. */
export async function deleteEndedTokens(exec: Executor, before: number, limit: number): Promise<number> {
  const result = await exec
    .deleteFrom('ended_tokens')
    .where('jti', 'in', (eb) =>
      eb
        .selectFrom('ended_tokens')
        .select('jti')
        .where('expires_at', '<=', before)
        .orderBy('expires_at')
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
