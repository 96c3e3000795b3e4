import { sql } from 'kysely';
import type { Executor, Tx } from '../../../storage/index.ts';
import { AUDIT_COLUMNS, type StoredAuditRow } from '../audit.repo.ts';
import type { ChainedRow } from './chain-row.ts';

/** Rows that are in no chain, in their order. `upTo` is included. */
export async function listUnchained(
  exec: Executor,
  range: {
    readonly after: number;
    readonly upTo: number | null;
    readonly limit: number;
    readonly workspaceId?: string;
  },
): Promise<StoredAuditRow[]> {
  let query = exec
    .selectFrom('audit')
    .select(AUDIT_COLUMNS)
    .where('seq', '>', range.after)
    .where('hash', 'is', null);
  if (range.upTo !== null) query = query.where('seq', '<=', range.upTo);
  // No column, so that no index of the workspace is taken: it would be sorted by place as a whole, for each batch.
  if (range.workspaceId !== undefined)
    query = query.where(sql<boolean>`workspace_id || '' = ${range.workspaceId}`);
  return await query.orderBy('seq').limit(range.limit).execute();
}

/** Puts rows that are stored into the chain, where they are. */
export async function chainStored(tx: Tx, rows: readonly ChainedRow[]): Promise<void> {
  // Both engines name the columns of VALUES so.
  const values = rows.map(
    (row) =>
      sql`(cast(${row.seq} as bigint), cast(${row.number} as bigint), cast(${row.form} as integer), ${row.previous_hash}, ${row.hash}, ${row.mac})`,
  );
  await sql`update audit set number = v.column2, form = v.column3, previous_hash = v.column4, hash = v.column5,
    mac = v.column6 from (values ${sql.join(values)}) as v where audit.seq = v.column1`.execute(tx);
}

/** Only rows that are in no chain; they are put into it in another place. */
export async function deleteUnchained(tx: Tx, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await tx.deleteFrom('audit').where('seq', 'in', seqs).where('hash', 'is', null).execute();
}
