import type { Executor, OutboxTable } from '../storage/index.ts';

export async function insertOutbox(exec: Executor, row: OutboxTable): Promise<void> {
  await exec.insertInto('outbox').values(row).execute();
}
