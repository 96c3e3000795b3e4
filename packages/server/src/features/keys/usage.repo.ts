import { type RawBuilder, sql } from 'kysely';
import {
  type Database,
  type Executor,
  isOfWorkspace,
  type KeyLastUsesTable,
  type Tx,
} from '../../storage/index.ts';
import { addKeyDays, type FirstRefusalRow, type LastRefusalRow } from './usage-write.repo.ts';

const HOURS_A_DAY = 24;

/** When each key was last changed, from the main store. Keys that are gone are missing. */
export async function listChangeTimes(
  exec: Executor,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (keyIds.length === 0) return new Map();
  const rows = await exec
    .selectFrom('api_keys')
    .select(['id', 'updated_at'])
    .where('id', 'in', keyIds)
    .limit(1_000)
    .execute();
  return new Map(rows.map(({ id, updated_at }) => [id, updated_at]));
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
    .select(['workspace_id', 'key_id', 'at', 'ip', 'user_agent', 'reason', 'action'])
    .where(isOfWorkspace(workspaceId))
    .where('key_id', 'in', keyIds)
    .limit(1_000)
    .execute();
}

export async function findFirstRefusals(
  exec: Executor,
  workspaceId: string,
  keyIds: readonly string[],
): Promise<FirstRefusalRow[]> {
  if (keyIds.length === 0) return [];
  return await exec
    .selectFrom('key_first_refusals')
    .select(['workspace_id', 'key_id', 'since', 'at', 'ip', 'user_agent', 'reason', 'action'])
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
  const hours = exec
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
    .limit(1_000);
  const days = exec
    .selectFrom('key_days')
    .select((eb) => ['key_id', eb.fn.sum<number | string>('count').as('count')])
    .where('workspace_id', '=', workspaceId)
    .where('outcome', '=', outcome)
    .where((eb) =>
      eb.or(
        keys.map(({ keyId, sinceHour }) =>
          eb.and([eb('key_id', '=', keyId), eb('day', '>=', Math.floor(sinceHour / HOURS_A_DAY))]),
        ),
      ),
    )
    .groupBy('key_id')
    .limit(1_000);
  const counts = new Map<string, number>();
  // PostgreSQL adds int8 up to numeric, which arrives as text.
  for (const { key_id, count } of [...(await hours.execute()), ...(await days.execute())])
    counts.set(key_id, (counts.get(key_id) ?? 0) + Number(count));
  return [...counts].map(([key_id, count]) => ({ key_id, count }));
}

export async function listKeyHours(
  exec: Executor,
  workspaceId: string,
  keyId: string,
  sinceHour: number,
): Promise<{ hour: number; outcome: string; count: number }[]> {
  const rows = await exec
    .selectFrom('key_hours')
    .select((eb) => ['hour', 'outcome', eb.fn.sum<number | string>('count').as('count')])
    .where('workspace_id', '=', workspaceId)
    .where('key_id', '=', keyId)
    .where('hour', '>=', sinceHour)
    .groupBy(['hour', 'outcome'])
    .orderBy('hour')
    .orderBy('outcome')
    .limit(10_000)
    .execute();
  return rows.map(({ hour, outcome, count }) => ({ hour, outcome, count: Number(count) }));
}

export interface UsageSpan {
  readonly workspaceId: string;
  readonly keyId: string;
  /** Hours since 1970; the first that counts, and the first that does not. */
  readonly fromHour: number;
  readonly toHour: number;
}

/** Rows of hours, and of the days that older hours were added up to, both with the day and hour they begin at. */
function spanOf({ workspaceId, keyId, fromHour, toHour }: UsageSpan): RawBuilder<unknown> {
  return sql`(
    select hour, action, outcome, count from key_hours
      where key_id = ${keyId} and workspace_id = ${workspaceId} and hour >= ${fromHour} and hour < ${toHour}
    union all
    select day * 24 as hour, action, outcome, count from key_days
      where key_id = ${keyId} and workspace_id = ${workspaceId}
        and day * 24 >= ${fromHour} and day * 24 < ${toHour}) as span`;
}

