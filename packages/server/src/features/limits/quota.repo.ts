import { type RawBuilder, sql } from 'kysely';
import type { Quota } from '../../lib/key-limits.ts';
import type { Executor, Tx } from '../../storage/index.ts';
import { periodOf, type QuotaCount } from './quota-periods.ts';

/** Which of the quotas of a key: its own, or that of every key of its account. */
export type QuotaSource = 'key' | 'account';

export interface QuotaPlace {
  readonly workspaceId: string;
  readonly keyId: string;
  readonly source: QuotaSource;
  readonly quota: Quota;
}

export interface StoredQuota extends QuotaCount {
  readonly keyId: string;
  readonly source: string;
  readonly every: string;
}

/** As a column: another kind of refill is another count, since periods of two kinds cannot be compared. */
export function everyOf(quota: Quota): string {
  return quota.refill?.every ?? 'never';
}

function integer(value: number): RawBuilder<number> {
  // PostgreSQL takes a bare parameter in an expression for a text.
  return sql<number>`cast(${value} as bigint)`;
}

function least(a: RawBuilder<number>, b: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`(case when ${a} < ${b} then ${a} else ${b} end)`;
}

/**
 * Takes up to `wanted` uses, refilling first what is due: one statement, so that no two processes can see the same
 * uses left. The row keeps how many of these were given, since the engines tell no old values.
 *
 * @returns how many were given, and the count after that
 */
export async function takeUses(
  tx: Tx,
  { workspaceId, keyId, source, quota }: QuotaPlace,
  wanted: number,
  now: number,
): Promise<{ readonly given: number; readonly count: QuotaCount }> {
  const { uses, refill } = quota;
  const period = periodOf(refill?.every ?? null, now);
  const first = Math.min(wanted, uses);
  const old = sql<number>`key_quotas.used`;
  const back = sql<number>`(${integer(period)} - key_quotas.period) * ${integer(refill?.uses ?? uses)}`;
  const zero = sql<number>`0`;
  // Of a quota that was made smaller, what was used beyond it need not be refilled first.
  const most = least(old, integer(uses));
  const used = sql<number>`(case when ${integer(period)} <= key_quotas.period then ${old} when ${back} >= ${most} then ${zero} else ${most} - ${back} end)`;
  const free = sql<number>`(${integer(uses)} - ${used})`;
  const given = least(integer(wanted), free);
  const result = await sql<{ given: number; period: number; used: number }>`
    insert into key_quotas (workspace_id, key_id, source, every, period, used, given)
    values (${workspaceId}, ${keyId}, ${source}, ${everyOf(quota)}, ${period}, ${first}, ${first})
    on conflict (key_id, source, every) do update set
      used = ${used} + ${given},
      given = ${given},
      period = (case when ${integer(period)} > key_quotas.period then ${integer(period)} else key_quotas.period end)
    where ${free} > 0
    returning given, period, used`.execute(tx);
  const row = result.rows[0];
  // Nothing was left: the row stays as it is, and nothing has to be written for a refusal.
  if (row === undefined) return { given: 0, count: { period, used: uses } };
  return { given: row.given, count: { period: row.period, used: row.used } };
}

/** Undoes a part of `takeUses`, in the same transaction: another quota of the key had less. */
export async function putBack(tx: Tx, { keyId, source, quota }: QuotaPlace, uses: number): Promise<void> {
  await tx
    .updateTable('key_quotas')
    .set((eb) => ({ used: eb('used', '-', uses) }))
    .where('key_id', '=', keyId)
    .where('source', '=', source)
    .where('every', '=', everyOf(quota))
    .execute();
}

export async function listQuotas(
  exec: Executor,
  workspaceId: string,
  keyIds: readonly string[],
): Promise<StoredQuota[]> {
  if (keyIds.length === 0) return [];
  const rows = await exec
    .selectFrom('key_quotas')
    .select(['key_id', 'source', 'every', 'period', 'used'])
    .where('workspace_id', '=', workspaceId)
    .where('key_id', 'in', keyIds)
    .execute();
  return rows.map(({ key_id, source, every, period, used }) => ({
    keyId: key_id,
    source,
    every,
    period,
    used,
  }));
}

/** Keys of which anything was counted, in the order of their ids. */
export async function listCountedKeyIds(exec: Executor, after: string, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('key_quotas')
    .select('key_id')
    .distinct()
    .where('key_id', '>', after)
    .orderBy('key_id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.key_id);
}

export async function removeQuotas(tx: Tx, keyIds: readonly string[]): Promise<void> {
  await tx.deleteFrom('key_quotas').where('key_id', 'in', keyIds).execute();
}
