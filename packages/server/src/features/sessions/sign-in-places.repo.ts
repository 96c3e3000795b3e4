import type { Executor, Tx } from '../../storage/index.ts';

/** When somebody was last seen at a place; null when never. */
export async function findPlace(
  exec: Executor,
  accountId: string,
  placeDigest: string,
): Promise<number | null> {
  const row = await exec
    .selectFrom('sign_in_places')
    .select('last_seen_at')
    .where('account_id', '=', accountId)
    .where('place_digest', '=', placeDigest)
    .executeTakeFirst();
  return row?.last_seen_at ?? null;
}

export async function hasAnyPlace(exec: Executor, accountId: string): Promise<boolean> {
  const row = await exec
    .selectFrom('sign_in_places')
    .select('place_digest')
    .where('account_id', '=', accountId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function savePlace(
  tx: Tx,
  row: {
    readonly workspaceId: string;
    readonly accountId: string;
    readonly placeDigest: string;
    readonly at: number;
  },
): Promise<void> {
  await tx
    .insertInto('sign_in_places')
    .values({
      account_id: row.accountId,
      place_digest: row.placeDigest,
      workspace_id: row.workspaceId,
      last_seen_at: row.at,
    })
    .onConflict((conflict) =>
      conflict.columns(['account_id', 'place_digest']).doUpdateSet({ last_seen_at: row.at }),
    )
    .execute();
}

export async function deletePlaces(tx: Tx, accountId: string): Promise<void> {
  await tx.deleteFrom('sign_in_places').where('account_id', '=', accountId).execute();
}

/** Places where somebody was last seen before `before`. */
export async function deletePlacesBefore(tx: Tx, accountId: string, before: number): Promise<void> {
  await tx
    .deleteFrom('sign_in_places')
    .where('account_id', '=', accountId)
    .where('last_seen_at', '<', before)
    .execute();
}