/** Sums by bucket of so many hours and outcome, in one statement: no hour counts twice while it becomes a day. */
export async function sumByTime(
  exec: Executor,
  span: UsageSpan,
  bucketHours: number,
  limit: number,
): Promise<{ bucket: number; outcome: string; count: number }[]> {
  const { rows } = await sql<{ bucket: number; outcome: string; count: number | string }>`
    select hour / ${sql.lit(bucketHours)} as bucket, outcome, sum(count) as count from ${spanOf(span)}
    group by 1, 2 order by 1, 2 limit ${limit}`.execute(exec);
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

export async function sumByAction(
  exec: Executor,
  span: UsageSpan,
  limit: number,
): Promise<{ action: string; outcome: string; count: number }[]> {
  const { rows } = await sql<{ action: string; outcome: string; count: number | string }>`
    select action, outcome, sum(count) as count from ${spanOf(span)}
    group by 1, 2 order by 3 desc, 1, 2 limit ${limit}`.execute(exec);
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/**
 * Adds some hours before `hour` up to their days, and says how many rows that were. What the transaction takes away is
 * what it adds, so a use that is counted meanwhile is not lost.
 */
export async function rollUpHours(tx: Tx, hour: number, limit: number): Promise<number> {
  const { rows } = await sql<Database['key_hours']>`
    delete from key_hours where (key_id, hour, action, outcome) in
      (select key_id, hour, action, outcome from key_hours where hour < ${hour} order by hour limit ${limit})
    returning workspace_id, key_id, hour, action, outcome, count`.execute(tx);
  const days = new Map<string, Database['key_days']>();
  for (const { hour: at, count, ...row } of rows) {
    const day = Math.floor(at / HOURS_A_DAY);
    const name = `${row.key_id}|${day}|${row.action}|${row.outcome}`;
    days.set(name, { ...row, day, count: (days.get(name)?.count ?? 0) + count });
  }
  const sorted = [...days].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  await addKeyDays(tx, sorted);
  return rows.length;
}

/** Removes some counters of days before `day`. Returns how many rows that were. */
export async function removeOldDays(tx: Tx, day: number, limit: number): Promise<number> {
  const result = await sql`
    delete from key_days where (key_id, day, action, outcome) in
      (select key_id, day, action, outcome from key_days where day < ${day} order by day limit ${limit})`.execute(
    tx,
  );
  return Number(result.numAffectedRows ?? 0n);
}

export async function removeOldWorkspaceHours(tx: Tx, hour: number, limit: number): Promise<number> {
  const result = await sql`
    delete from workspace_hours where (workspace_id, hour, outcome) in
      (select workspace_id, hour, outcome from workspace_hours where hour < ${hour} order by hour limit ${limit})`.execute(
    tx,
  );
  return Number(result.numAffectedRows ?? 0n);
}

/** Numbers of processes that have long ended. */
export async function removeOldFlushes(tx: Tx, before: number): Promise<void> {
  await tx.deleteFrom('usage_flushes').where('at', '<', before).execute();
}

type TableOfKeys = 'key_last_uses' | 'key_last_refusals' | 'key_first_refusals' | 'key_quotas';

export async function listKeyIdsAfter(
  exec: Executor,
  table: TableOfKeys,
  after: string,
  limit: number,
): Promise<string[]> {
  const query = exec.selectFrom(table).select('key_id').distinct().where('key_id', '>', after);
  return (await query.orderBy('key_id').limit(limit).execute()).map(({ key_id }) => key_id);
}

export async function removeRowsOfKeys(tx: Tx, table: TableOfKeys, keyIds: readonly string[]): Promise<void> {
  await tx.deleteFrom(table).where('key_id', 'in', keyIds).execute();
}
