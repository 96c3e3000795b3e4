import type { Executor } from '../../storage/index.ts';

/** What is counted of one bucket, for instance of one login from one address. */
export interface Attempts {
  readonly bucket: string;
  readonly failures: number;
  readonly lastFailureAt: number;
}

export async function findAttempts(exec: Executor, buckets: readonly string[]): Promise<Attempts[]> {
  if (buckets.length === 0) return [];
  const rows = await exec
    .selectFrom('attempts')
    .select(['bucket', 'failures', 'last_failure_at'])
    .where('bucket', 'in', buckets)
    .limit(buckets.length)
    .execute();
  return rows.map((row) => ({
    bucket: row.bucket,
    failures: row.failures,
    lastFailureAt: row.last_failure_at,
  }));
}

export async function saveAttempts(exec: Executor, attempts: Attempts): Promise<void> {
  const values = { failures: attempts.failures, last_failure_at: attempts.lastFailureAt };
  await exec
    .insertInto('attempts')
    .values({ bucket: attempts.bucket, ...values })
    .onConflict((conflict) => conflict.column('bucket').doUpdateSet(values))
    .execute();
}

export async function deleteAttempts(exec: Executor, buckets: readonly string[]): Promise<void> {
  if (buckets.length === 0) return;
  await exec.deleteFrom('attempts').where('bucket', 'in', buckets).execute();
}

/** Buckets in which nothing has happened since `before`, at most `limit` of them. */
export async function listOldBuckets(exec: Executor, before: number, limit: number): Promise<string[]> {
  const rows = await exec
    .selectFrom('attempts')
    .select('bucket')
    .where('last_failure_at', '<', before)
    .limit(limit)
    .execute();
  return rows.map((row) => row.bucket);
}
