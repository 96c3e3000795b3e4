import { type Executor, raiseRevocationEpoch, type SigningKeysTable, type Tx } from '../../storage/index.ts';

const SIGNING_KEY_COLUMNS = [
  'kid',
  'workspace_id',
  'algorithm',
  'public_jwk',
  'sealed_private_jwk',
  'created_at',
  'activates_at',
  'retires_at',
] as const;

/** The keys of a workspace that sign or verify at `now`, or will; oldest first. */
export async function listSigningKeys(
  exec: Executor,
  workspaceId: string,
  now: number,
): Promise<SigningKeysTable[]> {
  return await exec
    .selectFrom('signing_keys')
    .select(SIGNING_KEY_COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where((eb) => eb.or([eb('retires_at', 'is', null), eb('retires_at', '>', now)]))
    .orderBy('activates_at')
    .orderBy('kid')
    .limit(1_000)
    .execute();
}

export async function insertSigningKey(exec: Executor, row: SigningKeysTable): Promise<void> {
  await exec.insertInto('signing_keys').values(row).execute();
}

/** Gives every key that has no end yet this one; called when a successor is published. */
export async function retireSigningKeys(
  exec: Executor,
  workspaceId: string,
  retiresAt: number,
): Promise<void> {
  await exec
    .updateTable('signing_keys')
    .set({ retires_at: retiresAt })
    .where('workspace_id', '=', workspaceId)
    .where('retires_at', 'is', null)
    .execute();
}

export async function deleteRetiredSigningKeys(exec: Executor, before: number): Promise<void> {
  await exec.deleteFrom('signing_keys').where('retires_at', '<=', before).execute();
}

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
