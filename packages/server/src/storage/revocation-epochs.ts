import type { Transaction } from 'kysely';
import type { Executor } from './database.ts';
import type { Database } from './schema.ts';

/** As `transaction.ts` names it, which asks this module at each commit. */
type Tx = Transaction<Database>;

// Below the number of parameters that any SQLite takes in one statement.
const IDS_MAX = 500;

/** Transactions that have raised an epoch and are still open; those that are rolled back just go. */
const raising = new WeakSet<Tx>();

/**
 * Makes every answer about keys of this workspace that somebody keeps out of date. To be called in the transaction
 * of each change that can turn an answer of `/v1/keys/verify` or of the auth hook into another; what only makes a
 * new key known needs none. Repos call it, so that no service can forget it; see
 * docs/decisions/0023-revocation-epochs.md.
 */
export async function raiseRevocationEpoch(tx: Tx, workspaceId: string): Promise<void> {
  await tx
    .insertInto('revocation_epochs')
    .values({ workspace_id: workspaceId, epoch: 1 })
    .onConflict((conflict) =>
      conflict.column('workspace_id').doUpdateSet((eb) => ({ epoch: eb('revocation_epochs.epoch', '+', 1) })),
    )
    .execute();
  raising.add(tx);
}

/** True when the transaction has raised an epoch, which others see from its commit on. */
export function hasRaisedEpoch(tx: Tx): boolean {
  return raising.has(tx);
}

/** The present epoch of each of these workspaces; 0 where nothing was ever revoked. */
export async function readRevocationEpochs(
  exec: Executor,
  workspaceIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const epochs = new Map(workspaceIds.map((id) => [id, 0]));
  for (let start = 0; start < workspaceIds.length; start += IDS_MAX) {
    const rows = await exec
      .selectFrom('revocation_epochs')
      .select(['workspace_id', 'epoch'])
      .where('workspace_id', 'in', workspaceIds.slice(start, start + IDS_MAX))
      .execute();
    for (const row of rows) epochs.set(row.workspace_id, row.epoch);
  }
  return epochs;
}
