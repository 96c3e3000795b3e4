import { sql, type Transaction } from 'kysely';
import type { Executor } from './database.ts';
import type { Database } from './schema.ts';

/** As `transaction.ts` names it, which asks this module at each commit. */
type Tx = Transaction<Database>;

// Below the number of parameters that any SQLite takes in one statement.
const IDS_MAX = 500;
// More than transactions of one process are ever open.
const PARTS = 64;

/** The workspaces whose epochs an open transaction has raised; those of one that is rolled back just go. */
const raised = new WeakMap<Tx, Set<string>>();
// Processes begin at different parts.
let lastPart = process.pid;

/**
 * Makes every answer about keys of this workspace that somebody keeps out of date. To be called in the transaction
 * of each change that can turn an answer of `/v1/keys/verify` or of the auth hook into another; what only makes a
 * new key known needs none. Repos call it, so that no service can forget it; see
 * docs/decisions/0023-revocation-epochs.md.
 */
export async function raiseRevocationEpoch(tx: Tx, workspaceId: string): Promise<void> {
  const workspaces = raised.get(tx) ?? new Set();
  // Others see a transaction as one step.
  if (workspaces.has(workspaceId)) return;
  lastPart = (lastPart + 1) % PARTS;
  await tx
    .insertInto('revocation_epochs')
    .values({ workspace_id: workspaceId, part: lastPart, epoch: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'part'])
        .doUpdateSet((eb) => ({ epoch: eb('revocation_epochs.epoch', '+', 1) })),
    )
    .execute();
  raised.set(tx, workspaces.add(workspaceId));
}

/** The workspaces whose epochs the transaction has raised, which others see from its commit on. */
export function listRaisedWorkspaces(tx: Tx): ReadonlySet<string> {
  return raised.get(tx) ?? new Set();
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
      // PostgreSQL sums whole numbers to a type that arrives as text.
      .select(['workspace_id', sql<number>`cast(sum(epoch) as bigint)`.as('epoch')])
      .where('workspace_id', 'in', workspaceIds.slice(start, start + IDS_MAX))
      .groupBy('workspace_id')
      .execute();
    for (const row of rows) epochs.set(row.workspace_id, row.epoch);
  }
  return epochs;
}
