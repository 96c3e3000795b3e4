import type { CursorValues } from '../../../lib/page.ts';
import {
  type Executor,
  raiseRevocationEpoch,
  type SigningKeysTable,
  type Tx,
} from '../../../storage/index.ts';

const COLUMNS = [
  'kid',
  'workspace_id',
  'algorithm',
  'public_jwk',
  'sealed_private_jwk',
  'created_at',
  'activates_at',
  'retires_at',
] as const;

/** What stands in the place of a private half that was destroyed: such a key is retired, whatever a clock says. */
export const NO_PRIVATE_KEY = '';

/** The keys of a workspace that sign or verify at `now`, or will; in the order in which they sign. */
export async function listLiveSigningKeys(
  exec: Executor,
  workspaceId: string,
  now: number,
): Promise<SigningKeysTable[]> {
  return await exec
    .selectFrom('signing_keys')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('sealed_private_jwk', '<>', NO_PRIVATE_KEY)
    .where((eb) => eb.or([eb('retires_at', 'is', null), eb('retires_at', '>', now)]))
    .orderBy('activates_at')
    .orderBy('kid')
    .limit(1_000)
    .execute();
}

/** All that are kept, retired ones too; the newest of those that sign, or will, first. */
export async function listSigningKeys(
  exec: Executor,
  workspaceId: string,
  after: CursorValues | null,
  limit: number,
): Promise<SigningKeysTable[]> {
  let query = exec.selectFrom('signing_keys').select(COLUMNS).where('workspace_id', '=', workspaceId);
  if (after !== null) {
    const [activatesAt, kid] = [Number(after[0]), String(after[1])];
    query = query.where((eb) =>
      eb.or([
        eb('activates_at', '<', activatesAt),
        eb.and([eb('activates_at', '=', activatesAt), eb('kid', '<', kid)]),
      ]),
    );
  }
  return await query.orderBy('activates_at', 'desc').orderBy('kid', 'desc').limit(limit).execute();
}

export async function findSigningKey(
  exec: Executor,
  workspaceId: string,
  kid: string,
): Promise<SigningKeysTable | undefined> {
  return await exec
    .selectFrom('signing_keys')
    .select(COLUMNS)
    .where('workspace_id', '=', workspaceId)
    .where('kid', '=', kid)
    .executeTakeFirst();
}

/** Since when the newest live key of each workspace signs, or will. */
export async function listNewestActivations(
  exec: Executor,
): Promise<{ workspaceId: string; activatesAt: number }[]> {
  const rows = await exec
    .selectFrom('signing_keys')
    .select((eb) => ['workspace_id', eb.fn.max('activates_at').as('activates_at')])
    .where('sealed_private_jwk', '<>', NO_PRIVATE_KEY)
    .groupBy('workspace_id')
    .limit(100_000)
    .execute();
  return rows.map((row) => ({ workspaceId: row.workspace_id, activatesAt: row.activates_at }));
}

export async function insertSigningKey(exec: Executor, row: SigningKeysTable): Promise<void> {
  await exec.insertInto('signing_keys').values(row).execute();
}

/** When a key begins to sign and when it stops to verify. */
export async function setSigningKeyTimes(
  exec: Executor,
  { kid, activates_at, retires_at }: Pick<SigningKeysTable, 'kid' | 'activates_at' | 'retires_at'>,
): Promise<void> {
  await exec.updateTable('signing_keys').set({ activates_at, retires_at }).where('kid', '=', kid).execute();
}

/** Ends a key and all its tokens with this transaction. Its private half is gone for good. */
export async function destroySigningKey(
  tx: Tx,
  workspaceId: string,
  kid: string,
  now: number,
): Promise<void> {
  await tx
    .updateTable('signing_keys')
    .set({ retires_at: now, sealed_private_jwk: NO_PRIVATE_KEY })
    .where('workspace_id', '=', workspaceId)
    .where('kid', '=', kid)
    .execute();
  await raiseRevocationEpoch(tx, workspaceId);
}

/** Of keys that no longer verify, the private halves go before `before`, the rows before `forgetBefore`. */
export async function sweepSigningKeys(exec: Executor, before: number, forgetBefore: number): Promise<void> {
  await exec.deleteFrom('signing_keys').where('retires_at', '<=', forgetBefore).execute();
  await exec
    .updateTable('signing_keys')
    .set({ sealed_private_jwk: NO_PRIVATE_KEY })
    .where('retires_at', '<=', before)
    .where('sealed_private_jwk', '<>', NO_PRIVATE_KEY)
    .execute();
}
